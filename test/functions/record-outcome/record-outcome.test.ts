import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordFailure } from '../../../functions/record-failure/record-failure.ts';
import { type RecordOutcomeInput, recordOutcome } from '../../../functions/record-outcome/record-outcome.ts';
import { outcomeDetailSchema, type SessionKey } from '../../../functions/shared/contracts/index.ts';
import { noteReport } from '../../../functions/shared/window/correct-deadline.ts';
import { markEnd, noteRefusedEnd } from '../../../functions/shared/window/end-mark.ts';
import { signalWindow } from '../../../functions/shared/window/mailbox.ts';
import { outcomeOf, readWindow, updateWindow } from '../../../functions/shared/window/window-item.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems, useTable } from '../../helpers/table.ts';
import { watchReads } from '../../helpers/watch-reads.ts';
import {
  BUS_SETTINGS,
  givenFailedWindow,
  givenOpenWindow,
  givenRunningWindow,
  OUTCOME_RETENTION_DAYS,
  windowOf,
} from '../../helpers/windows.ts';

const table = useTable();
const eventBridge = mockClient(EventBridgeClient);
const stepFunctions = mockClient(SFNClient);
const APPLICATION_ARN = 'arn:aws:gameliftstreams:us-west-2:111122223333:application/a-9ZY8X7Wv6';
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1, 12);
const ENDED_AT_MS = DISCONNECTED_AT_MS + 41_500;
const NOW_MS = ENDED_AT_MS + 900;
const EXPIRES_AT = NOW_MS / 1000 + OUTCOME_RETENTION_DAYS * 86_400;

beforeEach(() => {
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
  stepFunctions.reset();
  stepFunctions.on(SendTaskSuccessCommand).resolves({});
});

function prepare(session: SessionKey) {
  const log = memoryLog();
  const metrics = memoryMetrics();
  const dependencies = {
    table: table(),
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    clock: new VirtualClock(NOW_MS),
    log,
    metrics,
    settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS },
  };
  const record = (overrides: Partial<RecordOutcomeInput> = {}) =>
    recordOutcome(
      {
        ...session,
        executionName: `${session.streamSessionId}-1`,
        generation: 1,
        ackSeq: 0,
        outcome: 'RECONNECTED',
        statusReason: null,
        disconnectedAtMs: DISCONNECTED_AT_MS,
        endedAtMs: ENDED_AT_MS,
        connectionAttempts: 0,
        ...overrides,
      },
      dependencies,
    );
  return { record, log, metrics, dependencies };
}

async function givenRunning(): Promise<SessionKey> {
  const session = newSession();
  await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
  return session;
}

const signal = (
  session: SessionKey,
  id: string,
  connection?: { readonly createdAtMs: number; readonly attempts: number },
) =>
  signalWindow(
    session,
    { id, ...(connection === undefined ? {} : { connection }) },
    { table: table(), stepFunctions: new SFNClient({ region: 'us-west-2' }), log: memoryLog() },
  );

const published = () =>
  eventBridge
    .commandCalls(PutEventsCommand)
    .flatMap(({ args: [{ input }] }) => input.Entries ?? [])
    .map(({ Detail = '' }): unknown => JSON.parse(Detail));

async function outcomesOf(session: SessionKey) {
  const items = await allItems(table());
  return items.filter(
    ({ pk, sk }) => String(pk).endsWith(`/${session.streamSessionId}`) && String(sk).startsWith('outcome#'),
  );
}

