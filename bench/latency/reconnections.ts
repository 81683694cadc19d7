import { CreateStreamSessionConnectionCommand, GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { anOffer, type SessionRecord } from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { type BuiltStack, until } from './built-stack.ts';

export interface Reconnections {
  /** Milliseconds of each call of CreateStreamSessionConnection, to the service itself. */
  readonly direct: readonly number[];
  /** … and through the API, the open windows told. */
  readonly throughTheApi: readonly number[];
}

/**
 * The same SDK call with the same offer, by turns to the service and to the API, one at a time; every session has
 * an open window.
 */
export async function measureReconnections(
  { stack, openedAtMs }: BuiltStack,
  {
    count,
    warmUp,
    serviceMs,
  }: { readonly count: number; readonly warmUp: number; readonly serviceMs: number },
): Promise<Reconnections> {
  const { control, endpoints, service } = stack;
  await control.changeSettings({ connectionMs: serviceMs });
  const sessions = await control.startSessions({
    count: 2 * (count + warmUp),
    status: 'PENDING_CLIENT_RECONNECTION',
    connectionTimeoutSeconds: 3600,
  });
  await until('every window is open', () =>
    sessions.every(({ streamSessionId }) => openedAtMs.has(streamSessionId)),
  );
  const connection = { region: service.region, credentials: LOCAL_CREDENTIALS, maxAttempts: 1 };
  const clients = [
    new GameLiftStreamsClient({ ...connection, endpoint: endpoints.gameLiftStreams }),
    new GameLiftStreamsClient({ ...connection, endpoint: endpoints.api }),
  ] as const;
  const timed = async (client: GameLiftStreamsClient, session: SessionRecord | undefined) => {
    if (session === undefined) throw new Error('There are too few sessions.');
    const startMs = performance.now();
    const { SignalResponse: answer } = await client.send(
      new CreateStreamSessionConnectionCommand({
        Identifier: session.streamGroupId,
        StreamSessionIdentifier: session.streamSessionId,
        SignalRequest: anOffer(),
      }),
    );
    const tookMs = performance.now() - startMs;
    // The client uses the answer, so that the windows close as they do in life.
    await control.clientConnects(session.streamSessionId, answer);
    return tookMs;
  };
  const direct: number[] = [];
  const throughTheApi: number[] = [];
  for (let turn = 0; turn < count + warmUp; turn++) {
    const directMs = await timed(clients[0], sessions.pop());
    const apiMs = await timed(clients[1], sessions.pop());
    if (turn < warmUp) continue;
    direct.push(directMs);
    throughTheApi.push(apiMs);
  }
  for (const client of clients) client.destroy();
  return { direct, throughTheApi };
}
