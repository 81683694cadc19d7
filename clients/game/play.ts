import {
  createReconnector,
  fetchBackend,
  keptSession,
  type Reconnector,
  type WebSdkConnection,
  type WebSdkStream,
  webSdkClient,
} from 'reconnection-client';

/**
 * Starts the player's session, or comes back to the one that the page before a reload has kept.
 *
 * @param newStream makes a Web SDK object:
 *   `(clientConnection) => new gameliftstreams.GameLiftStreams({ videoElement, clientConnection })`.
 * @param start sends the first offer to your backend, which calls StartStreamSession and waits until the session is ACTIVE.
 */
export async function play(
  newStream: (clientConnection: WebSdkConnection) => WebSdkStream,
  start: (signalRequest: string) => Promise<{ readonly session: string; readonly signalResponse: string }>,
): Promise<Reconnector> {
  const newClient = () => webSdkClient(newStream);
  const backend = fetchBackend(() => '/api/connections');
  const kept = keptSession();
  if (kept !== undefined) return createReconnector({ session: kept, newClient, ...backend });

  const client = newClient();
  const { session, signalResponse } = await start(await client.generateSignalRequest());
  await client.processSignalResponse(signalResponse);
  return createReconnector({ session, client, newClient, ...backend, connectionTimeoutSeconds: 120 });
}
