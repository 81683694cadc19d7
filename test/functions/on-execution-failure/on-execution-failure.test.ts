import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { onExecutionFailure } from '../../../functions/on-execution-failure/on-execution-failure.ts';
import { recordFailure } from '../../../functions/record-failure/record-failure.ts';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { windowExecutionName } from '../../../functions/shared/contracts/names.ts';
import {
  ContentionException,
  DependencyUnavailableException,
} from '../../../functions/shared/runtime/errors.ts';
import { signalWindow } from '../../../functions/shared/window/mailbox.ts';
import { delayNext, failNext, raceReads } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import {
  BUS_SETTINGS,
  givenClosedWindow,
  givenRunningWindow,
  OUTCOME_RETENTION_DAYS,
  WINDOW_SETTINGS,
  windowOf,
} from '../../helpers/windows.ts';

const table = useTable();
const sfn = mockClient(SFNClient);
const bus = mockClient(EventBridgeClient);
const stepFunctions = new SFNClient({ region: 'us-west-2' });
const eventBridge = new EventBridgeClient({ region: 'us-west-2' });
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1, 12);
const NOW_MS = DISCONNECTED_AT_MS + 20_000;
const MACHINE = 'arn:aws:states:us-west-2:000000000000:stateMachine:reconnection-window';

beforeEach(() => {
  sfn.reset();
  sfn.on(StartExecutionCommand).resolves({ executionArn: 'arn' });
  bus.reset();
  bus.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
});

function prepare(session: SessionKey = newSession()) {
  const log = memoryLog();
  const metrics = memoryMetrics();
  const settings = {
    ...WINDOW_SETTINGS,
    ...BUS_SETTINGS,
    OUTCOME_RETENTION_DAYS,
    RECONNECTION_WINDOW_ARN: MACHINE,
  };
  const dependencies = {
    table: table(),
    stepFunctions,
    eventBridge,
    clock: new VirtualClock(NOW_MS),
    log,
    metrics,
    settings,
  };
  return {
    session,
    log,
    metrics,
    dependencies,
    handle: (generation = 1) => {
      const executionName = windowExecutionName(session, generation);
      const execution = { ...session, generation, executionName, status: 'ABORTED' as const };
      return onExecutionFailure(execution, dependencies);
    },
    openWindow: () => givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS }),
    /** What RecordFailure leaves behind. */
    closeRed: (error: string, generation = 1) =>
      recordFailure(
        { ...session, executionName: windowExecutionName(session, generation), generation, error },
        dependencies,
      ),
    starts: () => sfn.commandCalls(StartExecutionCommand).map(({ args }) => args[0].input),
  };
}

