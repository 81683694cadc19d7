import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient, GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import {
  ExecutionAlreadyExists,
  ExecutionLimitExceeded,
  SendTaskSuccessCommand,
  SFNClient,
  SFNServiceException,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { onStatusChange } from '../../../functions/on-status-change/on-status-change.ts';
import { parseStatusChangeEvent } from '../../../functions/on-status-change/parse-event.ts';
import type { StreamSessionStatus } from '../../../functions/shared/contracts.ts';
import { VirtualClock } from '../../../local/shared/virtual-clock.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { type StatusChange, statusChangeEvent } from '../../helpers/status-change.ts';
import { allItems, useTable } from '../../helpers/table.ts';
import {
  BUS_SETTINGS,
  givenClosedWindow,
  givenFailedWindow,
  givenOpenWindow,
  givenRunningWindow,
  WINDOW_SETTINGS,
  windowOf,
} from '../../helpers/windows.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
const eventBridge = mockClient(EventBridgeClient);
const gameLiftStreams = mockClient(GameLiftStreamsClient);
const region = 'us-west-2';
const RECONNECTION_WINDOW_ARN = 'arn:aws:states:us-west-2:111122223333:stateMachine:reconnection-window';
const NOW_MS = Date.UTC(2026, 0, 1, 12);
const DISCONNECTED_AT_MS = NOW_MS - 3000;

beforeEach(() => {
  for (const mock of [stepFunctions, eventBridge, gameLiftStreams]) mock.reset();
  stepFunctions
    .on(StartExecutionCommand)
    .resolves({ executionArn: 'arn:execution', startDate: new Date(NOW_MS) })
    .on(SendTaskSuccessCommand)
    .resolves({});
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
});

function prepare(nowMs = NOW_MS) {
  const log = memoryLog();
  const dependencies = {
    table: table(),
    stepFunctions: new SFNClient({ region }),
    eventBridge: new EventBridgeClient({ region }),
    gameLiftStreams: new GameLiftStreamsClient({ region }),
    clock: new VirtualClock(nowMs),
    random: () => 0,
    log,
    settings: { ...BUS_SETTINGS, ...WINDOW_SETTINGS, RECONNECTION_WINDOW_ARN, READS_PER_SECOND: 1000 },
  };
  const send = (raw: unknown) => onStatusChange(parseStatusChangeEvent(raw, nowMs), dependencies);
  const report = (change: Omit<StatusChange, 'atMs'> & { readonly atMs?: number }) =>
    send(statusChangeEvent({ atMs: DISCONNECTED_AT_MS, ...change }));
  return { log, dependencies, send, report };
}

const starts = () => stepFunctions.commandCalls(StartExecutionCommand).map(({ args: [{ input }] }) => input);
const signals = () =>
  stepFunctions.commandCalls(SendTaskSuccessCommand).map(({ args: [{ input }] }) => ({
    token: input.taskToken,
    state: JSON.parse(input.output ?? 'null'),
  }));
const published = () =>
  eventBridge.commandCalls(PutEventsCommand).flatMap(({ args: [{ input }] }) => input.Entries ?? []);

/** What any reporter must leave as it was. */
const nothingHappened = () => {
  expect(starts()).toEqual([]);
  expect(signals()).toEqual([]);
  expect(published()).toEqual([]);
};

describe('the first report of a disconnect', () => {
  it('opens the window and starts its execution with the input that the item holds', async () => {
    const session = newSession();
    const { report, log } = prepare();

    const result = await report({ session, detail: { connectionTimeoutSeconds: 60 } });

    expect(result).toEqual({ result: 'WINDOW_OPENED' });
    const window = await windowOf(table(), session);
    expect(starts()).toEqual([
      {
        stateMachineArn: RECONNECTION_WINDOW_ARN,
        name: `${session.streamSessionId}-1`,
        input: window.executionInput,
      },
    ]);
    expect(JSON.parse(window.executionInput)).toMatchObject({
      ...session,
      generation: 1,
      disconnectedAtMs: DISCONNECTED_AT_MS,
      deadlineMs: DISCONNECTED_AT_MS + 60_000,
    });
    expect(log.lines.map(({ event }) => event)).toEqual(['WindowOpened', 'WindowStarted']);
    for (const { fields } of log.lines) {
      expect(fields).toMatchObject({ ...session, executionName: `${session.streamSessionId}-1` });
    }
  });

  it('asks the service nothing: a thousand windows open at once', async () => {
    const { report } = prepare();

    await report({ session: newSession() });

    expect(gameLiftStreams.calls()).toHaveLength(0);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ["the event's timeout", { connectionTimeoutSeconds: 10 }, 10_000],
    ['the default timeout', {}, 120_000],
    [
      "the session's end",
      { sessionEndsAt: new Date(DISCONNECTED_AT_MS + 5000).toISOString(), connectionTimeoutSeconds: 60 },
      5000,
    ],
  ])('sets the deadline by %s', async (_, detail, expectedMs) => {
    const session = newSession();

    await prepare().report({ session, detail });

    expect((await windowOf(table(), session)).deadlineMs - DISCONNECTED_AT_MS).toBe(expectedMs);
  });

  it("takes a disconnect that is ahead of this clock for one of now: its sender's clock is fast", async () => {
    const session = newSession();

    await prepare().report({ session, atMs: NOW_MS + 60_000 });

    expect((await windowOf(table(), session)).disconnectedAtMs).toBe(NOW_MS);
  });
});

describe('a process that dies between opening and starting', () => {
  it('has failed in a way that is retried, and the repeat starts the same execution', async () => {
    const session = newSession();
    const { send, log } = prepare();
    const event = statusChangeEvent({ session, atMs: DISCONNECTED_AT_MS });
    stepFunctions
      .on(StartExecutionCommand)
      .rejectsOnce(
        new SFNServiceException({
          name: 'ServiceUnavailable',
          $fault: 'server',
          message: 'down',
          $metadata: { httpStatusCode: 503 },
        }),
      )
      .resolves({});

    await expect(send(event)).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
    const result = await send(event);

    expect(result).toEqual({ result: 'DUPLICATE' });
    const [first, second, ...more] = starts();
    expect(first).toMatchObject({ name: `${session.streamSessionId}-1` });
    expect(second).toEqual(first);
    expect(more).toEqual([]);
    expect(log.lines.filter(({ event: name }) => name === 'WindowStarted')).toHaveLength(1);
  });

  it('is made good by another feed whose report says otherwise, with the input of the first', async () => {
    const session = newSession();
    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    const { report } = prepare();

    await report({ session, atMs: DISCONNECTED_AT_MS + 700, detail: { connectionTimeoutSeconds: 30 } });

    const { executionInput } = await windowOf(table(), session);
    expect(starts().map(({ input }) => input)).toEqual([executionInput]);
    expect(JSON.parse(executionInput)).toMatchObject({
      disconnectedAtMs: DISCONNECTED_AT_MS,
      connectionTimeoutSeconds: 120,
    });
  });

  it('is made good by a report of another status, too', async () => {
    const session = newSession();
    const { executionInput } = await givenOpenWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
    });
    const { report } = prepare();

    expect(await report({ session, status: 'TERMINATED' })).toEqual({ result: 'WINDOW_SIGNALLED' });

    expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-1`, input: executionInput }]);
  });

  it('leaves no window when it dies before the write, and one when after', async () => {
    const [before, after] = [newSession(), newSession()];
    const { report } = prepare();
    failNext(table(), 'PutItemCommand', 'BEFORE');
    await expect(report({ session: before })).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });
    failNext(table(), 'PutItemCommand', 'AFTER');
    await expect(report({ session: after })).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });
    nothingHappened();

    expect(await report({ session: before })).toEqual({ result: 'WINDOW_OPENED' });
    expect(await report({ session: after })).toEqual({ result: 'DUPLICATE' });

    expect(starts().map(({ name }) => name)).toEqual([
      `${before.streamSessionId}-1`,
      `${after.streamSessionId}-1`,
    ]);
  });
});

describe('a start that Step Functions refuses', () => {
  it('counts as made when the name exists: an earlier start has worked', async () => {
    const session = newSession();
    stepFunctions
      .on(StartExecutionCommand)
      .rejects(new ExecutionAlreadyExists({ message: 'exists', $metadata: { httpStatusCode: 400 } }));
    const { report, log } = prepare();

    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });
    expect(log.lines.map(({ event }) => event)).not.toContain('WindowStarted');
  });

  it.each([
    [
      new ExecutionLimitExceeded({ message: '', $metadata: { httpStatusCode: 400 } }),
      'DependencyUnavailableException',
    ],
    [new StateMachineDoesNotExist({ message: '', $metadata: { httpStatusCode: 400 } }), 'UnexpectedError'],
  ])('is thrown on for the next attempt: %s', async (error, name) => {
    stepFunctions.on(StartExecutionCommand).rejects(error);

    await expect(prepare().report({ session: newSession() })).rejects.toMatchObject({ name });
  });
});

describe('a repeated report', () => {
  it('changes nothing once the window runs', async () => {
    const session = newSession();
    const window = await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    const { report } = prepare();

    for (const offsetMs of [-2000, 0, 0, 2000]) {
      expect(await report({ session, atMs: DISCONNECTED_AT_MS + offsetMs })).toEqual({ result: 'DUPLICATE' });
    }

    nothingHappened();
    expect(await windowOf(table(), session)).toEqual(window);
  });

  it('opens one window when twenty come at once', async () => {
    const session = newSession();
    const { report } = prepare();

    const results = await Promise.all(Array.from({ length: 20 }, () => report({ session })));

    expect(results.filter(({ result }) => result === 'WINDOW_OPENED')).toHaveLength(1);
    expect(results.filter(({ result }) => result === 'DUPLICATE')).toHaveLength(19);
    const { generation, executionInput } = await windowOf(table(), session);
    expect(generation).toBe(1);
    expect(new Set(starts().map((input) => JSON.stringify(input)))).toEqual(
      new Set([
        JSON.stringify({
          stateMachineArn: RECONNECTION_WINDOW_ARN,
          name: `${session.streamSessionId}-1`,
          input: executionInput,
        }),
      ]),
    );
  });
});

describe('a later disconnect while the window is open', () => {
  it('signals it, once for one event', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS - 60_000 });
    const { send } = prepare();
    const event = statusChangeEvent({ session, atMs: DISCONNECTED_AT_MS });

    expect(await send(event)).toEqual({ result: 'WINDOW_SIGNALLED' });
    expect(await send(event)).toEqual({ result: 'WINDOW_SIGNALLED' });

    expect(signals().map(({ state }) => state)).toMatchObject([{ seq: 1 }, { seq: 1 }]);
    expect(await windowOf(table(), session)).toMatchObject({ generation: 1, seq: 1 });
    expect(starts()).toEqual([]);
  });

  it('is told from a late report of the first by more than the clocks may differ', async () => {
    const [later, same] = [newSession(), newSession()];
    for (const session of [later, same]) {
      await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS - 10_000 });
    }
    const { report } = prepare();

    expect(await report({ session: same, atMs: DISCONNECTED_AT_MS - 8000 })).toEqual({ result: 'DUPLICATE' });
    expect(await report({ session: later, atMs: DISCONNECTED_AT_MS - 7999 })).toEqual({
      result: 'WINDOW_SIGNALLED',
    });
  });
});

describe('a report of another status', () => {
  const others: StreamSessionStatus[] = [
    'ACTIVATING',
    'ACTIVE',
    'CONNECTED',
    'RECONNECTING',
    'TERMINATING',
    'TERMINATED',
    'ERROR',
  ];

  it.each(others)('wakes the open window up: %s', async (status) => {
    const session = newSession();
    const { taskToken, ...window } = await givenRunningWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
    });

    expect(await prepare().report({ session, status })).toEqual({ result: 'WINDOW_SIGNALLED' });

    expect(signals()).toEqual([
      { token: taskToken, state: { seq: 1, connectionCreatedAtMs: 0, connectionAttempts: 0 } },
    ]);
    // A hint only: the outcome is the execution's to find out.
    expect(await windowOf(table(), session)).toEqual({ ...window, taskToken, seq: 1 });
  });

  it.each(others)('is ignored where no window is open: %s', async (status) => {
    const [unknown, ended] = [newSession(), newSession()];
    const { report, dependencies } = prepare();
    const window = await givenClosedWindow(table(), ended, {
      disconnectedAtMs: DISCONNECTED_AT_MS - 60_000,
      outcome: 'RECONNECTED',
      outcomeAtMs: DISCONNECTED_AT_MS - 30_000,
      eventBridge: dependencies.eventBridge,
    });
    eventBridge.resetHistory();

    expect(await report({ session: unknown, status })).toEqual({ result: 'NO_WINDOW' });
    expect(await report({ session: ended, status })).toEqual({ result: 'NO_WINDOW' });

    nothingHappened();
    expect(await windowOf(table(), ended)).toEqual(window);
    expect((await allItems(table())).some(({ pk }) => String(pk).endsWith(unknown.streamSessionId))).toBe(
      false,
    );
  });

  it('that overtakes the disconnect is lost, and the disconnect still opens the window', async () => {
    const session = newSession();
    const { report } = prepare();

    expect(await report({ session, status: 'CONNECTED', atMs: DISCONNECTED_AT_MS + 1000 })).toEqual({
      result: 'NO_WINDOW',
    });
    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });
  });

  it('fails in a way that is retried when the send fails, and the repeat sends it', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    const { send } = prepare();
    const event = statusChangeEvent({ session, atMs: DISCONNECTED_AT_MS, status: 'CONNECTED' });
    stepFunctions.on(SendTaskSuccessCommand).rejectsOnce(new Error('socket hang up')).resolves({});

    await expect(send(event)).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
    await send(event);

    expect(signals().map(({ state }) => state)).toMatchObject([{ seq: 1 }, { seq: 1 }]);
  });
});

describe('a disconnect of a session that was reconnected', () => {
  const OUTCOME_AT_MS = DISCONNECTED_AT_MS - 30_000;
  const FIRST_DISCONNECT_MS = OUTCOME_AT_MS - 20_000;

  async function reconnected() {
    const session = newSession();
    const prepared = prepare();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: FIRST_DISCONNECT_MS,
      connectionTimeoutSeconds: 45,
      outcome: 'RECONNECTED',
      outcomeAtMs: OUTCOME_AT_MS,
      eventBridge: prepared.dependencies.eventBridge,
    });
    eventBridge.resetHistory();
    return { session, ...prepared };
  }

  it.each([-2000, 0, 2000])(
    'is stale when another feed means the same one, %i ms apart',
    async (offsetMs) => {
      const { session, report } = await reconnected();

      expect(await report({ session, atMs: FIRST_DISCONNECT_MS + offsetMs })).toEqual({ result: 'STALE' });

      nothingHappened();
      expect(gameLiftStreams.calls()).toHaveLength(0);
      expect(await windowOf(table(), session)).toMatchObject({ generation: 1, outcome: 'RECONNECTED' });
    },
  );

  it("opens the second window when clearly later, with the first's timeout", async () => {
    const { session, report } = await reconnected();

    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });

    expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-2` }]);
    expect(JSON.parse(starts()[0]?.input ?? '')).toMatchObject({
      generation: 2,
      disconnectedAtMs: DISCONNECTED_AT_MS,
      deadlineMs: DISCONNECTED_AT_MS + 45_000,
    });
    expect(gameLiftStreams.calls()).toHaveLength(0);
  });

  it('opens the second window when it is in between and the service says pending', async () => {
    const { session, report } = await reconnected();
    gameLiftStreams.on(GetStreamSessionCommand).resolves({ Status: 'PENDING_CLIENT_RECONNECTION' });

    expect(await report({ session, atMs: OUTCOME_AT_MS - 1000 })).toEqual({ result: 'WINDOW_OPENED' });

    expect(gameLiftStreams.commandCalls(GetStreamSessionCommand)[0]?.args[0].input).toEqual({
      Identifier: session.streamGroupId,
      StreamSessionIdentifier: session.streamSessionId,
    });
    expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-2` }]);
  });

  it.each(['CONNECTED', 'TERMINATED', 'ACTIVE'] as const)(
    'is stale when it is in between and the service says %s',
    async (Status) => {
      const { session, report } = await reconnected();
      gameLiftStreams.on(GetStreamSessionCommand).resolves({ Status });

      expect(await report({ session, atMs: OUTCOME_AT_MS - 1000 })).toEqual({ result: 'STALE' });

      nothingHappened();
    },
  );

  it('is tried again later when the service cannot say', async () => {
    const { session, report } = await reconnected();
    gameLiftStreams.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());

    await expect(report({ session, atMs: OUTCOME_AT_MS - 1000 })).rejects.toMatchObject({
      name: 'InternalServerException',
    });

    nothingHappened();
  });
});

describe('a disconnect of a session whose window', () => {
  it.each(['TERMINATED', 'ERRORED'] as const)('ended as %s is stale, whenever it was', async (outcome) => {
    const session = newSession();
    const { report, dependencies } = prepare();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS - 60_000,
      outcome,
      outcomeAtMs: DISCONNECTED_AT_MS - 30_000,
      eventBridge: dependencies.eventBridge,
    });
    eventBridge.resetHistory();

    for (const atMs of [DISCONNECTED_AT_MS - 60_000, DISCONNECTED_AT_MS - 40_000, DISCONNECTED_AT_MS]) {
      expect(await report({ session, atMs })).toEqual({ result: 'STALE' });
    }

    nothingHappened();
    expect(gameLiftStreams.calls()).toHaveLength(0);
  });

  it('failed gets the next window, for it has no outcome yet', async () => {
    const session = newSession();
    await givenFailedWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    expect(await prepare().report({ session })).toEqual({ result: 'WINDOW_OPENED' });

    expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-2` }]);
  });
});

