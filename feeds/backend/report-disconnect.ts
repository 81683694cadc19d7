/**
 * A game's backend reports that a session has lost its client, at once: sooner and more exactly than the watcher
 * finds it. Needs `events:PutEvents` on the bus. To try it:
 *
 *   npx node feeds/backend/report-disconnect.ts <bus> <stream group id> <stream session id> [timeout in seconds]
 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';

export interface LostClient {
  readonly streamGroupId: string;
  readonly streamSessionId: string;
  /** When the client was lost, by this machine's clock; two seconds off do no harm. */
  readonly disconnectedAt: Date;
  /** What the session was started with, if it is known here: it makes the deadline exact from the start. */
  readonly connectionTimeoutSeconds?: number;
}

/** @throws when EventBridge has not taken the event: PutEvents answers 200 even then. Sending it again is harmless. */
export async function reportDisconnect(
  client: EventBridgeClient,
  busName: string,
  { disconnectedAt, ...session }: LostClient,
): Promise<void> {
  const { Entries: results = [] } = await client.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: busName,
          // The deployment's eventSource parameter.
          Source: 'stream-session-reconnection',
          DetailType: 'Stream Session Status Change',
          Detail: JSON.stringify({
            version: '1',
            ...session,
            status: 'PENDING_CLIENT_RECONNECTION',
            statusChangedAt: disconnectedAt.toISOString(),
          }),
        },
      ],
    }),
  );
  const refused = results.find(({ ErrorCode }) => ErrorCode !== undefined);
  if (refused !== undefined) throw new Error(`EventBridge refused the event: ${refused.ErrorCode}`);
}

if (import.meta.main) {
  const [busName, streamGroupId, streamSessionId, timeout] = process.argv.slice(2);
  if (busName === undefined || streamGroupId === undefined || streamSessionId === undefined) {
    throw new Error(
      'Usage: report-disconnect.ts <bus> <stream group id> <stream session id> [timeout in seconds]',
    );
  }
  await reportDisconnect(new EventBridgeClient({}), busName, {
    streamGroupId,
    streamSessionId,
    disconnectedAt: new Date(),
    ...(timeout === undefined ? {} : { connectionTimeoutSeconds: Number(timeout) }),
  });
}