describe('an outcome', () => {
  it('closes the window, is kept as an item of its own, and is published', async () => {
    const session = await givenRunning();
    await signal(session, 'request-1', { createdAtMs: DISCONNECTED_AT_MS + 30_000, attempts: 3 });
    const { record, log } = prepare(session);

    const result = await record({
      ackSeq: 1,
      statusReason: null,
      connectionAttempts: 3,
      applicationArn: APPLICATION_ARN,
      location: 'eu-central-1',
    });

    expect(result).toEqual({
      recorded: true,
      seq: 1,
      connectionCreatedAtMs: DISCONNECTED_AT_MS + 30_000,
      connectionAttempts: 3,
      cause: 'RECONNECTED',
      applicationArn: APPLICATION_ARN,
      location: 'eu-central-1',
    });
    expect(await windowOf(table(), session)).toMatchObject({
      phase: 'CLOSED',
      outcome: 'RECONNECTED',
      statusReason: null,
      outcomeAtMs: ENDED_AT_MS,
      closedAtMs: NOW_MS,
    });
    const detail = {
      version: '1',
      ...session,
      generation: 1,
      outcome: 'RECONNECTED',
      statusReason: null,
      disconnectedAt: '2026-01-01T12:00:00.000Z',
      outcomeAt: '2026-01-01T12:00:41.500Z',
      connectionAttempts: 3,
      executionName: `${session.streamSessionId}-1`,
      cause: 'RECONNECTED',
      applicationArn: APPLICATION_ARN,
      location: 'eu-central-1',
    };
    expect(await outcomesOf(session)).toEqual([
      {
        pk: `session#${session.streamGroupId}/${session.streamSessionId}`,
        sk: 'outcome#000001',
        ...detail,
        expiresAt: Math.ceil(EXPIRES_AT),
      },
    ]);
    expect(published()).toEqual([detail]);
    expect(outcomeDetailSchema.safeParse(published()[0]).success).toBe(true);
    expect(eventBridge.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries).toMatchObject([
      {
        EventBusName: 'bus',
        Source: 'stream-session-reconnection',
        DetailType: 'Stream Session Reconnection Outcome',
      },
    ]);
    expect(log.lines).toEqual([
      {
        event: 'OutcomeRecorded',
        fields: {
          generation: 1,
          outcome: 'RECONNECTED',
          cause: 'RECONNECTED',
          statusReason: null,
          applicationArn: APPLICATION_ARN,
          location: 'eu-central-1',
          connectionAttempts: 3,
          executionUrl: null,
          durationMs: 41_500,
        },
      },
    ]);
  });

  it('leaves no task token in the closed window, and lets it expire', async () => {
    const session = await givenRunning();

    await prepare(session).record();

    const items = await allItems(table());
    const item = items.find(
      ({ pk, sk }) => String(pk).endsWith(`/${session.streamSessionId}`) && sk === 'window',
    );
    expect(item).toMatchObject({ expiresAt: Math.ceil(EXPIRES_AT) });
    for (const gone of ['taskToken', 'signalIds', 'earlierSignalIds']) expect(item).not.toHaveProperty(gone);
  });

  it.each(['TERMINATED', 'ERRORED'] as const)("keeps the service's reason: %s", async (outcome) => {
    const session = await givenRunning();

    await prepare(session).record({ outcome, statusReason: 'reconnectionTimeout' });

    expect(published()).toMatchObject([{ outcome, statusReason: 'reconnectionTimeout' }]);
    expect(await windowOf(table(), session)).toMatchObject({ outcome, statusReason: 'reconnectionTimeout' });
  });

  it.each([
    ['reconnectionTimeout', false, 'TIMED_OUT'],
    ['applicationExit', false, 'APPLICATION'],
    ['maxSessionLengthTimeout', false, 'SERVICE'],
    ['apiTerminated', false, 'UNKNOWN'],
    ['apiTerminated', true, 'TIMED_OUT'],
  ] as const)('has the cause of its reason: %s, abandoned: %s', async (statusReason, isAbandoned, cause) => {
    const session = await givenRunning();

    const result = await prepare(session).record({ outcome: 'TERMINATED', statusReason, isAbandoned });

    expect(result).toMatchObject({ cause });
    expect(published()).toMatchObject([{ cause }]);
    expect(await windowOf(table(), session)).toMatchObject({ story: { cause } });
  });

  it('has no application where no read has told one, as in a task input of an earlier version', async () => {
    const session = await givenRunning();

    await prepare(session).record({ applicationArn: null, location: null });

    for (const name of ['applicationArn', 'location']) expect(published()[0]).not.toHaveProperty(name);
  });

  it('keeps the story of the first attempt when a repeat knows another', async () => {
    const session = await givenRunning();
    const { record } = prepare(session);
    eventBridge.on(PutEventsCommand).rejectsOnce(serviceErrors.internalServer()).resolves({});
    await expect(record({ outcome: 'TERMINATED', location: 'eu-central-1' })).rejects.toThrow();

    const result = await record({ outcome: 'TERMINATED', location: 'us-east-2' });

    expect(result).toMatchObject({ location: 'eu-central-1' });
    expect(published().at(-1)).toMatchObject({ location: 'eu-central-1' });
  });

  it("counts the attempts that the window knows of, for the execution's count may be behind", async () => {
    const session = await givenRunning();
    await signal(session, 'request-1', { createdAtMs: DISCONNECTED_AT_MS + 30_000, attempts: 2 });

    const result = await prepare(session).record({ outcome: 'TERMINATED', connectionAttempts: 0 });

    expect(result).toMatchObject({ recorded: true, connectionAttempts: 2 });
    expect(published()).toMatchObject([{ connectionAttempts: 2 }]);
  });
});

