import {
  type GameLiftStreamsClient,
  GameLiftStreamsServiceException,
  TerminateStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import { onTheWay } from '../admin-shell/api-client.ts';
import type { EndArguments } from './arguments.ts';
import type { ActResult } from './audit.ts';

export interface EndDependencies {
  readonly client: GameLiftStreamsClient;
  readonly clock: Clock;
  readonly tellLine: (line: string) => void;
}

const DEFAULT_RETRY_AFTER_SECONDS = 2;
/** The service's own refusals and the API's. A repeat ends the same session, so it does no harm. */
const WORTH_ASKING_AGAIN: ReadonlySet<string> = new Set(['ThrottlingException', 'InternalServerException']);

/**
 * Ends a live session through the API, which takes a permit and marks the session as ended by an operator. A session with a
 * connected player is ended too.
 *
 * @returns the refusal's name as the failure.
 * @throws what is no reply of the API.
 */
export async function endSession(
  { session, waitSeconds }: Pick<EndArguments, 'session' | 'waitSeconds'>,
  { client, clock, tellLine }: EndDependencies,
): Promise<ActResult> {
  const { streamGroupId, streamSessionId } = session;
  const headers = onTheWay(client, { 'x-ended-by': 'OPERATOR' });
  const giveUpAtMs = clock.nowMs() + waitSeconds * 1000;
  for (;;) {
    try {
      await client.send(
        new TerminateStreamSessionCommand({
          Identifier: streamGroupId,
          StreamSessionIdentifier: streamSessionId,
        }),
      );
      tellLine(
        `${streamGroupId}/${streamSessionId}: the service is ending it. If it has a window, the outcome will have the cause OPERATOR.`,
      );
      // A session whose player is connected has no window, and the API does not say.
      return { windows: null };
    } catch (error) {
      if (!(error instanceof GameLiftStreamsServiceException)) throw error;
      const retryAfterSeconds = headers.number('retry-after') ?? DEFAULT_RETRY_AFTER_SECONDS;
      const isLate = clock.nowMs() + retryAfterSeconds * 1000 > giveUpAtMs;
      if (!WORTH_ASKING_AGAIN.has(error.name) || isLate) {
        tellLine(`${streamGroupId}/${streamSessionId}: not ended: ${error.name}: ${error.message}`);
        return { windows: 0, failure: error.name };
      }
      tellLine(`${error.name}: asking again in ${retryAfterSeconds} s.`);
      await clock.sleep(retryAfterSeconds * 1000);
    }
  }
}
