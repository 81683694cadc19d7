import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  beginWait,
  registerTaskTokenInputSchema,
} from '../../../functions/register-task-token/register-task-token.ts';
import { windowOpenedDetailSchema } from '../../../functions/shared/contracts/index.ts';
import { signalWindow } from '../../../functions/shared/window/mailbox.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import { BUS_SETTINGS, givenOpenWindow, windowOf } from '../../helpers/windows.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
const eventBridge = mockClient(EventBridgeClient);
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1, 12);

beforeEach(() => {
  stepFunctions.reset();
  stepFunctions.on(SendTaskSuccessCommand).resolves({});
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
});

function prepare() {
  const session = newSession();
  const log = memoryLog();
  const metrics = memoryMetrics();
  const stepFunctionsClient = new SFNClient({ region: 'us-west-2' });
  const dependencies = {
    table: table(),
    stepFunctions: stepFunctionsClient,
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    settings: BUS_SETTINGS,
    log,
    metrics,
  };
  const input = {
    ...session,
    executionName: `${session.streamSessionId}-1`,
    taskToken: 'the-task-token',
    generation: 1,
    phase: 'AWAITING_CLIENT' as const,
    deadlineMs: DISCONNECTED_AT_MS + 200_000,
    pendingSinceMs: DISCONNECTED_AT_MS + 80_000,
    ackSeq: 0,
    waitNumber: 3,
    retryCount: 2,
  };
  return { session, log, metrics, dependencies, input };
}

describe('a wait for the service', () => {
  it('is known to the window until its next wait, and is counted once in a row', async () => {
    const { session, metrics, dependencies, input } = prepare();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    await beginWait({ ...input, retryCount: 0, serviceChecks: 1 }, dependencies);
    expect(await windowOf(table(), session)).toMatchObject({ serviceChecks: 1, phase: 'AWAITING_CLIENT' });
    await beginWait({ ...input, waitNumber: 4, serviceChecks: 2 }, dependencies);
    expect(await windowOf(table(), session)).toMatchObject({ serviceChecks: 2 });
    await beginWait({ ...input, waitNumber: 5 }, dependencies);

    expect(await windowOf(table(), session)).not.toHaveProperty('serviceChecks');
    expect(metrics.values).toEqual([{ name: 'WindowsWaitingForService', value: 1 }]);
  });

  it('is not counted again by a repeat of its task', async () => {
    const { session, metrics, dependencies, input } = prepare();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    await beginWait({ ...input, retryCount: 1, serviceChecks: 1 }, dependencies);

    expect(metrics.values).toEqual([]);
  });
});

describe('a wait that begins', () => {
  it('is known to the window: its token, its phase, its deadline, and that the execution runs', async () => {
    const { session, log, dependencies, input } = prepare();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    expect(await beginWait(input, dependencies)).toBeUndefined();

    expect(await windowOf(table(), session)).toMatchObject({
      taskToken: 'the-task-token',
      phase: 'AWAITING_CLIENT',
      deadlineMs: DISCONNECTED_AT_MS + 200_000,
      pendingSinceMs: DISCONNECTED_AT_MS + 80_000,
      waitOrder: 3002,
      running: true,
    });
    expect(stepFunctions.calls()).toHaveLength(0);
    expect(JSON.stringify(log.lines)).not.toContain('the-task-token');
  });

  it('is woken up at once by what was signalled before and not seen yet', async () => {
    const { session, dependencies, input } = prepare();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    await signalWindow(session, { id: 'event-1' }, dependencies);

    await beginWait(input, dependencies);
    await beginWait({ ...input, waitNumber: 4, ackSeq: 1 }, dependencies);

    expect(
      stepFunctions.commandCalls(SendTaskSuccessCommand).map(({ args: [{ input: sent }] }) => sent),
    ).toEqual([
      {
        taskToken: 'the-task-token',
        output: '{"seq":1,"connectionCreatedAtMs":0,"connectionAttempts":0}',
      },
    ]);
  });

  it('is in no phase that a window ends in', () => {
    const { input } = prepare();

    expect(registerTaskTokenInputSchema.safeParse(input).success).toBe(true);
    for (const phase of ['CLOSED', 'FAILED']) {
      expect(registerTaskTokenInputSchema.safeParse({ ...input, phase }).success).toBe(false);
    }
  });
});

describe('a deadline that receivers of events do not know', () => {
  const executionArn = 'arn:aws:states:us-west-2:111122223333:execution:reconnection-window:x-1';
  const announced = () =>
    eventBridge
      .commandCalls(PutEventsCommand)
      .flatMap(({ args: [{ input }] }) => input.Entries ?? [])
      .map(({ Detail = '' }) => windowOpenedDetailSchema.parse(JSON.parse(Detail)));

  it('is announced before the wait begins, in an order that its sequence tells', async () => {
    const { session, dependencies, input } = prepare();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS, reportedBy: 'API' });

    await beginWait({ ...input, executionArn, toldDeadlineMs: 0 }, dependencies);
    const later = { ...input, deadlineMs: input.deadlineMs + 60_000, waitNumber: 4, retryCount: 0 };
    await beginWait({ ...later, executionArn, toldDeadlineMs: input.deadlineMs }, dependencies);

    expect(announced()).toMatchObject([
      { ...session, generation: 1, deadline: '2026-01-01T12:03:20.000Z', reportedBy: 'API' },
      { ...session, generation: 1, deadline: '2026-01-01T12:04:20.000Z', reportedBy: 'API' },
    ]);
    const [first = 0, second = 0] = announced().map(({ sequence }) => sequence);
    expect(second).toBeGreaterThan(first);
  });

  it.each([
    ['is known', { toldDeadlineMs: DISCONNECTED_AT_MS + 200_000 }],
    ['differs by no more than two clocks do', { toldDeadlineMs: DISCONNECTED_AT_MS + 198_000 }],
    ['is of a session that is ending', { toldDeadlineMs: 0, phase: 'AWAITING_END' as const }],
    ['comes from a definition that does not say what is known', {}],
  ])('is not announced where it %s', async (_, overrides) => {
    const { session, dependencies, input } = prepare();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    await beginWait({ ...input, executionArn, ...overrides }, dependencies);

    expect(announced()).toEqual([]);
  });

  it("is left to the state's Retry while the bus is away, and the wait has not begun by then", async () => {
    const { session, dependencies, input } = prepare();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    await signalWindow(session, { id: 'event-1' }, dependencies);
    eventBridge.on(PutEventsCommand).resolvesOnce({ FailedEntryCount: 1 }).resolves({ FailedEntryCount: 0 });
    const wait = { ...input, executionArn, toldDeadlineMs: 0 };

    await expect(beginWait(wait, dependencies)).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });
    expect(stepFunctions.calls()).toHaveLength(0);
    await beginWait({ ...wait, retryCount: 3 }, dependencies);

    expect(stepFunctions.calls()).toHaveLength(1);
    expect(announced()).toHaveLength(2);
  });
});
