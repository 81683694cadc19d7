import { loseClient, mayBecome, noteInput, recoverClient } from '../sessions/lifecycle.ts';
import type { StreamSession } from '../sessions/stream-session.ts';
import type { World } from '../sessions/world.ts';
import { ControlRefusal } from './refusal.ts';
import type { Happening } from './schemas.ts';
import { recordOf } from './session-records.ts';

/**
 * What the world outside does to sessions: clients come and go, applications exit. All the sessions at the
 * same moment, or none.
 *
 * @throws ControlRefusal 404 for an unknown session, 409 when it cannot happen in a session's status
 */
export function makeHappen(world: World, happening: Happening): object {
  const atMs = world.settle();
  // A session that is named twice would lose its client twice.
  const sessions = [...new Set(happening.streamSessionIds)].map((id) => {
    const session = world.session(id);
    if (session === undefined) throw new ControlRefusal(404, `There is no stream session ${id}.`);
    refuseImpossible(session, happening);
    return session;
  });
  for (const session of sessions) happen(world, session, happening, atMs);
  // A loss that is noticed at once has changed the status already.
  world.settle();
  return { sessions: sessions.map(recordOf) };
}

function happen(world: World, session: StreamSession, happening: Happening, atMs: number): void {
  const durations = world.settingsOf(session);
  switch (happening.kind) {
    case 'clientConnects':
      world.become(session, { status: 'CONNECTED', atMs });
      return;
    case 'applicationExits':
      world.become(session, { status: 'TERMINATED', reason: 'applicationExit', atMs });
      return;
    case 'sessionFails':
      world.become(session, { status: 'ERROR', reason: happening.reason, atMs });
      return;
    case 'clientDrops': {
      const { lossNoticeMs = durations.lossNoticeMs } = happening;
      loseClient(session, atMs, { ...durations, lossNoticeMs });
      break;
    }
    case 'clientRecovers':
      recoverClient(session, durations);
      break;
    case 'clientInput':
      noteInput(session, atMs, durations);
      break;
  }
  world.watch(session);
}

function refuseImpossible(session: StreamSession, happening: Happening): void {
  const { status, streamSessionId } = session;
  if (!isPossible(session, happening)) {
    const without = isLost(session) ? ' without a client' : '';
    throw new ControlRefusal(
      409,
      `${happening.kind} cannot happen: ${streamSessionId} is ${status}${without}.`,
    );
  }
  if (happening.kind !== 'clientConnects') return;
  if (session.signalResponse === undefined) {
    throw new ControlRefusal(409, `No client can connect: ${streamSessionId} has given no answer yet.`);
  }
  if (happening.signalResponse !== undefined && happening.signalResponse !== session.signalResponse) {
    throw new ControlRefusal(409, `The client cannot connect: ${streamSessionId} has given a newer answer.`);
  }
}

function isPossible(session: StreamSession, { kind }: Happening): boolean {
  switch (kind) {
    case 'clientConnects':
      return mayBecome(session, 'CONNECTED');
    case 'clientInput':
    case 'clientDrops':
      return session.status === 'CONNECTED' && !isLost(session);
    case 'clientRecovers':
      return isLost(session);
    case 'applicationExits':
      return mayBecome(session, 'TERMINATED');
    case 'sessionFails':
      return mayBecome(session, 'ERROR');
  }
}

const isLost = (session: StreamSession) => session.lossNoticedAtMs !== undefined;