describe('an outcome that earlier code wrote with a reason of no form', () => {
  it.each([
    ['an empty one', '', null],
    ['one of 1,000 characters', 'a'.repeat(1000), 'a'.repeat(256)],
  ])('is published by the retry all the same: %s', async (_, statusReason, inForm) => {
    const session = await givenRunning();
    const { record } = prepare(session);
    eventBridge
      .on(PutEventsCommand)
      .rejectsOnce(serviceErrors.internalServer())
      .resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
    await expect(record({ outcome: 'TERMINATED', statusReason })).rejects.toThrow();

    await record({ outcome: 'TERMINATED', statusReason });

    expect(published().at(-1)).toMatchObject({ outcome: 'TERMINATED', statusReason: inForm });
    expect(outcomeDetailSchema.safeParse(published().at(-1)).success).toBe(true);
    expect((await windowOf(table(), session))?.statusReason).toBe(inForm);
  });
});

describe('NOT_DISCONNECTED', () => {
  it.each([
    ['CONNECTED', 'RECONNECTED'],
    ['TERMINATED', 'TERMINATED'],
    ['ERROR', 'ERRORED'],
  ])('is kept so that code from before can read the window: %s', async (status, stands) => {
    const session = await givenRunning();
    const { record, metrics } = prepare(session);

    await record({ outcome: 'NOT_DISCONNECTED', status, endedAtMs: DISCONNECTED_AT_MS - 60_000 });

    const window = await windowOf(table(), session);
    expect(window).toMatchObject({ outcome: stands, isNotDisconnected: true });
    expect(window === undefined ? undefined : outcomeOf(window)).toBe('NOT_DISCONNECTED');
    expect(published()).toMatchObject([
      { outcome: 'NOT_DISCONNECTED', outcomeAt: new Date(DISCONNECTED_AT_MS).toISOString() },
    ]);
    expect(metrics.values).toEqual([{ name: 'WindowsNotDisconnected', value: 1 }]);
  });

  it('is postponed when the watcher has seen the session wait since the look', async () => {
    const session = await givenRunning();
    await updateWindow(table(), session, {
      UpdateExpression: 'SET seenWaitingAtMs = :one',
      ExpressionAttributeValues: { ':one': 1 },
    });

    const result = await prepare(session).record({ outcome: 'NOT_DISCONNECTED', status: 'TERMINATED' });

    expect(result).toMatchObject({ recorded: false });
    expect(published()).toEqual([]);
  });

  it('is postponed by a signal that the execution has not seen', async () => {
    const session = await givenRunning();
    await signal(session, 'request-1', { createdAtMs: DISCONNECTED_AT_MS + 30_000, attempts: 1 });

    const result = await prepare(session).record({ outcome: 'NOT_DISCONNECTED', status: 'TERMINATED' });

    expect(result).toMatchObject({ recorded: false, connectionAttempts: 1 });
  });
});

