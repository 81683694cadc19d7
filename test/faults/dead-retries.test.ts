import type { SessionRecord } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { type Expected, wrongsOf } from './verdict.ts';
import { ALL_RETRIES_MS, SECOND, startWorld, type World } from './world.ts';

/** Every attempt that Lambda makes of an asynchronous invocation. */
const ATTEMPTS = 3;

/** Who finds a window without an execution, when Lambda has given its event up. */
const FINDERS: readonly [
  string,
  (world: World, session: SessionRecord, droppedAt: string) => Promise<void>,
][] = [
  [
    'the next report of the same disconnect, or the dead letter sent again',
    (world, session, statusChangedAt) => world.report(session, { statusChangedAt }),
  ],
  [
    'any other event of the session',
    async (world, session) => {
      await world.control.applicationExits(session.streamSessionId);
      await world.report(session, { status: 'TERMINATED' });
    },
  ],
  ['the watcher', (world) => world.watch(2)],
];

async function startDropped() {
  const world = await startWorld({ environment: { WATCH_INTERVAL_SECONDS: '20' } });
  const session = await world.dropped({ connectionTimeoutSeconds: 600 });
  return { world, session, droppedAt: new Date(world.clock.nowMs()).toISOString() };
}

/** The one point of the function at which it starts an execution, as a clean run names it. */
const startOf = (functionKey: string, way: string) => `${functionKey}: ${way}: StartExecution`;

describe('a window whose report died before it had started the execution', () => {
  it.each(FINDERS)('is started by %s', async (_, find) => {
    const { world, session, droppedAt } = await startDropped();
    world.injector.start({
      point: startOf('onStatusChange', 'ensureOwner › ensureRunning'),
      occurrence: 1,
      times: 1,
      fault: 'KILLED_BEFORE',
    });
    // The queue hands the report over again after two minutes; the others may come sooner.
    await world.report(session, { statusChangedAt: droppedAt });
    expect(world.injector.hits).toBe(1);
    expect(await world.executionsOf(session)).toEqual([]);

    await find(world, session, droppedAt);

    await world.clock.advance(610 * SECOND);
    const expected: Expected = { session, outcomes: 1, phases: ['CLOSED'] };
    expect(await wrongsOf(world, expected)).toEqual([]);
  });
});

describe('a window that was replaced, and that every attempt has left without an execution', () => {
  it.each(FINDERS)('is started by %s', async (_, find) => {
    const { world, session, droppedAt } = await startDropped();
    await world.report(session, { statusChangedAt: droppedAt });
    // The first attempt dies after it has replaced the window; the others find it replaced.
    world.injector.start({
      point: startOf('onExecutionFailure', 'replaceDeadWindow › ensureRunning'),
      occurrence: 1,
      times: 1,
      fault: 'KILLED_BEFORE',
    });
    await world.stopExecution(session);
    expect(world.injector.hits).toBe(1);
    world.injector.start({
      point: startOf('onExecutionFailure', 'onExecutionFailure › ensureRunning'),
      occurrence: 1,
      times: ATTEMPTS - 1,
      fault: 'KILLED_BEFORE',
    });
    await world.clock.advance(ALL_RETRIES_MS);
    expect(world.injector.hits).toBe(ATTEMPTS - 1);
    expect((await world.executionsOf(session)).map(({ status }) => status)).toEqual(['ABORTED']);

    await find(world, session, droppedAt);

    await world.clock.advance(610 * SECOND);
    const expected: Expected = { session, outcomes: 1, phases: ['CLOSED'] };
    expect(await wrongsOf(world, expected)).toEqual([]);
  });
});
