import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { getWindow } from '../../../functions/get-window/get-window.ts';
import { recordOutcome } from '../../../functions/record-outcome/record-outcome.ts';
import { type SessionKey, windowReplySchema } from '../../../functions/shared/contracts/index.ts';
import type { SwitchState } from '../../../functions/shared/runtime/switch.ts';
import { registerTaskToken } from '../../../functions/shared/window/mailbox.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import {
  BUS_SETTINGS,
  givenClosedWindow,
  givenFailedWindow,
  givenOpenWindow,
  givenRunningWindow,
  OUTCOME_RETENTION_DAYS,
} from '../../helpers/windows.ts';

const table = useTable();
const eventBridge = mockClient(EventBridgeClient);
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1, 12);

beforeEach(() => {
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
});

async function get(session: SessionKey, nowMs = DISCONNECTED_AT_MS, switchState: SwitchState = 'on') {
  const log = memoryLog();
  const { statusCode, headers, body } = await getWindow(
    { session, requestId: 'request-1', body: '' },
    {
      table: table(),
      readSwitch: async () => switchState,
      clock: new VirtualClock(nowMs),
      log,
      settings: { AWS_REGION: 'us-west-2' },
    },
  );
  const reply: unknown = JSON.parse(body);
  return { statusCode, headers, reply, log };
}

it('a window that waits for the service says so, and what it waits for besides', async () => {
  const session = newSession();
  const { generation, deadlineMs } = await givenOpenWindow(table(), session, {
    disconnectedAtMs: DISCONNECTED_AT_MS,
    connectionTimeoutSeconds: 60,
  });
  await registerTaskToken(
    session,
    {
      taskToken: 'token',
      generation,
      phase: 'AWAITING_RECONNECTION',
      deadlineMs,
      pendingSinceMs: DISCONNECTED_AT_MS,
      ackSeq: 0,
      waitNumber: 1,
      retryCount: 0,
      serviceChecks: 1,
    },
    { table: table(), stepFunctions: new SFNClient({ region: 'us-west-2' }), log: memoryLog() },
  );

  const { reply } = await get(session, DISCONNECTED_AT_MS + 20_000);

  expect(windowReplySchema.parse(reply)).toMatchObject({
    phase: 'AWAITING_RECONNECTION',
    remainingSeconds: 40,
    waitingForService: true,
  });
});

const bus = () => new EventBridgeClient({ region: 'us-west-2' });