describe('the share saved of an application', () => {
  it.each([
    ['RECONNECTED', null, [100]],
    ['TERMINATED', 'reconnectionTimeout', [0]],
    ['ERRORED', 'internalError', [0]],
    ['NOT_DISCONNECTED', null, []],
  ] as const)(
    'gets its value from an outcome in which a player could be lost: %s',
    async (outcome, statusReason, expected) => {
      const { record, metrics } = prepare(await givenRunning());

      await record({ outcome, statusReason, applicationArn: APPLICATION_ARN });

      const shares = metrics.values.filter(({ name }) => name === 'ShareSaved');
      expect(shares).toEqual(
        expected.map((value) => ({ name: 'ShareSaved', value, application: 'a-9ZY8X7Wv6' })),
      );
    },
  );
});

describe('the share saved by drop cause', () => {
  it.each([
    ['RECONNECTED', null, [100]],
    ['TERMINATED', 'reconnectionTimeout', [0]],
    ['NOT_DISCONNECTED', null, []],
  ] as const)('gets its value where a report has said why: %s', async (outcome, statusReason, expected) => {
    const session = await givenRunning();
    const { record, metrics } = prepare(session);
    const window = await readWindow(table(), session);
    if (window !== undefined) await noteReport(table(), session, window, { dropCause: 'NETWORK' });

    await record({ outcome, statusReason });

    const shares = metrics.values.filter(({ name }) => name === 'ShareSavedByDropCause');
    expect(shares).toEqual(
      expected.map((value) => ({ name: 'ShareSavedByDropCause', value, dropCause: 'NETWORK' })),
    );
  });
});

