import { recordOutcomeInputSchema } from '../../../functions/record-outcome/record-outcome.ts';
import { MINUTE, SECOND, startWorld } from '../world.ts';
import { openUnstarted, signalUnsent } from './left-behind.ts';
import { closed, type Scenario } from './scenario.ts';

const CREATE = 'CreateStreamSessionConnection';

export const WINDOWS: readonly Scenario[] = [
  {
    name: 'a player comes back through the API, through throttling and a conflict',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      const { streamSessionId } = session;
      await world.report(session);
      await control.injectFault({ kind: 'throttling', operation: CREATE, streamSessionId });
      await control.injectFault({ kind: 'conflict', operation: CREATE, streamSessionId });
      const answer = await world.ask(session, { clientToken: `token-of-${streamSessionId}`.padEnd(32, '.') });
      await control.clientConnects(streamSessionId, answer);
      await clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'nobody comes back',
    play: async (world) => {
      const { control } = world;
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      const { streamSessionId } = session;
      await control.injectFault({ kind: 'throttling', operation: 'GetStreamSession', streamSessionId });
      await world.report(session);
      return closed(session);
    },
  },
  {
    name: 'a player comes back whom nobody has reported',
    play: async (world) => {
      const session = await world.dropped();
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      await world.report(session, { status: 'CONNECTED' });
      return { session, outcomes: 0, phases: [undefined] };
    },
  },
  {
    name: 'a window that nobody has started is started by the next event of its session',
    play: async (world) => {
      const session = await world.dropped();
      await openUnstarted(world, session);
      await world.control.applicationExits(session.streamSessionId);
      await world.report(session, { status: 'TERMINATED' });
      return closed(session);
    },
  },
  {
    name: 'a signal comes while the outcome is being recorded',
    start: async () => {
      const signalled = new Set<string>();
      const world = await startWorld({
        before: async (functionKey, payload) => {
          if (functionKey !== 'recordOutcome') return;
          const { streamSessionId, streamGroupId } = recordOutcomeInputSchema.parse(payload);
          if (signalled.has(streamSessionId)) return;
          signalled.add(streamSessionId);
          await signalUnsent(world, { streamSessionId, streamGroupId });
        },
      });
      return world;
    },
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      return closed(session);
    },
  },
  {
    name: 'an attempt to wait that was given up comes late',
    play: async (world) => {
      const { streamGroupId, streamSessionId, ...session } = await world.dropped({
        connectionTimeoutSeconds: 900,
      });
      const key = { streamGroupId, streamSessionId };
      await world.report({ ...key, ...session });
      await world.ask({ ...key, ...session });
      // By then the window has an execution, even if the first attempt to open it has died.
      await world.clock.advance(2 * MINUTE);
      await world.invokeAsynchronously('registerTaskToken', {
        ...key,
        taskToken: 'of an attempt long given up',
        executionName: `${streamSessionId}-1`,
        generation: 1,
        phase: 'AWAITING_RECONNECTION',
        deadlineMs: world.clock.nowMs(),
        pendingSinceMs: world.clock.nowMs(),
        ackSeq: 0,
        waitNumber: 0,
        retryCount: 0,
      });
      await world.control.applicationExits(streamSessionId);
      await world.report({ ...key, ...session }, { status: 'TERMINATED' });
      return closed({ ...key, ...session });
    },
  },
  {
    name: 'the first answer is of no use, and a second offer saves the player',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      await world.report(session);
      await world.ask(session);
      await clock.advance(5 * SECOND);
      const answer = await world.ask(session);
      await control.clientConnects(session.streamSessionId, answer);
      await clock.advance(5 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'the session ends while its player is away, and a feed says so',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      await world.report(session);
      await clock.advance(3 * SECOND);
      await control.applicationExits(session.streamSessionId);
      await world.report(session, { status: 'TERMINATED' });
      return closed(session);
    },
  },
  {
    name: 'a second feed knows the timeout',
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 60 });
      const statusChangedAt = new Date(world.clock.nowMs()).toISOString();
      await world.report(session, { statusChangedAt, connectionTimeoutSeconds: undefined });
      await world.clock.advance(SECOND);
      await world.report(session, { statusChangedAt });
      await world.report(session, { statusChangedAt });
      return closed(session);
    },
  },
  {
    name: 'a signal that nobody has sent is sent by the next report',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      const statusChangedAt = new Date(clock.nowMs()).toISOString();
      await world.report(session, { statusChangedAt });
      await control.applicationExits(session.streamSessionId);
      await signalUnsent(world, session);
      await world.report(session, { statusChangedAt });
      return closed(session);
    },
  },
  {
    name: 'a player drops again before the window has seen them back',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      const { streamSessionId } = session;
      await world.report(session);
      await clock.advance(3 * SECOND);
      await world.reconnectDirectly(session);
      await control.clientConnects(streamSessionId);
      await clock.advance(3 * SECOND);
      await control.clientDrops(streamSessionId);
      await world.report(session);
      await control.clientConnects(streamSessionId, await world.ask(session));
      await clock.advance(3 * SECOND);
      return closed(session, [1, 2]);
    },
  },
  {
    name: 'a player drops again so soon that only the service can tell',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped({ connectionTimeoutSeconds: 60 });
      const { streamSessionId } = session;
      await world.report(session);
      await control.clientConnects(streamSessionId, await world.ask(session));
      await world.report(session, { status: 'CONNECTED' });
      await clock.advance(SECOND);
      await control.clientDrops(streamSessionId);
      await control.injectFault({ kind: 'throttling', operation: 'GetStreamSession', streamSessionId });
      await world.report(session);
      // A report that fails is repeated a minute later; whoever reports a second time is sooner.
      await clock.advance(SECOND);
      return closed(session, [1, 2]);
    },
  },
];