describe('the window of a session', () => {
  it('is told with its phase, its number, its deadline and what remains', async () => {
    const session = newSession();
    await givenOpenWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
      connectionTimeoutSeconds: 60,
    });

    const { statusCode, headers, reply, log } = await get(session, DISCONNECTED_AT_MS + 12_250);

    expect(statusCode).toBe(200);
    expect(headers).toEqual({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(reply).toEqual({
      phase: 'AWAITING_RECONNECTION',
      generation: 1,
      deadline: '2026-01-01T12:01:00.000Z',
      remainingSeconds: 47.75,
    });
    expect(log.lines).toEqual([
      {
        event: 'WindowRead',
        fields: { executionName: `${session.streamSessionId}-1`, phase: 'AWAITING_RECONNECTION' },
      },
    ]);
  });

  it.each(['passThrough', 'refuse'] as const)(
    'says so while the service is switched off: %s',
    async (state) => {
      const session = newSession();
      await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

      const { statusCode, reply } = await get(session, DISCONNECTED_AT_MS, state);

      expect(statusCode).toBe(200);
      expect(windowReplySchema.parse(reply)).toMatchObject({ phase: 'AWAITING_RECONNECTION', switch: state });
    },
  );

  it.each(['AWAITING_RECONNECTION', 'AWAITING_CLIENT', 'AWAITING_END'] as const)(
    'is in the phase that its execution waits in: %s',
    async (phase) => {
      const session = newSession();
      await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
      await registerTaskToken(
        session,
        {
          taskToken: 'a-task-token',
          generation: 1,
          phase,
          deadlineMs: DISCONNECTED_AT_MS + 200_000,
          pendingSinceMs: DISCONNECTED_AT_MS,
          ackSeq: 0,
          waitNumber: 0,
          retryCount: 0,
        },
        { table: table(), stepFunctions: new SFNClient({ region: 'us-west-2' }), log: memoryLog() },
      );

      const { reply } = await get(session);

      expect(reply).toEqual({
        phase,
        generation: 1,
        deadline: '2026-01-01T12:03:20.000Z',
        remainingSeconds: 200,
      });
      expect(JSON.stringify(reply)).not.toContain('a-task-token');
    },
  );

  it.each([0, 1, 3_600_000])(
    'never has less than nothing left, %i ms after its deadline',
    async (afterMs) => {
      const session = newSession();
      await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

      const { reply } = await get(session, DISCONNECTED_AT_MS + 120_000 + afterMs);

      expect(reply).toMatchObject({ remainingSeconds: 0 });
    },
  );

  it.each([
    ['RECONNECTED', 'RECONNECTED'],
    ['TERMINATED', 'UNKNOWN'],
    ['ERRORED', 'SERVICE'],
  ] as const)(
    'has its outcome and cause, and nothing left, once it is closed: %s',
    async (outcome, cause) => {
      const session = newSession();
      await givenClosedWindow(table(), session, {
        disconnectedAtMs: DISCONNECTED_AT_MS,
        outcome,
        outcomeAtMs: DISCONNECTED_AT_MS + 5000,
        eventBridge: bus(),
      });

      const { reply } = await get(session, DISCONNECTED_AT_MS + 6000);

      expect(reply).toEqual({
        phase: 'CLOSED',
        generation: 1,
        deadline: '2026-01-01T12:02:00.000Z',
        remainingSeconds: 0,
        outcome,
        cause,
      });
    },
  );

  it("has the service's reason where there is one", async () => {
    const session = newSession();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    await recordOutcome(
      {
        ...session,
        executionName: `${session.streamSessionId}-1`,
        generation: 1,
        ackSeq: 0,
        outcome: 'TERMINATED',
        statusReason: 'reconnectionTimeout',
        disconnectedAtMs: DISCONNECTED_AT_MS,
        endedAtMs: DISCONNECTED_AT_MS + 120_000,
        connectionAttempts: 0,
      },
      {
        table: table(),
        eventBridge: bus(),
        clock: new VirtualClock(DISCONNECTED_AT_MS),
        log: memoryLog(),
        metrics: memoryMetrics(),
        settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS },
      },
    );

    const { reply } = await get(session);

    expect(reply).toMatchObject({ outcome: 'TERMINATED', statusReason: 'reconnectionTimeout' });
    expect(windowReplySchema.strict().safeParse(reply).success).toBe(true);
  });

  it('that failed has nothing left and no outcome', async () => {
    const session = newSession();
    await givenFailedWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    const { reply } = await get(session);

    expect(reply).toEqual({
      phase: 'FAILED',
      generation: 1,
      deadline: '2026-01-01T12:02:00.000Z',
      remainingSeconds: 0,
    });
  });

  it('is the latest of them, without the outcome of the one before', async () => {
    const session = newSession();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
      outcome: 'RECONNECTED',
      outcomeAtMs: DISCONNECTED_AT_MS + 5000,
      eventBridge: bus(),
    });
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS + 60_000 });

    const { reply } = await get(session, DISCONNECTED_AT_MS + 60_000);

    expect(reply).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 2, remainingSeconds: 120 });
    expect(reply).not.toHaveProperty('outcome');
  });

  it("is 404 in the service's shape when there never was one", async () => {
    const { statusCode, headers, reply } = await get(newSession());

    expect(statusCode).toBe(404);
    expect(headers).toMatchObject({ 'x-amzn-errortype': 'ResourceNotFoundException' });
    expect(reply).toEqual({ Message: 'No reconnection window of this stream session is known.' });
  });

  it('is not known while the table does not answer', async () => {
    failNext(table(), 'GetItemCommand', 'BEFORE');

    await expect(get(newSession())).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
  });
});