describe('the metrics of an outcome', () => {
  it('count a reconnection, and how long it took', async () => {
    const { record, metrics } = prepare(await givenRunning());

    await record();

    expect(metrics.values).toEqual([
      { name: 'WindowsReconnected', value: 1 },
      { name: 'TimeToReconnect', value: ENDED_AT_MS - DISCONNECTED_AT_MS },
    ]);
  });

  it('never say that a player was back before the disconnect, where two clocks do', async () => {
    const { record, metrics } = prepare(await givenRunning());

    await record({ endedAtMs: DISCONNECTED_AT_MS - 500 });

    expect(metrics.values).toContainEqual({ name: 'TimeToReconnect', value: 0 });
  });

  it.each([
    ['TERMINATED', 'WindowsTerminated'],
    ['ERRORED', 'WindowsErrored'],
  ] as const)('count %s, which took no time to reconnect', async (outcome, name) => {
    const { record, metrics } = prepare(await givenRunning());

    await record({ outcome });

    expect(metrics.values).toEqual([{ name, value: 1 }]);
  });

  it.each(['LEFT', 'OPERATOR'] as const)('counts an end on purpose apart: %s', async (endedBy) => {
    const session = await givenRunning();
    await markEnd(table(), session, { endedBy, nowMs: DISCONNECTED_AT_MS + 1000 });
    const { record, metrics } = prepare(session);

    const { cause } = await record({ outcome: 'TERMINATED', statusReason: 'apiTerminated' });

    expect(cause).toBe(endedBy);
    expect(metrics.values).toEqual([{ name: 'WindowsLeft', value: 1 }]);
  });

  it.each([
    ['a timeout of the loss that it was about', {}, 'LEFT'],
    ['no timeout of a player who has come back since', { connectionCreatedAtMs: 4001 }, 'TIMED_OUT'],
    ['no timeout of a later loss', { disconnectedAtMs: 4001 }, 'TIMED_OUT'],
    ['a termination at any time', { disconnectedAtMs: 4001, statusReason: 'apiTerminated' }, 'LEFT'],
    ['no exit of the application', { statusReason: 'applicationExit' }, 'APPLICATION'],
  ] as const)('a mark explains %s', async (_, { ...change }, cause) => {
    const session = await givenRunning();
    await markEnd(table(), session, { endedBy: 'LEFT', nowMs: 2000 });
    const { record } = prepare(session);

    const closed = await record({
      outcome: 'TERMINATED',
      statusReason: 'reconnectionTimeout',
      disconnectedAtMs: 1000,
      ...change,
    });

    expect(closed.cause).toBe(cause);
  });

  it.each([
    ['the loss that it was about', 1000, 'LEFT'],
    ['no later loss', 4001, 'UNKNOWN'],
  ] as const)('a mark whose termination was refused explains %s', async (_, disconnectedAtMs, cause) => {
    const session = await givenRunning();
    const mark = await markEnd(table(), session, { endedBy: 'LEFT', nowMs: 2000 });
    if (mark === undefined) throw new Error('The session had no mark.');
    await noteRefusedEnd(table(), session, mark);
    const { record } = prepare(session);

    const closed = await record({ outcome: 'TERMINATED', statusReason: 'apiTerminated', disconnectedAtMs });

    expect(closed.cause).toBe(cause);
  });

  it('count an outcome once, though its event is published by a repeat', async () => {
    const { record, metrics } = prepare(await givenRunning());
    eventBridge
      .on(PutEventsCommand)
      .resolvesOnce({ FailedEntryCount: 1 })
      .resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });

    await expect(record()).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
    await record();

    expect(metrics.values.filter(({ name }) => name === 'WindowsReconnected')).toHaveLength(1);
  });

  it('count nothing that is postponed', async () => {
    const session = await givenRunning();
    await signal(session, 'event-1');
    const { record, metrics } = prepare(session);

    await record();

    expect(metrics.values).toEqual([]);
  });
});

describe('a signal that the execution has not seen', () => {
  it('postpones RECONNECTED: it may be the next disconnect', async () => {
    const session = await givenRunning();
    await signal(session, 'event-1');
    const { record, log } = prepare(session);
    const window = await windowOf(table(), session);

    const result = await record({ ackSeq: 0 });

    expect(result).toEqual({
      recorded: false,
      seq: 1,
      connectionCreatedAtMs: 0,
      connectionAttempts: 0,
    });
    expect(await windowOf(table(), session)).toEqual(window);
    expect(await outcomesOf(session)).toEqual([]);
    expect(published()).toEqual([]);
    expect(log.lines).toEqual([{ event: 'OutcomePostponed', fields: { generation: 1, seq: 1 } }]);
  });

  it('postpones it once: the next look has seen the signal', async () => {
    const session = await givenRunning();
    await signal(session, 'event-1');
    const { record } = prepare(session);

    const { seq } = await record({ ackSeq: 0 });

    expect(await record({ ackSeq: seq })).toMatchObject({ recorded: true });
    expect(published()).toHaveLength(1);
  });

  it.each(['TERMINATED', 'ERRORED'] as const)(
    'changes nothing about %s: an ended session stays ended',
    async (outcome) => {
      const session = await givenRunning();
      await signal(session, 'event-1');

      expect(await prepare(session).record({ outcome, ackSeq: 0 })).toMatchObject({ recorded: true, seq: 1 });

      expect(published()).toMatchObject([{ outcome }]);
    },
  );
});

