import { describe, expect, it } from 'vitest';
import { CLOCK_SKEW_MS, LOSS_NOTICE_MS } from '../../functions/shared/window/deadline.ts';
import { allDefinitions } from '../helpers/definitions.ts';
import type { ScriptedFunction } from '../helpers/machines.ts';
import {
  created,
  firstLook,
  inTurn,
  leftOut,
  MINUTE,
  recorded,
  SECOND,
  sessionCheck,
  start,
} from './window-machine.ts';

describe('the deadline that receivers of events know', () => {
  it.each([
    ['that of the input, where the window was announced', { announced: true }, true],
    ['none, where its first wait is to announce it', {}, false],
  ])('is at first %s', async (_, input, isTold) => {
    const { startWindow, payloadsOf } = await start();

    await startWindow(input);

    const [{ toldDeadlineMs, deadlineMs } = {}] = payloadsOf('registerTaskToken');
    expect(toldDeadlineMs).toBe(isTold ? deadlineMs : 0);
  });

  it('is that of the latest wait which had another, so that each deadline is announced once', async () => {
    const { clock, startWindow, signalWaiting, payloadsOf } = await start({
      checkSession: (payload) =>
        sessionCheck({ status: 'ACTIVE', deadlineMs: Number(payload['deadlineMs']) + 500 })(payload),
    });
    await startWindow({ announced: true });
    await clock.advance(10 * SECOND);
    await signalWaiting(created(1, clock.nowMs()));
    await clock.advance(7 * SECOND);

    const waits = payloadsOf('registerTaskToken');
    const isDue = ({ deadlineMs, toldDeadlineMs }: (typeof waits)[number]) =>
      Math.abs(Number(deadlineMs) - Number(toldDeadlineMs)) > CLOCK_SKEW_MS;
    expect(waits.map(isDue)).toEqual([false, true, false, false]);
  });
});

describe('a window that nobody comes back to', () => {
  it("ends with the outcome's cause, application and location in its output", async () => {
    const story = { cause: 'APPLICATION', applicationArn: 'arn of the game', location: 'us-east-2' };
    const {
      clock,
      startWindow,
      payloadsOf,
      describe: describeExecution,
    } = await start({
      checkSession: sessionCheck({ status: 'TERMINATED', statusReason: 'applicationExit', ...story }),
      recordOutcome: (payload) => Object.assign({}, recorded(payload), story),
    });
    const window = await startWindow();

    await clock.advance(122 * SECOND);

    expect(payloadsOf('recordOutcome')).toMatchObject([
      { applicationArn: story.applicationArn, location: story.location, isAbandoned: false },
    ]);
    expect(JSON.parse((await describeExecution(window)).output ?? '')).toEqual({
      outcome: 'TERMINATED',
      statusReason: 'applicationExit',
      connectionAttempts: 0,
      ...story,
    });
  });

  it.each([
    ['TIMED_OUT', 'TimedOut'],
    ['LEFT', 'PlayerLeft'],
    ['OPERATOR', 'EndedByOperator'],
    ['APPLICATION', 'ApplicationEnded'],
    ['SERVICE', 'EndedByService'],
    ['UNKNOWN', 'Terminated'],
  ])('ends in a state that says its cause: %s', async (cause, end) => {
    const { clock, startWindow, path } = await start({
      recordOutcome: (payload) => Object.assign({}, recorded(payload), { cause }),
    });
    const window = await startWindow();

    await clock.advance(122 * SECOND);

    expect((await path(window)).at(-1)).toBe(end);
  });

  it('keeps the application that an earlier look has told when the session is gone', async () => {
    const { clock, startWindow, signalWaiting, payloadsOf } = await start({
      checkSession: inTurn(
        sessionCheck({ applicationArn: 'arn of the game', location: 'us-east-2' }),
        sessionCheck({ status: 'TERMINATED', applicationArn: null, location: null }),
      ),
    });
    await startWindow();
    await signalWaiting({ seq: 1, connectionCreatedAtMs: 0, connectionAttempts: 0 });

    await clock.advance(122 * SECOND);

    expect(payloadsOf('recordOutcome')).toMatchObject([
      { applicationArn: 'arn of the game', location: 'us-east-2' },
    ]);
  });

  it('asks the service at the deadline and its margin, and records TERMINATED', async () => {
    const { clock, startWindow, timesOf, describe: describeExecution, path } = await start();
    const startMs = clock.nowMs();
    const window = await startWindow();

    await clock.advance(122 * SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([122]);
    const { status, output } = await describeExecution(window);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output ?? '')).toMatchObject({
      outcome: 'TERMINATED',
      statusReason: 'reconnectionTimeout',
    });
    expect(await path(window)).toEqual([
      'OpenWindow',
      'LookAtOnce',
      'AwaitReconnection',
      'CheckSession',
      'DecideByStatus',
      'RecordOutcome',
      'WhichOutcome',
      'Terminated',
    ]);
  });

  it('makes no more transitions in an hour than in ten seconds', async () => {
    const lengths = [];
    for (const seconds of [10, 3600]) {
      const { clock, startWindow, path } = await start();
      const window = await startWindow({ deadlineMs: clock.nowMs() + seconds * SECOND });
      await clock.advance((seconds + 2) * SECOND);
      lengths.push((await path(window)).length);
    }
    expect(lengths).toEqual([8, 8]);
  });

  it('waits at least a second when the deadline is long past', async () => {
    const { clock, startWindow, timesOf } = await start();
    const startMs = clock.nowMs();
    await startWindow({ deadlineMs: startMs - MINUTE });

    await clock.advance(SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([1]);
  });
});

