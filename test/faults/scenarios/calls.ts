import type { SessionRecord } from 'game-lift-streams-local';
import { type SwitchState, writeSwitchItem } from '../../../functions/shared/runtime/switch.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { SECOND, startWorld, type World } from '../world.ts';
import { closed, type Scenario } from './scenario.ts';

export const CALLS: readonly Scenario[] = [
  {
    name: 'a player proves whose session it is',
    start: () => startWorld({ environment: { USER_ID_CHECK: 'true' } }),
    play: async (world) => {
      const session = await world.control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 300 });
      const { streamSessionId } = session;
      await world.control.clientDrops(streamSessionId);
      await world.report(session);
      const fault = { kind: 'throttling', operation: 'GetStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      const answer = await world.ask(session, { headers: { 'x-user-id': 'player-1' } });
      await world.control.clientConnects(streamSessionId, answer);
      await world.clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'a player proves whose session it is while strangers use up the reads of unknown sessions',
    start: () => startWorld({ environment: { USER_ID_CHECK: 'true' } }),
    play: async (world) => {
      const session = await world.control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 300 });
      const { streamSessionId } = session;
      await world.control.clientDrops(streamSessionId);
      await world.clock.advance(SECOND);
      const reads = { operation: 'GetStreamSession', perSecond: 15 } as const;
      await bookPermits(world.table, reads, world.clock.nowMs() + 5 * SECOND, '#low');
      const answer = await world.ask(session, { headers: { 'x-user-id': 'player-1' } });
      await world.control.clientConnects(streamSessionId, answer);
      await world.clock.advance(20 * SECOND);
      return { session, outcomes: 0, phases: [undefined] };
    },
  },
  {
    name: 'the service is passed through, and checks whose session it is',
    start: () => startWorld({ environment: { USER_ID_CHECK: 'true' } }),
    play: async (world) => {
      await switchTo(world, 'passThrough');
      const session = await world.control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 60 });
      const { streamSessionId } = session;
      await world.control.clientDrops(streamSessionId);
      await world.report(session);
      const answer = await world.ask(session, { headers: { 'x-user-id': 'player-1' } });
      await world.control.clientConnects(streamSessionId, answer);
      await world.askForShellAgain(session);
      await switchTo(world, 'on');
      return closed(session);
    },
  },
  {
    name: 'a player asks for a session that does not exist, twice',
    play: async (world) => {
      const session = await world.session();
      const nobodys = { ...session, streamSessionId: 'MadeUp0001' };
      const refusals: string[] = [];
      for (const _ of [1, 2]) {
        const refusal = await world.ask(nobodys).then(
          () => 'answered',
          (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
        );
        refusals.push(refusal);
      }
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: () => (refusals.includes('answered') ? ['a session that does not exist was answered for'] : []),
      };
    },
  },
  {
    name: 'a player asks before the service has noticed the loss, and throttling hides why it refuses',
    play: async (world) => {
      const session = await world.session({ connectionTimeoutSeconds: 300 });
      const { streamSessionId } = session;
      await world.control.clientDrops(streamSessionId, 3 * SECOND);
      await world.report(session);
      const fault = { kind: 'throttling', operation: 'GetStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      const answer = await world.ask(session);
      await world.control.clientConnects(streamSessionId, answer);
      await world.clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'an operator opens a shell, through throttling',
    play: async (world) => {
      const session = await world.session();
      const { streamSessionId } = session;
      const operation = 'CreateStreamSessionAdminShell';
      await world.control.injectFault({ kind: 'throttling', operation, streamSessionId });
      const shell = await world.askForShellAgain(session);
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: async () => [
          ...(shell.TokenValue === undefined ? ['the operator has no shell'] : []),
          ...((await auditOf(world, session)).includes('REQUESTED') ? [] : ['the request is not on record']),
        ],
      };
    },
  },
  {
    name: 'an operator is refused a shell by the service, after its status allowed one',
    play: async (world) => {
      const session = await world.session();
      const { streamSessionId } = session;
      const operation = 'CreateStreamSessionAdminShell';
      await world.control.injectFault({ kind: 'validation', operation, streamSessionId });
      const refusal = await world.askForShellAgain(session).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.name : undefined),
      );
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: async () => [
          // A fault may eat the refusal; the next request of the same operator is then allowed.
          ...([undefined, 'ValidationException'].includes(refusal) ? [] : [`refused with ${refusal}`]),
          ...((await auditOf(world, session)).includes('REQUESTED') ? [] : ['the request is not on record']),
        ],
      };
    },
  },
  {
    name: 'an operator names no session',
    play: async (world) => {
      const session = await world.session();
      const refusal = await world.askForShellAgain({ ...session, streamSessionId: '!' }).then(
        () => 'granted',
        (error: unknown) => (error instanceof Error ? error.name : undefined),
      );
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: () => (refusal === 'ValidationException' ? [] : [`answered with ${refusal}`]),
      };
    },
  },
  {
    name: 'a session outlives its window, and is ended',
    start: () => startWorld({ environment: { TERMINATE_ABANDONED_SESSIONS: 'true' } }),
    play: async (world) => {
      const session = await world.dropped({
        connectionTimeoutSeconds: 10,
        settings: { overstayMs: 120 * SECOND },
      });
      const { streamSessionId } = session;
      await world.report(session);
      const fault = { kind: 'throttling', operation: 'TerminateStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      await world.clock.advance(60 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'a backend looks at a window',
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      await world.report(session);
      const body = await world.lookAtWindow(session);
      return {
        ...closed(session),
        also: () =>
          'phase' in body || 'message' in body || 'Message' in body ? [] : ['the window has no phase'],
      };
    },
  },
];

async function switchTo({ table, clock }: World, state: SwitchState): Promise<void> {
  await writeSwitchItem(table, { state });
  await clock.advance(6 * SECOND);
}

async function auditOf({ auditTrail }: World, { streamSessionId }: SessionRecord): Promise<string[]> {
  return (await auditTrail())
    .filter((record) => record.streamSessionId === streamSessionId)
    .map(({ result }) => result);
}