describe('a process that dies', () => {
  it.each<[string, (record: () => Promise<unknown>) => Promise<unknown>, number]>([
    [
      'before the window closes',
      (record) => {
        failNext(table(), 'UpdateItemCommand', 'BEFORE');
        return record();
      },
      0,
    ],
    [
      'after the window has closed',
      (record) => {
        failNext(table(), 'UpdateItemCommand', 'AFTER');
        return record();
      },
      0,
    ],
    [
      'before the outcome is written',
      (record) => {
        failNext(table(), 'PutItemCommand', 'BEFORE');
        return record();
      },
      0,
    ],
    [
      'after the outcome was written',
      (record) => {
        failNext(table(), 'PutItemCommand', 'AFTER');
        return record();
      },
      0,
    ],
    [
      'before the event is taken',
      (record) => {
        eventBridge
          .on(PutEventsCommand)
          .rejectsOnce(new Error('connect ECONNREFUSED'))
          .resolves({ FailedEntryCount: 0 });
        return record();
      },
      1,
    ],
    [
      'when the event bus answers and takes nothing',
      (record) => {
        eventBridge
          .on(PutEventsCommand)
          .resolvesOnce({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure' }] })
          .resolves({ FailedEntryCount: 0 });
        return record();
      },
      1,
    ],
  ])('%s is made good by the retry: one item, the same event', async (_, die, sends) => {
    const session = await givenRunning();
    await signal(session, 'request-1', { createdAtMs: DISCONNECTED_AT_MS + 30_000, attempts: 2 });
    const first = prepare(session);
    const input = { ackSeq: 1, connectionAttempts: 2 };
    await expect(die(() => first.record(input))).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });
    expect(published()).toHaveLength(sends);

    // The retry comes later, and its clock must not matter.
    const retry = prepare(session);
    await retry.dependencies.clock.advance(20_000);
    const result = await retry.record(input);

    expect(result).toMatchObject({ recorded: true, seq: 1, connectionAttempts: 2 });
    const outcomes = await outcomesOf(session);
    expect(outcomes).toHaveLength(1);
    const { pk, sk, expiresAt, ...detail } = outcomes[0] ?? {};
    expect([pk, sk, expiresAt]).not.toContain(undefined);
    expect(published()).toEqual(Array.from({ length: sends + 1 }, () => detail));
    expect(detail).toMatchObject({ outcome: 'RECONNECTED', connectionAttempts: 2 });
  });

  it('after everything was done publishes the same again, for nobody knows that it was done', async () => {
    const session = await givenRunning();
    await prepare(session).record();
    const window = await windowOf(table(), session);
    const reads = watchReads(table());

    const result = await prepare(session).record();

    expect(result).toMatchObject({ recorded: true });
    expect(reads).toEqual([
      { sk: 'window', consistent: true },
      { sk: 'outcome#000001', consistent: true },
    ]);
    expect(await windowOf(table(), session)).toEqual(window);
    expect(await outcomesOf(session)).toHaveLength(1);
    const [first, second, ...more] = published();
    expect(second).toEqual(first);
    expect(more).toEqual([]);
  });

  it('and comes back when the next window is open already, repeats its own outcome only', async () => {
    const session = await givenRunning();
    failNext(table(), 'PutItemCommand', 'BEFORE');
    await expect(prepare(session).record({ connectionAttempts: 1 })).rejects.toThrow();
    const next = await givenOpenWindow(table(), session, { disconnectedAtMs: NOW_MS + 60_000 });
    expect(next.generation).toBe(2);

    const result = await prepare(session).record({ connectionAttempts: 1 });

    expect(result).toMatchObject({ recorded: true });
    expect(await windowOf(table(), session)).toEqual(next);
    expect(await outcomesOf(session)).toMatchObject([{ sk: 'outcome#000001', generation: 1 }]);
    expect(published()).toMatchObject([{ generation: 1, outcome: 'RECONNECTED', connectionAttempts: 1 }]);
  });
});