describe('a window whose session nobody has seen waiting', () => {
  const unseen = { seenWaitingAtMs: 0 };

  it('is looked at 60 s after it began, before its deadline, for nothing else', async () => {
    const { clock, startWindow, timesOf, payloadsOf } = await start(
      { checkSession: inTurn(sessionCheck(), sessionCheck({ status: 'TERMINATED' })) },
      undefined,
      leftOut,
    );
    const startMs = clock.nowMs();
    await startWindow();

    await clock.advance(122 * SECOND);

    expect(LOSS_NOTICE_MS).toBe(60 * SECOND);
    expect(timesOf('checkSession', startMs)).toEqual([60, 122]);
    expect(payloadsOf('checkSession').map(({ onlyUntilSeen }) => onlyUntilSeen)).toEqual([true, false]);
    expect(payloadsOf('registerTaskToken').map(({ seenWaitingAtMs }) => seenWaitingAtMs)).toEqual([
      0,
      startMs,
    ]);
  });

  it('is not looked at before its deadline once the watcher has seen the session wait', async () => {
    const { clock, startWindow, timesOf } = await start(
      {
        checkSession: inTurn(
          firstLook({ status: 'UNREAD', seenWaitingAtMs: 5 }),
          sessionCheck({ status: 'TERMINATED' }),
        ),
      },
      undefined,
      leftOut,
    );
    const startMs = clock.nowMs();
    await startWindow({ deadlineMs: startMs + 10 * MINUTE });

    await clock.advance(11 * MINUTE);

    expect(timesOf('checkSession', startMs)).toEqual([60, 602]);
  });

  it.each([
    ['CONNECTED', 60],
    ['TERMINATED', 60],
    ['ERROR', 60],
  ])('ends as NOT_DISCONNECTED when it is %s then', async (status, seconds) => {
    const { clock, startWindow, payloadsOf, path, ...run } = await start(
      { checkSession: sessionCheck({ status, ...unseen }) },
      undefined,
      leftOut,
    );
    const window = await startWindow({ deadlineMs: clock.nowMs() + 60 * MINUTE });

    await clock.advance(seconds * SECOND);

    expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome: 'NOT_DISCONNECTED', status }]);
    expect((await path(window)).at(-1)).toBe('NotDisconnected');
    expect((await run.describe(window)).status).toBe('SUCCEEDED');
  });

  it.each([
    ['CONNECTED', 'RECONNECTED'],
    ['TERMINATED', 'TERMINATED'],
  ])('has an outcome when a connection was created here: %s', async (status, outcome) => {
    const { clock, startWindow, signalWaiting, payloadsOf } = await start(
      { checkSession: sessionCheck({ status, ...unseen }) },
      undefined,
      leftOut,
    );
    await startWindow();
    await signalWaiting(created(1, clock.nowMs()));

    await clock.advance(2 * SECOND);

    expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome }]);
  });

  it('looks again when it was seen waiting while NOT_DISCONNECTED was being written', async () => {
    const { clock, startWindow, payloadsOf, path } = await start(
      {
        checkSession: inTurn(
          sessionCheck({ status: 'TERMINATED', ...unseen }),
          sessionCheck({ status: 'TERMINATED' }),
        ),
        recordOutcome: inTurn(
          () => ({ recorded: false, seq: 0, connectionCreatedAtMs: 0, connectionAttempts: 0 }),
          recorded,
        ),
      },
      undefined,
      leftOut,
    );
    const window = await startWindow();

    await clock.advance(60 * SECOND);

    expect(payloadsOf('recordOutcome')).toMatchObject([
      { outcome: 'NOT_DISCONNECTED' },
      { outcome: 'TERMINATED' },
    ]);
    expect((await path(window)).at(-1)).toBe('Terminated');
  });
});

