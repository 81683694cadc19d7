import { SECOND, startWorld } from '../world.ts';
import { hasFailedBefore, openUnstarted } from './left-behind.ts';
import { closed, type Scenario, startDeaf } from './scenario.ts';

export const WATCHER: readonly Scenario[] = [
  {
    name: 'the watcher finds a disconnect, and sees the player back whom another caller has saved',
    start: () => startWorld({ environment: { WATCH_INTERVAL_SECONDS: '20' } }),
    play: async (world) => {
      await world.control.injectFault({ kind: 'throttling', operation: 'ListStreamSessions' });
      const session = await world.dropped();
      // The next look finds what one has missed; the next watcher, what one has not lived to see.
      await world.watch(2);
      await world.reconnectDirectly(session);
      await world.control.clientConnects(session.streamSessionId);
      await world.watch(3);
      return closed(session);
    },
  },
  {
    name: 'the watcher finds its stream group by a tag, and a disconnect in it',
    start: () =>
      startWorld({
        environment: { WATCH_INTERVAL_SECONDS: '20', WATCHED_STREAM_GROUPS: 'tag:reconnect=yes' },
      }),
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 120 });
      await world.control.changeStreamGroup(session.streamGroupId, { tags: { reconnect: 'yes' } });
      await world.watch(3);
      return closed(session);
    },
  },
  {
    name: 'the watcher notes that the default is the timeout of the session that it found',
    start: () => startWorld({ environment: { WATCH_INTERVAL_SECONDS: '20' } }),
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 120 });
      await world.watch(3);
      return closed(session);
    },
  },
  {
    name: 'the watcher starts a window that nobody has started',
    start: () => startWorld({ environment: { WATCH_INTERVAL_SECONDS: '20' } }),
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 60 });
      await openUnstarted(world, session);
      await world.watch(3);
      return closed(session);
    },
  },
  {
    name: 'the watcher wakes a window that waits for the service, which is back',
    start: () => startWorld({ environment: { WATCH_INTERVAL_SECONDS: '20' } }),
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      const { streamSessionId } = session;
      await world.report(session);
      const untilMs = clock.nowMs() + 200 * SECOND;
      await control.injectFault({
        kind: 'internalServer',
        operation: 'GetStreamSession',
        streamSessionId,
        untilMs,
      });
      await clock.advance(200 * SECOND);
      await world.watch(2);
      return closed(session);
    },
  },
  {
    name: 'a window whose function is denied the read waits for the permission',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      await world.report(session);
      await clock.advance(5 * SECOND);
      await control.injectFault({
        kind: 'accessDenied',
        operation: 'GetStreamSession',
        streamSessionId: session.streamSessionId,
        untilMs: clock.nowMs() + 30 * SECOND,
      });
      await clock.advance(100 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'the watcher replaces a window whose execution was stopped without a word',
    start: startDeaf,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.stopExecution(session);
      await world.control.applicationExits(session.streamSessionId);
      await world.watch(4);
      return closed(session);
    },
  },
  {
    name: 'the watcher closes a window whose executions have failed four times in a row',
    start: startDeaf,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.stopExecution(session);
      await hasFailedBefore(world, session, 3);
      await world.control.applicationExits(session.streamSessionId);
      await world.watch(4);
      // What delays the window's opening spares it the stop.
      return { session, outcomes: [0, 1], phases: ['FAILED', 'CLOSED'] };
    },
  },
];
