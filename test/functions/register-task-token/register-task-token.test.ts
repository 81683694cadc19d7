import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  beginWait,
  registerTaskTokenInputSchema,
} from '../../../functions/register-task-token/register-task-token.ts';
import { signalWindow } from '../../../functions/shared/window/mailbox.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import { givenOpenWindow, windowOf } from '../../helpers/windows.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1, 12);

beforeEach(() => {
  stepFunctions.reset();
  stepFunctions.on(SendTaskSuccessCommand).resolves({});
});

function prepare() {
  const session = newSession();
  const log = memoryLog();
  const metrics = memoryMetrics();
  const stepFunctionsClient = new SFNClient({ region: 'us-west-2' });
  const dependencies = { table: table(), stepFunctions: stepFunctionsClient, log, metrics };
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