describe('a window whose deadline a feed knows better', () => {
  const correction = (seq: number, deadlineMs: number) => ({
    seq,
    connectionCreatedAtMs: 0,
    connectionAttempts: 0,
    correction: { seq, deadlineMs, connectionTimeoutSeconds: 10 },
  });

  it('waits until the new deadline, without a look, for two more transitions', async () => {
    const { clock, startWindow, signalWaiting, timesOf, payloadsOf, path } = await start();
    const startMs = clock.nowMs();
    const window = await startWindow();
    await clock.advance(3 * SECOND);

    await signalWaiting(correction(1, startMs + 10 * SECOND));
    await clock.advance(9 * SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([12]);
    expect(payloadsOf('checkSession')).toMatchObject([{ connectionTimeoutSeconds: 10 }]);
    expect(payloadsOf('registerTaskToken').at(-1)).toMatchObject({
      phase: 'AWAITING_RECONNECTION',
      deadlineMs: startMs + 10 * SECOND,
      ackSeq: 1,
    });
    expect((await path(window)).length).toBe(10);
  });

  it('looks when another signal has come as well', async () => {
    const { clock, startWindow, signalWaiting, timesOf } = await start();
    const startMs = clock.nowMs();
    await startWindow();

    await signalWaiting({ ...correction(1, startMs + 10 * SECOND), seq: 2 });

    expect(timesOf('checkSession', startMs)).toEqual([0]);
  });

  it('looks when it waits for the client by now', async () => {
    const { clock, startWindow, signalWaiting, timesOf } = await start();
    const startMs = clock.nowMs();
    await startWindow();
    await signalWaiting(created(1, startMs));

    await signalWaiting({ ...correction(2, startMs + 10 * SECOND), connectionCreatedAtMs: startMs });

    expect(timesOf('checkSession', startMs)).toEqual([0]);
  });

  it('counts the second window by the corrected timeout when a connection came as well', async () => {
    const { clock, startWindow, signalWaiting, phases, payloadsOf } = await start();
    const startMs = clock.nowMs();
    await startWindow();

    await signalWaiting({ ...correction(1, startMs + 7 * SECOND), seq: 2, connectionCreatedAtMs: startMs });

    expect(phases()).toEqual(['AWAITING_RECONNECTION', 'AWAITING_CLIENT']);
    expect(payloadsOf('registerTaskToken').at(-1)).toMatchObject({ deadlineMs: startMs + 10 * SECOND });
  });
});

describe('a window whose player comes back', () => {
  it('waits for the client after the connection and records RECONNECTED in at most 12 transitions', async () => {
    const connectedAtMs = Date.UTC(2026, 0, 1) + 7000;
    const checkSession = sessionCheck({ status: 'CONNECTED', statusChangedAtMs: connectedAtMs });
    const { clock, startWindow, signalWaiting, phases, path, payloadsOf, ...run } = await start({
      checkSession,
    });
    const window = await startWindow();
    await clock.advance(5 * SECOND);

    await signalWaiting(created(1, clock.nowMs(), 3));
    await clock.advance(2 * SECOND);

    expect(phases()).toEqual(['AWAITING_RECONNECTION', 'AWAITING_CLIENT']);
    expect((await run.describe(window)).status).toBe('SUCCEEDED');
    expect(payloadsOf('recordOutcome')).toMatchObject([
      { outcome: 'RECONNECTED', connectionAttempts: 3, ackSeq: 1, endedAtMs: connectedAtMs },
    ]);
    const states = await path(window);
    expect(states.at(-1)).toBe('Reconnected');
    expect(states.length).toBeLessThanOrEqual(12);
  });

  it('is asked about at 2, 4, 8 … seconds, and not past the second deadline and its margin', async () => {
    const createdAtMs = Date.UTC(2026, 0, 1);
    const checkSession = sessionCheck({ status: 'ACTIVE', deadlineMs: createdAtMs + 20 * SECOND });
    const { clock, startWindow, signalWaiting, timesOf } = await start({ checkSession });
    await startWindow({ connectionTimeoutSeconds: 20 });
    await signalWaiting(created(1, createdAtMs));

    await clock.advance(22 * SECOND);

    expect(timesOf('checkSession', createdAtMs)).toEqual([2, 6, 14, 22]);
  });

  it('is not taken for back while the service has not noticed that they were gone', async () => {
    const notNoticed = sessionCheck({ status: 'CONNECTED', beforeLoss: true });
    const { clock, startWindow, signalWaiting, phases, timesOf, payloadsOf } = await start({
      checkSession: inTurn(notNoticed, sessionCheck({ status: 'TERMINATED' })),
    });
    const startMs = clock.nowMs();
    await startWindow();
    await signalWaiting({ seq: 1, connectionCreatedAtMs: 0, connectionAttempts: 0 });

    expect(phases()).toEqual(['AWAITING_RECONNECTION', 'AWAITING_RECONNECTION']);
    expect(payloadsOf('recordOutcome')).toEqual([]);
    await clock.advance(60 * SECOND);
    expect(timesOf('checkSession', startMs)).toEqual([0, 60]);
  });

  it('starts the wait for the client anew when a newer offer was answered', async () => {
    const checkSession = sessionCheck({ status: 'ACTIVE', deadlineMs: Date.UTC(2026, 0, 2) });
    const { clock, startWindow, signalWaiting, timesOf, payloadsOf } = await start({ checkSession });
    const startMs = clock.nowMs();
    await startWindow();
    await signalWaiting(created(1, startMs));
    await clock.advance(5 * SECOND);

    await signalWaiting(created(2, clock.nowMs(), 2));
    await clock.advance(2 * SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([2, 7]);
    expect(payloadsOf('registerTaskToken').at(-2)).toMatchObject({
      phase: 'AWAITING_CLIENT',
      deadlineMs: startMs + 125 * SECOND,
    });
  });

  it('looks at once when a signal says only that the status changed', async () => {
    const { clock, startWindow, signalWaiting, timesOf, path } = await start({
      checkSession: sessionCheck({ status: 'CONNECTED' }),
    });
    const startMs = clock.nowMs();
    const window = await startWindow();

    await signalWaiting(created(1, 0, 0));

    expect(timesOf('checkSession', startMs)).toEqual([0]);
    expect((await path(window)).at(-1)).toBe('Reconnected');
  });

  it('waits for a reconnection again, until the new deadline, when the client dropped once more', async () => {
    const againMs = Date.UTC(2026, 0, 1) + 30 * SECOND;
    const pendingAgain = sessionCheck({ pendingSinceMs: againMs, deadlineMs: againMs + 120 * SECOND });
    const { clock, startWindow, signalWaiting, phases, payloadsOf } = await start({
      checkSession: inTurn(pendingAgain, sessionCheck({ status: 'TERMINATED' })),
    });
    await startWindow();
    await signalWaiting(created(1, clock.nowMs()));

    await clock.advance(2 * SECOND);

    expect(phases()).toEqual(['AWAITING_RECONNECTION', 'AWAITING_CLIENT', 'AWAITING_RECONNECTION']);
    expect(payloadsOf('registerTaskToken').at(-1)).toMatchObject({ deadlineMs: againMs + 120 * SECOND });
  });

  it('looks again when a signal came while RECONNECTED was being written', async () => {
    const recordOutcome = inTurn(
      () => ({ recorded: false, seq: 2, connectionCreatedAtMs: 0, connectionAttempts: 0 }),
      recorded,
    );
    const { startWindow, signalWaiting, path, payloadsOf } = await start({
      checkSession: sessionCheck({ status: 'CONNECTED' }),
      recordOutcome,
    });
    const window = await startWindow();

    await signalWaiting(created(1, 0, 0));

    expect(payloadsOf('recordOutcome').map(({ ackSeq }) => ackSeq)).toEqual([1, 2]);
    expect(await path(window)).toEqual([
      'OpenWindow',
      'LookAtOnce',
      'AwaitReconnection',
      'WasConnectionCreated',
      'CheckSession',
      'DecideByStatus',
      'RecordOutcome',
      'WhichOutcome',
      'CheckSession',
      'DecideByStatus',
      'RecordOutcome',
      'WhichOutcome',
      'Reconnected',
    ]);
  });

  it('ends with the attempts that were recorded, with those signalled after the last look', async () => {
    const recordOutcome: ScriptedFunction = ({ ackSeq, connectionAttempts }) => ({
      recorded: true,
      seq: Number(ackSeq) + 1,
      connectionCreatedAtMs: Date.UTC(2026, 0, 1),
      connectionAttempts: Number(connectionAttempts) + 2,
    });
    const { clock, startWindow, ...run } = await start({ recordOutcome });
    const window = await startWindow();

    await clock.advance(122 * SECOND);

    expect(JSON.parse((await run.describe(window)).output ?? '')).toEqual({
      outcome: 'TERMINATED',
      statusReason: 'reconnectionTimeout',
      connectionAttempts: 2,
    });
  });

  it('acknowledges what it was signalled when it next waits, and counts its waits', async () => {
    const { startWindow, signalWaiting, payloadsOf, clock } = await start({ checkSession: sessionCheck() });
    await startWindow();
    await signalWaiting(created(4, clock.nowMs()));
    await clock.advance(2 * SECOND);

    expect(payloadsOf('registerTaskToken').map(({ ackSeq, waitNumber }) => [ackSeq, waitNumber])).toEqual([
      [0, 0],
      [4, 1],
      [4, 2],
    ]);
  });
});

interface Decision {
  readonly check: Readonly<Record<string, unknown>>;
  readonly next: string;
  readonly terminateAbandoned?: boolean;
  readonly endEarlyAtMs?: number;
}

describe('the decision by status', () => {
  const decisions: readonly Decision[] = [
    { check: { status: 'CONNECTED', seenWaitingAtMs: 0 }, next: 'RecordOutcome' },
    { check: { status: 'CONNECTED' }, next: 'RecordOutcome' },
    { check: { status: 'TERMINATED' }, next: 'RecordOutcome' },
    { check: { status: 'ERROR', statusReason: 'internalError' }, next: 'RecordOutcome' },
    { check: { status: 'PENDING_CLIENT_RECONNECTION' }, next: 'AwaitReconnection' },
    { check: { status: 'ACTIVE' }, next: 'AwaitClient' },
    { check: {}, endEarlyAtMs: 1, next: 'TerminateSession' },
    { check: { overdue: true }, terminateAbandoned: true, next: 'TerminateSession' },
    { check: { status: 'TERMINATING' }, next: 'AwaitEnd' },
    { check: { status: 'NOT_FOUND', isUnconfirmed: true }, next: 'AwaitEnd' },
    { check: { status: 'NOT_FOUND' }, next: 'RecordFailure' },
    { check: { status: 'ACTIVATING' }, next: 'RejectUnexpectedStatus' },
  ];

  it('has a test for every rule and for the default', () => {
    const machine = allDefinitions().find(({ name }) => name === 'reconnection-window');
    expect(decisions).toHaveLength((machine?.definition.States['DecideByStatus']?.Choices ?? []).length + 1);
  });

  it.each<Decision>([
    ...decisions,
    { check: { status: 'RECONNECTING' }, next: 'AwaitClient' },
    { check: { status: 'UNREAD' }, next: 'AwaitReconnection' },
    { check: { status: 'CONNECTED', seenWaitingAtMs: 0, beforeLoss: true }, next: 'AwaitReconnection' },
    { check: { status: 'TERMINATED', seenWaitingAtMs: 0 }, next: 'RecordOutcome' },
    { check: { status: 'PENDING_CLIENT_RECONNECTION', overdue: true }, next: 'AwaitEnd' },
    { check: { status: 'RECONNECTING', overdue: true }, next: 'AwaitEnd' },
    // Somebody has just been given an answer.
    { check: { status: 'ACTIVE', overdue: true }, terminateAbandoned: true, next: 'AwaitEnd' },
    { check: { status: 'A_STATUS_OF_NEXT_YEAR' }, next: 'RejectUnexpectedStatus' },
  ])('of $check leads to $next', async ({ check, next, ...input }) => {
    const { startWindow, signalWaiting, path } = await start({ checkSession: sessionCheck(check) });
    const { terminateAbandoned = false, endEarlyAtMs = 0 } = input;
    const window = await startWindow({ terminateAbandoned, endEarlyAtMs, endEarlyFor: 'LEFT' });

    await signalWaiting(created(1, 0, 0));

    const states = await path(window);
    expect(states[states.indexOf('DecideByStatus') + 1] ?? 'nothing').toBe(next);
  });

  it.each([
    ['CONNECTED', 'RECONNECTED', 'Reconnected'],
    ['TERMINATED', 'TERMINATED', 'Terminated'],
    ['ERROR', 'ERRORED', 'Errored'],
  ])('records %s as %s and ends green in %s', async (status, outcome, end) => {
    const { startWindow, signalWaiting, path, payloadsOf, ...run } = await start({
      checkSession: sessionCheck({ status }),
    });
    const window = await startWindow();

    await signalWaiting(created(1, 0, 0));

    expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome }]);
    expect((await path(window)).at(-1)).toBe(end);
    expect((await run.describe(window)).status).toBe('SUCCEEDED');
  });

  it.each([
    ['NOT_FOUND', 'SessionNotFound'],
    ['ACTIVATING', 'UnexpectedSessionStatus'],
  ])('fails red on %s, with the window closed', async (status, error) => {
    const { startWindow, signalWaiting, payloadsOf, ...run } = await start({
      checkSession: sessionCheck({ status }),
    });
    const window = await startWindow();

    await signalWaiting(created(1, 0, 0));

    expect(payloadsOf('recordFailure')).toMatchObject([{ error, generation: 1 }]);
    expect(await run.describe(window)).toMatchObject({ status: 'FAILED', error });
  });
});