describe('an event that does not fit the contract', () => {
  const rejected = () =>
    statusChangeEvent({
      session: { streamGroupId: 'sg-1', streamSessionId: 'rejected' },
      atMs: DISCONNECTED_AT_MS,
      detail: { connectionTimeoutSeconds: 0, signalRequest: 'an offer' },
    });

  it('is published once as rejected, and touches nothing else', async () => {
    const before = await allItems(table());
    const { send, log } = prepare();
    const event = rejected();

    expect(await send(event)).toEqual({ result: 'REJECTED' });

    const [entry, ...more] = published();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      EventBusName: 'bus',
      Source: 'stream-session-reconnection',
      DetailType: 'Stream Session Status Change Rejected',
    });
    expect(JSON.parse(entry?.Detail ?? '')).toEqual({
      version: '1',
      rejectedEventId: event['id'],
      reasons: ['detail.connectionTimeoutSeconds: too_small'],
      fields: {
        streamGroupId: 'sg-1',
        streamSessionId: 'rejected',
        status: 'PENDING_CLIENT_RECONNECTION',
        statusChangedAt: new Date(DISCONNECTED_AT_MS).toISOString(),
      },
    });
    expect(starts()).toEqual([]);
    expect(signals()).toEqual([]);
    expect(gameLiftStreams.calls()).toHaveLength(0);
    expect(await allItems(table())).toEqual(before);
    expect(log.lines).toEqual([
      { event: 'EventRejected', fields: { reasons: 'detail.connectionTimeoutSeconds: too_small' } },
    ]);
  });

  it('is a retryable failure when the bus took nothing, though it answered', async () => {
    eventBridge.on(PutEventsCommand).resolves({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' }],
    });

    await expect(prepare().send(rejected())).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });
  });

  it('is a retryable failure when the bus cannot be reached', async () => {
    eventBridge.on(PutEventsCommand).rejects(new Error('connect ECONNREFUSED'));

    await expect(prepare().send(rejected())).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });
  });
});
