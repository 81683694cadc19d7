import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  ExecutionAlreadyExists,
  ExecutionLimitExceeded,
  SendTaskSuccessCommand,
  SFNServiceException,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { signalWindow } from '../../../functions/shared/window/mailbox.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { newSession } from '../../helpers/sessions.ts';
import { statusChangeEvent } from '../../helpers/status-change.ts';
import { allItems } from '../../helpers/table.ts';
import { givenOpenWindow, givenRunningWindow, windowOf } from '../../helpers/windows.ts';
import { DISCONNECTED_AT_MS, NOW_MS, RECONNECTION_WINDOW_ARN, useOnStatusChange } from './harness.ts';

const {
  table,
  stepFunctions,
  eventBridge,
  gameLiftStreams,
  prepare,
  starts,
  signals,
  published,
  nothingHappened,
} = useOnStatusChange();

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
    const fields = { ...session, executionName: `${session.streamSessionId}-1`, generation: 1 };
    expect(log.lines).toEqual([
      { event: 'WindowOpened', fields },
      { event: 'WindowStarted', fields },
    ]);
  });

  it.each([
    ['a feed that calls itself api', 'api', 'WINDOW_OPENED'],
    ['our own, of a page whose player has asked again since', 'api:leaving', 'STALE'],
  ] as const)(
    'opens the window unless it is our own without a note on the place: %s',
    async (_, reportedBy, result) => {
      const { report } = prepare();

      expect(await report({ session: newSession(), detail: { reportedBy } })).toEqual({ result });
    },
  );

  it('is counted as one window, whatever else reports the same', async () => {
    const session = newSession();
    const { report, metrics } = prepare();

    await report({ session });
    await report({ session });

    expect(metrics.values).toEqual([{ name: 'WindowsOpened', value: 1 }]);
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
  it('because another execution has the name is made under the next one', async () => {
    const session = newSession();
    stepFunctions
      .on(StartExecutionCommand)
      .rejectsOnce(new ExecutionAlreadyExists({ message: 'exists', $metadata: { httpStatusCode: 400 } }))
      .resolves({});
    const { report, log } = prepare();

    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });
    expect(starts().map(({ name }) => name)).toEqual([
      `${session.streamSessionId}-1`,
      `${session.streamSessionId}-2`,
    ]);
    expect(log.lines.map(({ event }) => event)).toContain('WindowReplaced');
    expect(await windowOf(table(), session)).toMatchObject({ generation: 2, phase: 'AWAITING_RECONNECTION' });
  });

  // The replacement of another stream group's window may have the next name, too: the window had nobody.
  it('because others have the next names too is made under the first that is free', async () => {
    const session = newSession();
    const taken = new ExecutionAlreadyExists({ message: 'exists', $metadata: { httpStatusCode: 400 } });
    stepFunctions.on(StartExecutionCommand).rejectsOnce(taken).rejectsOnce(taken).resolves({});

    await prepare().report({ session });

    expect(starts().at(-1)?.name).toBe(`${session.streamSessionId}-3`);
    expect(await windowOf(table(), session)).toMatchObject({ generation: 3, phase: 'AWAITING_RECONNECTION' });
  });

  it('because others have every name closes the window red, for whoever looks', async () => {
    const session = newSession();
    stepFunctions
      .on(StartExecutionCommand)
      .rejects(new ExecutionAlreadyExists({ message: 'exists', $metadata: { httpStatusCode: 400 } }));

    await prepare().report({ session });

    expect(starts()).toHaveLength(4);
    expect(await windowOf(table(), session)).toMatchObject({ generation: 4, phase: 'FAILED' });
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
    const { report, log } = prepare();

    for (const offsetMs of [-2000, 0, 0, 2000]) {
      expect(await report({ session, atMs: DISCONNECTED_AT_MS + offsetMs })).toEqual({ result: 'DUPLICATE' });
    }

    expect(log.lines.at(-1)).toEqual({
      event: 'DuplicateEventIgnored',
      fields: {
        ...session,
        executionName: `${session.streamSessionId}-1`,
        status: 'PENDING_CLIENT_RECONNECTION',
      },
    });

    nothingHappened();
    expect(await windowOf(table(), session)).toEqual(window);
  });

  it('wakes whoever waits when a signal has not reached it', async () => {
    const session = newSession();
    const { taskToken } = await givenRunningWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
    });
    const { report, dependencies } = prepare();
    stepFunctions.on(SendTaskSuccessCommand).rejectsOnce(new Error('socket hang up')).resolves({});
    await expect(signalWindow(session, { id: 'request-1' }, dependencies)).rejects.toThrow();

    expect(await report({ session })).toEqual({ result: 'DUPLICATE' });

    expect(signals().at(-1)).toMatchObject({ token: taskToken, state: { seq: 1 } });
    expect(signals()).toHaveLength(2);
  });

  it('that knows the timeout corrects a deadline that nobody had told', async () => {
    const session = newSession();
    const { taskToken } = await givenRunningWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
    });
    const { report, log } = prepare();

    const result = await report({ session, detail: { connectionTimeoutSeconds: 60 } });

    expect(result).toEqual({ result: 'DEADLINE_CORRECTED' });
    const deadlineMs = DISCONNECTED_AT_MS + 60_000;
    expect(await windowOf(table(), session)).toMatchObject({ deadlineMs, connectionTimeoutSeconds: 60 });
    expect(signals()).toMatchObject([{ token: taskToken, state: { correction: { seq: 1, deadlineMs } } }]);
    expect(log.lines.at(-1)).toEqual({
      event: 'DeadlineCorrected',
      fields: { ...session, executionName: `${session.streamSessionId}-1`, generation: 1 },
    });
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

describe('an event that does not fit the contract', () => {
  const rejected = () =>
    statusChangeEvent({
      session: { streamGroupId: 'sg-1', streamSessionId: 'rejected' },
      atMs: DISCONNECTED_AT_MS,
      detail: { connectionTimeoutSeconds: 0, signalRequest: 'an offer' },
    });

  it('is published once as rejected, and touches nothing else', async () => {
    const before = await allItems(table());
    const { send, log, metrics } = prepare();
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
    expect(metrics.values).toEqual([{ name: 'EventsRejected', value: 1 }]);
  });

  it('has all its reasons on one line of the log', async () => {
    const { send, log } = prepare();

    await send(
      statusChangeEvent({
        session: { streamGroupId: 'sg-1', streamSessionId: 'rejected' },
        atMs: DISCONNECTED_AT_MS,
        detail: { connectionTimeoutSeconds: 0, version: '2' },
      }),
    );

    expect(log.lines).toEqual([
      {
        event: 'EventRejected',
        fields: {
          reasons: 'detail.version: invalid_value; detail.connectionTimeoutSeconds: too_small',
        },
      },
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
