import { recordOutcomeInputSchema } from '../../../functions/record-outcome/record-outcome.ts';
import { replaceWindow } from '../../../functions/shared/window/open-window.ts';
import { executionFailureEvent } from '../../helpers/execution-failure.ts';
import { WINDOW_SETTINGS, windowOf } from '../../helpers/windows.ts';
import { MINUTE, SECOND, startWorld, type World } from '../world.ts';
import { recordHalf } from './left-behind.ts';
import { closed, type Scenario } from './scenario.ts';

const HEARD = 'heard';

export const EXECUTIONS: readonly Scenario[] = [
  {
    name: 'an execution is stopped, and the player comes back in the next one',
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(10 * SECOND);
      await world.stopExecution(session);
      await world.clock.advance(10 * SECOND);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      await world.clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'an execution fails between the two halves of its record',
    start: async () => {
      const isCut = new Set<string>();
      const world = await startWorld({
        before: async (functionKey, payload) => {
          if (functionKey !== 'recordOutcome') return;
          const input = recordOutcomeInputSchema.parse(payload);
          if (isCut.has(input.executionName)) return;
          isCut.add(input.executionName);
          await recordHalf(world, input);
          throw new Error('a bug');
        },
      });
      return world;
    },
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      await world.report(session);
      return { ...closed(session), redEnds: 1 };
    },
  },
  {
    name: 'the event of a failed execution comes without its input',
    start: startDeafOnBus,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.stopExecution(session);
      const executionArn = world.executionArnOf(session, 1);
      const event = executionFailureEvent(session, 1, { executionArn, input: null });
      await world.invokeAsynchronously('onExecutionFailure', { ...event, id: HEARD });
      await world.control.applicationExits(session.streamSessionId);
      await world.report(session, { status: 'TERMINATED' });
      return closed(session);
    },
  },
  {
    name: 'whoever has replaced a window has died before starting the next execution',
    start: startDeafOnBus,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      const { streamGroupId, streamSessionId } = session;
      await world.report(session);
      // By then the window is there, even if the first attempt to open it has died.
      await world.clock.advance(2 * MINUTE);
      await world.stopExecution(session);
      const key = { streamGroupId, streamSessionId };
      const dead = await windowOf(world.table, key);
      if (dead.generation === 1 && dead.running) {
        await replaceWindow(world.table, key, dead, WINDOW_SETTINGS, world.clock.nowMs());
      }
      await world.invokeAsynchronously('onExecutionFailure', {
        ...executionFailureEvent(session),
        id: HEARD,
      });
      return closed(session);
    },
  },
  {
    name: 'an execution is stopped four times, and its session is reported again later',
    hasNoRetryLeft: true,
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 3600 });
      const statusChangedAt = new Date(world.clock.nowMs()).toISOString();
      await world.report(session, { statusChangedAt });
      for (let stops = 0; stops < 4; stops++) {
        await world.clock.advance(4 * MINUTE);
        await world.stopExecution(session);
      }
      await world.clock.advance(15 * MINUTE);
      await world.report(session, { statusChangedAt });
      await world.clock.advance(4 * MINUTE);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      return closed(session);
    },
  },
];

/** Hears of a failed execution only from a scenario itself. */
async function startDeafOnBus(): Promise<World> {
  return startWorld({
    before: (functionKey, payload) => {
      const isHeard = JSON.stringify(payload).includes(`"id":"${HEARD}"`);
      if (functionKey === 'onExecutionFailure' && !isHeard) throw new Error('lost');
    },
  });
}
