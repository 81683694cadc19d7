import type { StreamSessionStatus } from '@aws-sdk/client-gameliftstreams';
import { ControlRefusal } from './control-refusal.ts';
import type { Happening } from './control-schemas.ts';
import { mayBecome, noteInput } from './lifecycle.ts';
import { recordOf } from './session-records.ts';
import type { Due, StreamSession } from './stream-session.ts';
import type { World } from './world.ts';

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
  for (const session of sessions) {
    const change = changeBy(happening, atMs);
    if (change !== undefined) {
      world.become(session, change);
    } else {
      noteInput(session, atMs, world.settings);
      world.watch(session);
    }
  }
  return { sessions: sessions.map(recordOf) };
}

function changeBy(happening: Happening, atMs: number): Due | undefined {
  switch (happening.kind) {
    case 'clientConnects':
      return { status: 'CONNECTED', atMs };
    case 'clientDrops':
      return { status: 'PENDING_CLIENT_RECONNECTION', atMs };
    case 'applicationExits':
      return { status: 'TERMINATED', reason: 'applicationExit', atMs };
    case 'sessionFails':
      return { status: 'ERROR', reason: happening.reason, atMs };
    case 'clientInput':
      return undefined;
  }
}

function refuseImpossible(session: StreamSession, happening: Happening): void {
  const { status, streamSessionId } = session;
  const isPossible =
    happening.kind === 'clientInput' ? status === 'CONNECTED' : mayBecome(session, targetOf(happening));
  if (!isPossible) {
    throw new ControlRefusal(409, `${happening.kind} cannot happen: ${streamSessionId} is ${status}.`);
  }
  if (happening.kind !== 'clientConnects') return;
  if (session.signalResponse === undefined) {
    throw new ControlRefusal(409, `No client can connect: ${streamSessionId} has given no answer yet.`);
  }
  if (happening.signalResponse !== undefined && happening.signalResponse !== session.signalResponse) {
    throw new ControlRefusal(409, `The client cannot connect: ${streamSessionId} has given a newer answer.`);
  }
}

function targetOf({ kind }: Happening): StreamSessionStatus {
  switch (kind) {
    case 'clientConnects':
    case 'clientInput':
      return 'CONNECTED';
    case 'clientDrops':
      return 'PENDING_CLIENT_RECONNECTION';
    case 'applicationExits':
      return 'TERMINATED';
    case 'sessionFails':
      return 'ERROR';
  }
}
