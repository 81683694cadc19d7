import type { z } from 'zod';
import type { sessionSettingsChangeSchema } from '../sessions/settings.ts';
import type { StreamSession } from '../sessions/stream-session.ts';
import type { World } from '../sessions/world.ts';
import { ControlRefusal } from './refusal.ts';
import type { SessionRecord, startSessionsSchema } from './schemas.ts';

/** The statuses on the way to the one wanted. */
const WAY = ['ACTIVATING', 'ACTIVE', 'CONNECTED', 'PENDING_CLIENT_RECONNECTION'] as const;

/**
 * Sessions that are in a status at once, without StartStreamSession and its quota.
 *
 * @throws ControlRefusal 404 for an unknown stream group
 */
export function startSessions(world: World, wanted: z.output<typeof startSessionsSchema>) {
  const { streamGroupId } = wanted;
  const group = streamGroupId === undefined ? world.firstStreamGroup() : world.streamGroup(streamGroupId);
  if (group === undefined) throw new ControlRefusal(404, `There is no stream group ${streamGroupId}.`);
  const sessions = Array.from({ length: wanted.count }, () => {
    const session = world.addSession(
      group,
      {
        Identifier: group.streamGroupId,
        Protocol: 'WebRTC',
        SignalRequest: firstOffer(world.nextSerial()),
        ApplicationIdentifier: wanted.applicationIdentifier,
        ConnectionTimeoutSeconds: wanted.connectionTimeoutSeconds,
        SessionLengthSeconds: wanted.sessionLengthSeconds,
        ...(wanted.userId === undefined ? {} : { UserId: wanted.userId }),
      },
      wanted.exportFilesMetadata,
      undefined,
      wanted.settings,
    );
    for (const status of WAY.slice(1, WAY.indexOf(wanted.status) + 1)) {
      world.become(session, { status, atMs: session.createdAtMs });
    }
    return session;
  });
  return { sessions: sessions.map(recordOf) };
}

/** The offer of a player who came before the tests and demos that only reconnect. */
function firstOffer(serial: number): string {
  return JSON.stringify({
    type: 'offer',
    sdp: `v=0\r\no=- ${serial} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n`,
  });
}

/** @param query may hold `streamGroupId` and `status` */
export function readSessions(world: World, query: URLSearchParams) {
  world.settle();
  const streamGroupId = query.get('streamGroupId');
  const status = query.get('status');
  const sessions = world
    .sessions()
    .filter((session) => streamGroupId === null || session.streamGroupId === streamGroupId)
    .filter((session) => status === null || session.status === status);
  return { sessions: sessions.map(recordOf) };
}

/** @throws ControlRefusal 404 */
export function readSession(world: World, streamSessionId: string): SessionRecord {
  world.settle();
  const session = world.session(streamSessionId);
  if (session === undefined) throw new ControlRefusal(404, 'There is no such stream session.');
  return recordOf(session);
}

/**
 * A time that has begun to run keeps its length: the change is for what begins after it.
 *
 * @throws ControlRefusal 404
 */
export function changeSessionSettings(
  world: World,
  streamSessionId: string,
  change: z.output<typeof sessionSettingsChangeSchema>,
): SessionRecord {
  world.settle();
  const session = world.session(streamSessionId);
  if (session === undefined) throw new ControlRefusal(404, 'There is no such stream session.');
  session.settings = { ...session.settings, ...change };
  return recordOf(session);
}

/** Offers and answers stay out: who needs to compare an offer has its digest. */
export function recordOf(session: StreamSession): SessionRecord {
  const { due, statusReason } = session;
  const { UserId: userId } = session.parameters;
  return {
    streamSessionId: session.streamSessionId,
    streamGroupId: session.streamGroupId,
    arn: session.arn,
    ...(userId === undefined ? {} : { userId }),
    status: session.status,
    ...(statusReason === undefined ? {} : { statusReason }),
    connectionTimeoutSeconds: session.connectionTimeoutSeconds,
    sessionLengthSeconds: session.sessionLengthSeconds,
    createdAtMs: session.createdAtMs,
    ...(due === undefined ? {} : { nextChange: { atMs: due.atMs, status: due.status } }),
    history: session.history,
    connections: session.attempts.map(({ acceptedAtMs, clientToken, signalRequestSha256, outcome }) => ({
      acceptedAtMs,
      ...(clientToken === undefined ? {} : { clientToken }),
      signalRequestSha256,
      outcome,
    })),
    adminShells: session.adminShells,
  };
}