describe('a second outcome of one window', () => {
  it('returns the attempts of the first, for the execution says what its event says', async () => {
    const session = await givenRunning();
    await signal(session, 'request-1', { createdAtMs: DISCONNECTED_AT_MS + 30_000, attempts: 2 });
    await prepare(session).record({ outcome: 'RECONNECTED', ackSeq: 1 });
    await givenOpenWindow(table(), session, { disconnectedAtMs: NOW_MS + 60_000 });

    const result = await prepare(session).record({ ackSeq: 1, connectionAttempts: 0 });

    expect(result).toMatchObject({ recorded: true, connectionAttempts: 2 });
    expect(published()).toMatchObject([{ connectionAttempts: 2 }, { connectionAttempts: 2 }]);
  });

  it('never replaces the first, and what is published again is the first', async () => {
    const session = await givenRunning();
    await prepare(session).record({ outcome: 'RECONNECTED' });

    await prepare(session).record({
      outcome: 'TERMINATED',
      statusReason: 'reconnectionTimeout',
      endedAtMs: ENDED_AT_MS + 60_000,
    });

    expect(await windowOf(table(), session)).toMatchObject({
      outcome: 'RECONNECTED',
      outcomeAtMs: ENDED_AT_MS,
    });
    expect(await outcomesOf(session)).toMatchObject([{ outcome: 'RECONNECTED' }]);
    expect(published()).toMatchObject([{ outcome: 'RECONNECTED' }, { outcome: 'RECONNECTED' }]);
  });

  it('is decided once when two come at once', async () => {
    const session = await givenRunning();

    await Promise.all([
      prepare(session).record({ outcome: 'RECONNECTED' }),
      prepare(session).record({ outcome: 'RECONNECTED' }),
    ]);

    expect(await outcomesOf(session)).toHaveLength(1);
    const [first, second] = published();
    expect(second).toEqual(first);
  });
});

describe('an outcome of a window that is not there', () => {
  it.each<[string, () => Promise<SessionKey>, Partial<RecordOutcomeInput>]>([
    ['a session without a window', async () => newSession(), {}],
    ['a window that has not been opened yet', givenRunning, { generation: 2 }],
    [
      'a window that failed',
      async () => {
        const session = newSession();
        await givenFailedWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
        return session;
      },
      {},
    ],
  ])('is refused for good: %s', async (_, given, overrides) => {
    const session = await given();
    const { record } = prepare(session);

    await expect(record(overrides)).rejects.toMatchObject({ name: 'WindowNotOpenError' });

    expect(await outcomesOf(session)).toEqual([]);
    expect(published()).toEqual([]);
  });
});

describe('a record that comes back from the dead', () => {
  it('after its window ended red and the next one opened is refused: the disconnect has one outcome', async () => {
    const session = await givenRunning();
    const { record, dependencies } = prepare(session);
    await recordFailure(
      { ...session, executionName: `${session.streamSessionId}-1`, generation: 1, error: 'SessionNotEnded' },
      dependencies,
    );
    await givenOpenWindow(table(), session, { disconnectedAtMs: NOW_MS });

    await expect(record()).rejects.toMatchObject({ name: 'WindowNotOpenError' });

    expect(await outcomesOf(session)).toEqual([]);
    expect(published()).toEqual([]);
  });
});

describe('the outcomes of one session', () => {
  it('are kept side by side, in the order of their windows', async () => {
    const session = await givenRunning();
    const { record, dependencies } = prepare(session);
    await record();
    await givenOpenWindow(table(), session, { disconnectedAtMs: NOW_MS + 60_000 });
    await recordFailure(
      { ...session, executionName: `${session.streamSessionId}-2`, generation: 2, error: 'SessionNotEnded' },
      dependencies,
    );
    await givenOpenWindow(table(), session, { disconnectedAtMs: NOW_MS + 61_000 });

    await record({ generation: 3, outcome: 'TERMINATED' });

    expect((await outcomesOf(session)).map(({ sk, outcome }) => [sk, outcome])).toEqual([
      ['outcome#000001', 'RECONNECTED'],
      ['outcome#000003', 'TERMINATED'],
    ]);
  });
});