describe('the window of a failed execution', () => {
  it.each([
    ['that is open still', undefined],
    ['that was closed red by a task that failed', 'UnexpectedError'],
  ])('%s is replaced by the next, which asks the service first', async (_, error) => {
    const { session, handle, openWindow, closeRed, starts, log } = prepare();
    await openWindow();
    if (error !== undefined) await closeRed(error);

    expect(await handle()).toEqual({ result: 'WINDOW_REPLACED' });

    const window = await windowOf(table(), session);
    expect(window).toMatchObject({
      generation: 2,
      phase: 'AWAITING_RECONNECTION',
      disconnectedAtMs: DISCONNECTED_AT_MS,
      seq: 1,
      failedBefore: 1,
    });
    expect(starts()).toEqual([
      { stateMachineArn: MACHINE, name: `${session.streamSessionId}-2`, input: window.executionInput },
    ]);
    expect(JSON.parse(window.executionInput)).toMatchObject({ notBeforeMs: NOW_MS });
    expect(log.lines).toContainEqual({
      event: 'ExecutionFailed',
      fields: { generation: 1, status: 'ABORTED' },
    });
    const executionName = `${session.streamSessionId}-2`;
    expect(log.lines.slice(-2)).toEqual([
      { event: 'WindowReplaced', fields: { generation: 1, replacement: 2 } },
      { event: 'WindowStarted', fields: { executionName, generation: 2 } },
    ]);
  });

  it('is replaced after 0, 5 and 30 s, and then closed red', async () => {
    const { session, handle, openWindow, log, metrics } = prepare();
    await openWindow();
    const delays: number[] = [];

    for (let generation = 1; generation <= 3; generation++) {
      expect(await handle(generation)).toEqual({ result: 'WINDOW_REPLACED' });
      const input: unknown = JSON.parse((await windowOf(table(), session)).executionInput);
      if (typeof input === 'object' && input !== null && 'notBeforeMs' in input)
        delays.push(Number(input.notBeforeMs) - NOW_MS);
    }

    expect(delays).toEqual([0, 5000, 30_000]);
    expect(await handle(4)).toEqual({ result: 'WINDOW_GIVEN_UP' });
    expect(await handle(4)).toEqual({ result: 'WINDOW_GIVEN_UP' });
    expect(metrics.values.map(({ name }) => name)).toEqual([
      'WindowsReplaced',
      'WindowsReplaced',
      'WindowsReplaced',
      'WindowsFailed',
    ]);
    expect(await windowOf(table(), session)).toMatchObject({
      generation: 4,
      phase: 'FAILED',
      failure: 'ExecutionDied',
    });
    expect(log.lines).toContainEqual({
      event: 'WindowFailed',
      fields: { generation: 4, error: 'ExecutionDied' },
    });
    expect(log.lines.at(-1)).toEqual({ event: 'WindowGivenUp', fields: { generation: 4, failedBefore: 3 } });
  });

  it.each(['SessionNotFound', 'SessionNotEnded', 'UnexpectedSessionStatus'])(
    'that was closed red by a verdict (%s) stays closed',
    async (error) => {
      const { session, handle, openWindow, closeRed, starts } = prepare();
      await openWindow();
      await closeRed(error);

      expect(await handle()).toEqual({ result: 'VERDICT_STANDS' });

      expect(await windowOf(table(), session)).toMatchObject({ generation: 1, phase: 'FAILED' });
      expect(starts()).toEqual([]);
    },
  );

  it.each(['RECONNECTED', 'TERMINATED', 'ERRORED'] as const)(
    'that was closed with its outcome %s stays so, and the record is finished',
    async (outcome) => {
      const { session, handle, starts } = prepare();
      await givenClosedWindow(table(), session, {
        disconnectedAtMs: DISCONNECTED_AT_MS,
        outcome,
        outcomeAtMs: NOW_MS - 1000,
        eventBridge,
      });
      const before = await windowOf(table(), session);
      const [first] = bus.commandCalls(PutEventsCommand);

      expect(await handle()).toEqual({ result: 'OUTCOME_RECORDED' });

      expect(await windowOf(table(), session)).toEqual(before);
      expect(bus.commandCalls(PutEventsCommand)[1]?.args[0].input).toEqual(first?.args[0].input);
      expect(starts()).toEqual([]);
    },
  );

  it('is left alone when a later one has its place, which is started where nobody has', async () => {
    const { session, handle, openWindow, starts } = prepare();
    await openWindow();
    await handle();
    const replaced = await windowOf(table(), session);

    expect(await handle()).toEqual({ result: 'LATER_WINDOW' });

    expect(await windowOf(table(), session)).toEqual(replaced);
    // The same name with the same input is the same execution.
    expect(starts()).toEqual([starts()[0], starts()[0]]);
  });

  it('is left alone when the later one has ended by now', async () => {
    const { session, handle, openWindow } = prepare();
    await openWindow();
    await handle();
    sfn.on(StartExecutionCommand).rejects(new ExecutionAlreadyExists({ message: '', $metadata: {} }));

    expect(await handle()).toEqual({ result: 'LATER_WINDOW' });
    expect(await windowOf(table(), session)).toMatchObject({ generation: 2 });
  });

  it('is left alone when the later one has ended before it was known to run', async () => {
    const { handle, openWindow, closeRed, starts } = prepare();
    await openWindow();
    await handle();
    await closeRed('SessionNotFound', 2);

    expect(await handle()).toEqual({ result: 'LATER_WINDOW' });

    expect(starts()).toHaveLength(1);
  });

  it('that the table knows an older window instead of is nobody’s', async () => {
    const { session, handle, openWindow, starts } = prepare();
    const older = await openWindow();

    expect(await handle(2)).toEqual({ result: 'NO_WINDOW' });

    expect(await windowOf(table(), session)).toEqual(older);
    expect(starts()).toEqual([]);
  });

  it('that never was is nobody’s', async () => {
    const { handle, starts } = prepare();

    expect(await handle()).toEqual({ result: 'NO_WINDOW' });
    expect(starts()).toEqual([]);
  });
});

describe('a failure on the way', () => {
  it('is made good by the next attempt, when the start has failed', async () => {
    const { session, handle, openWindow, starts } = prepare();
    await openWindow();
    sfn.on(StartExecutionCommand).rejectsOnce(Object.assign(new Error('down'), { name: 'TimeoutError' }));

    await expect(handle()).rejects.toThrow(DependencyUnavailableException);
    expect(await handle()).toEqual({ result: 'LATER_WINDOW' });

    expect(await windowOf(table(), session)).toMatchObject({ generation: 2 });
    expect(starts()).toHaveLength(2);
  });

  it.each(['BEFORE', 'AFTER'] as const)(
    'is made good by the next attempt, when the table fails %s the write',
    async (when) => {
      const { session, handle, openWindow, starts } = prepare();
      await openWindow();
      failNext(table(), 'PutItemCommand', when);

      await expect(handle()).rejects.toThrow(DependencyUnavailableException);
      await handle();

      expect(await windowOf(table(), session)).toMatchObject({ generation: 2 });
      expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-2` }]);
    },
  );

  it('is left to the next attempt when something is signalled between each of five reads and its write', async () => {
    const { session, handle, openWindow, dependencies } = prepare();
    await openWindow();
    const reads = raceReads(table(), 8, (read) => signalWindow(session, { id: `${read}` }, dependencies));

    await expect(handle()).rejects.toThrow(ContentionException);

    expect(reads()).toBe(5);
    expect(await windowOf(table(), session)).toMatchObject({ generation: 1 });
  });

  it('does not lose what is signalled between its read and its write', async () => {
    const { session, handle, openWindow, dependencies } = prepare();
    await openWindow();
    delayNext(table(), 'GetItemCommand', async () => {
      await signalWindow(
        session,
        { id: 'connection', connection: { createdAtMs: NOW_MS - 1, attempts: 2 } },
        dependencies,
      );
    });

    expect(await handle()).toEqual({ result: 'WINDOW_REPLACED' });

    expect(await windowOf(table(), session)).toMatchObject({
      generation: 2,
      connectionCreatedAtMs: NOW_MS - 1,
      connectionAttempts: 2,
    });
  });
});