describe('a session that the service does not know', () => {
  /** What check-session tells of a session that is not found until then, with one look ten seconds after the other. */
  const notFound = (times: number): ScriptedFunction => {
    let looks = 0;
    return (payload) => {
      const isNotFound = payload['onlyIfSpare'] !== true && ++looks <= times;
      const check = isNotFound ? { status: 'NOT_FOUND', isUnconfirmed: looks === 1 } : {};
      return sessionCheck(check)(payload);
    };
  };

  it('is looked at again ten seconds later, with the time of the first 404', async () => {
    const { clock, startWindow, payloadsOf, ...run } = await start({ checkSession: notFound(2) });
    const window = await startWindow();
    await clock.advance(122 * SECOND);
    const before = (await run.describe(window)).status;

    await clock.advance(10 * SECOND);

    const told = payloadsOf('checkSession').map(({ notFoundSinceMs }) => Number(notFoundSinceMs) > 0);
    expect(before).toBe('RUNNING');
    expect(told).toEqual([false, true]);
    expect(await run.describe(window)).toMatchObject({ status: 'FAILED', error: 'SessionNotFound' });
  });

  it('goes on waiting when the second look finds it', async () => {
    const { clock, startWindow, payloadsOf, path, ...run } = await start({ checkSession: notFound(1) });
    const window = await startWindow();
    await clock.advance(133 * SECOND);

    expect((await path(window)).at(-1)).toBe('AwaitReconnection');
    expect((await run.describe(window)).status).toBe('RUNNING');
    expect(payloadsOf('recordFailure')).toEqual([]);
  });
});
