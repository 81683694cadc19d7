import { anOffer, type SessionRecord } from 'game-lift-streams-local';
import { writeSwitchItem } from '../../../functions/shared/runtime/switch.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { statusChangeEvent } from '../../helpers/status-change.ts';
import { SECOND, startWorld, type World } from '../world.ts';
import { closed, type Scenario } from './scenario.ts';

const USER = { 'x-user-id': 'player-1' };

/** Players who leave, pages that are closed, and reports that say how long to wait. */
export const LEAVING: readonly Scenario[] = [
  {
    name: 'a player leaves while a window is open, twice',
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await leave(world, session);
      await leave(world, session);
      await world.clock.advance(20 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'a player who proves whose session it is leaves while reads are scarce',
    start: () => startWorld({ environment: { USER_ID_CHECK: 'true' } }),
    play: async (world) => {
      const session = await world.control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 60 });
      await world.control.clientDrops(session.streamSessionId);
      await world.clock.advance(SECOND);
      const reads = { operation: 'GetStreamSession', perSecond: 15 } as const;
      await bookPermits(world.table, reads, world.clock.nowMs() + 5 * SECOND, '#low');
      await leave(world, session);
      return { session, outcomes: 0, phases: [undefined] };
    },
  },
  {
    name: 'a player leaves while the service is passed through, and throttled before',
    start: () => startWorld({ environment: { USER_ID_CHECK: 'true' } }),
    play: async (world) => {
      const session = await world.control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 60 });
      const { streamSessionId } = session;
      await world.control.clientDrops(streamSessionId);
      await world.report(session);
      const fault = { kind: 'throttling', operation: 'TerminateStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      await send(world, session, 'DELETE', '').catch(() => {});
      await writeSwitchItem(world.table, { state: 'passThrough' });
      await world.clock.advance(6 * SECOND);
      await leave(world, session);
      await writeSwitchItem(world.table, { state: 'on' });
      await world.clock.advance(6 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'a page that never asked here is closed, and nobody comes back',
    play: async (world) => {
      const session = await world.dropped();
      await close(world, session);
      await world.clock.advance(40 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'a page is closed, nobody comes back, and the service refuses the termination at first',
    play: async (world) => {
      const session = await world.dropped();
      const { streamSessionId } = session;
      const fault = { kind: 'throttling', operation: 'TerminateStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      await close(world, session);
      await world.clock.advance(40 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'a page is closed while its window is open, and its player comes back by the same request',
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      const request = { clientToken: tokenOf(session), offer: anOffer() };
      const { streamSessionId } = session;
      await world.untilAnswered(() => world.reconnect(session, request));
      await close(world, session);
      const answer = await world.untilAnswered(() => world.reconnect(session, request));
      await world.control.clientConnects(streamSessionId, answer);
      await world.clock.advance(30 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'a report says how long to wait, and another one why the player dropped',
    start: () => startWorld({ environment: { ALLOW_EARLY_END: 'true' } }),
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.report(session, { giveUpAfterSeconds: 10, dropCause: 'CRASH' });
      await world.clock.advance(40 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'two feeds say at the same moment how long to wait',
    start: () => startWorld({ environment: { ALLOW_EARLY_END: 'true' } }),
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      const { streamGroupId, streamSessionId } = session;
      const key = { streamGroupId, streamSessionId };
      const events = [12, 10].map((giveUpAfterSeconds) =>
        statusChangeEvent({ session: key, atMs: world.clock.nowMs(), detail: { giveUpAfterSeconds } }),
      );
      // Two invocations, where the queue would hand both to one.
      await Promise.all(events.map((event) => world.invokeAsynchronously('onStatusChange', event)));
      await world.clock.advance(40 * SECOND);
      return closed(session);
    },
  },
];

const leave = (world: World, session: SessionRecord) =>
  world.untilAnswered(() => send(world, session, 'DELETE', ''));

/** The service knows a token's request whatever its session. */
const tokenOf = ({ streamSessionId }: SessionRecord) => `page-of-${streamSessionId}`.padEnd(36, '0');

const close = (world: World, session: SessionRecord) =>
  world.untilAnswered(() =>
    send(world, session, 'POST', '/leaving', { clientToken: tokenOf(session), withinSeconds: 10 }),
  );

async function send(world: World, session: SessionRecord, method: string, end: string, body?: object) {
  const response = await world.inTime(() => world.send(session, method, end, USER, body));
  await world.clock.idle();
  if (response.ok) return;
  throw Object.assign(new Error(`HTTP ${response.status}`), {
    $metadata: { httpStatusCode: response.status },
    $response: { headers: Object.fromEntries(response.headers) },
  });
}
