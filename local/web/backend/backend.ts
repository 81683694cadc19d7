import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { DEFAULT_STREAM_GROUP_ID } from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS, type LoopbackReply, type LoopbackRequest } from 'local-server-kit';
import { createReconnectionClient } from 'reconnection-client/backend';
import type { Stack } from '../../stack.ts';
import { ControlStrip } from './control-strip.ts';
import { GameBackend } from './game-backend.ts';
import { answerPlayer } from './player-routes.ts';

/** What the player page calls: a game's backend, and the strip that makes things go wrong. */
export interface PlayerBackend {
  /** @returns undefined when the request is for neither */
  answer(request: LoopbackRequest): Promise<LoopbackReply | undefined>;
  close(): Promise<void>;
}

export function startPlayerBackend(
  { endpoints, control, service }: Pick<Stack, 'endpoints' | 'control' | 'service'>,
  random: () => number,
): PlayerBackend {
  const config = { region: service.region, credentials: LOCAL_CREDENTIALS };
  const game = new GameBackend({
    gameLiftStreams: new GameLiftStreamsClient({ ...config, endpoint: endpoints.gameLiftStreams }),
    api: createReconnectionClient({ ...config, endpoint: endpoints.api }),
    streamGroupId: DEFAULT_STREAM_GROUP_ID,
  });
  const strip = new ControlStrip({
    control,
    apiUrl: endpoints.api,
    windowMachineArn: service.stateMachines.find(({ type }) => type === 'STANDARD')?.arn ?? '',
    random,
  });
  return {
    answer: async (request) => (await answerPlayer(request, game)) ?? (await strip.answer(request)),
    close: async () => {
      await strip.close();
      game.close();
    },
  };
}
