import { describe, expect, it } from 'vitest';
import { CLOCK_SKEW_MS, LOSS_NOTICE_MS } from '../../functions/shared/window/deadline.ts';
import { allDefinitions } from '../helpers/definitions.ts';
import {
  NO_ANSWER,
  type ScriptedFunction,
  type SignalledState,
  startMachines,
  TaskError,
} from '../helpers/machines.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Step Functions' quota for the history of one execution. */
const MOST_HISTORY_EVENTS = 25_000;

/** What check-session returns of a session, with a deadline far away. */
function sessionCheck(overrides: Readonly<Record<string, unknown>> = {}): ScriptedFunction {
  return ({ pendingSinceMs, connectionTimeoutSeconds }) => ({
    status: 'PENDING_CLIENT_RECONNECTION',
    statusReason: null,
    statusChangedAtMs: pendingSinceMs,
    pendingSinceMs,
    connectionTimeoutSeconds,
    deadlineMs: Number(pendingSinceMs) + Number(connectionTimeoutSeconds) * SECOND,
    seenWaitingAtMs: pendingSinceMs,
    beforeLoss: false,
    overdue: false,
    ...overrides,
  });
}

/** What the first look of a window returns: in a storm it is left out, else it finds the session waiting. */
function firstLook(overrides: Readonly<Record<string, unknown>> = {}): ScriptedFunction {
  return (payload) => sessionCheck({ deadlineMs: payload['deadlineMs'], ...overrides })(payload);
}
const leftOut = firstLook({ status: 'UNREAD', seenWaitingAtMs: 0 });

const isFirstLook = ({ onlyIfSpare }: Readonly<Record<string, unknown>>) => onlyIfSpare === true;

/** Answers each call with the next of the scripts; the last one goes on. */
function inTurn(...scripts: readonly ScriptedFunction[]): ScriptedFunction {
  let call = 0;
  return (payload) => scripts[Math.min(call++, scripts.length - 1)]?.(payload);
}

const recorded: ScriptedFunction = ({ ackSeq, connectionAttempts }) => ({
  recorded: true,
  seq: ackSeq,
  connectionCreatedAtMs: 0,
  connectionAttempts,
});

async function start(
  functions: Readonly<Record<string, ScriptedFunction>> = {},
  random: () => number = () => 0.5,
  first: ScriptedFunction = firstLook(),
) {
  const later =
    functions['checkSession'] ?? sessionCheck({ status: 'TERMINATED', statusReason: 'reconnectionTimeout' });
  const machines = await startMachines(
    {
      registerTaskToken: () => null,
      recordOutcome: recorded,
      recordFailure: () => null,
      terminateSession: () => null,
      ...functions,
      checkSession: (payload) => (isFirstLook(payload) ? first : later)(payload),
    },
    random,
  );
  /** First looks left out. */
  const invokedAs = (key: string) =>
    machines.invoked.filter(({ functionKey, payload }) => functionKey === key && !isFirstLook(payload));
  return {
    ...machines,
    /** Signals whoever waits now. */
    signalWaiting: async (state: SignalledState) => {
      const waiting = machines.invoked.findLast(({ functionKey }) => functionKey === 'registerTaskToken');
      await machines.signal(waiting?.payload['taskToken'], state);
      await machines.clock.idle();
    },
    phases: () =>
      machines.invoked
        .filter(({ functionKey }) => functionKey === 'registerTaskToken')
        .map(({ payload }) => payload['phase']),
    payloadsOf: (key: string) => invokedAs(key).map(({ payload }) => payload),
    timesOf: (key: string, sinceMs: number) => invokedAs(key).map(({ atMs }) => (atMs - sinceMs) / SECOND),
  };
}

function created(seq: number, connectionCreatedAtMs: number, connectionAttempts = 1): SignalledState {
  return { seq, connectionCreatedAtMs, connectionAttempts };
}

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

describe('a session that is to end before its deadline', () => {
  const early = (endEarlyAtMs: number, seq = 1): SignalledState => ({
    ...created(seq, 0, 0),
    correction: { seq, deadlineMs: endEarlyAtMs + HOUR, connectionTimeoutSeconds: 120 },
    endEarlyAtMs,
    endEarlyFor: 'LEFT',
  });

  it('is terminated when its time comes, and recorded once the service has ended it', async () => {
    const { clock, startWindow, timesOf, payloadsOf, path } = await start({
      checkSession: inTurn(
        sessionCheck(),
        sessionCheck({ status: 'TERMINATING' }),
        sessionCheck({ status: 'TERMINATED' }),
      ),
      terminateSession: () => ({ isLifted: true }),
    });
    const startMs = clock.nowMs();
    const window = await startWindow({ endEarlyAtMs: startMs + 30 * SECOND, endEarlyFor: 'GIVE_UP' });

    await clock.advance(33 * SECOND);

    expect(timesOf('terminateSession', startMs)).toEqual([30]);
    expect(payloadsOf('terminateSession')).toMatchObject([{ endEarlyFor: 'GIVE_UP' }]);
    expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome: 'TERMINATED', isAbandoned: true }]);
    expect((await path(window)).at(-1)).toBe('Terminated');
  });

  it('is told so while it waits, without a look', async () => {
    const { clock, startWindow, signalWaiting, timesOf } = await start({ checkSession: sessionCheck() });
    const startMs = clock.nowMs();
    await startWindow();

    await clock.advance(5 * SECOND);
    await signalWaiting(early(startMs + 20 * SECOND));
    await clock.advance(15 * SECOND);

    expect(timesOf('checkSession', startMs).at(0)).toBe(20);
    expect(timesOf('terminateSession', startMs)).toEqual([20]);
  });

  it('goes on to its deadline when somebody has asked for it', async () => {
    const { clock, startWindow, timesOf } = await start({
      checkSession: sessionCheck(),
      terminateSession: () => ({ isLifted: true }),
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 10 * SECOND, endEarlyFor: 'LEFT' });

    await clock.advance(121 * SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([10, 10]);
    expect(timesOf('terminateSession', startMs)).toEqual([10]);
  });

  it('is tried again after 2, 4, 8 … s, a minute apart at most, while it cannot be terminated', async () => {
    const { clock, startWindow, timesOf } = await start({
      checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
      terminateSession: () => {
        throw new TaskError('PermitNotAvailableException');
      },
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 10 * SECOND, endEarlyFor: 'OPERATOR' });

    await clock.advance(HOUR);

    const times = timesOf('terminateSession', startMs);
    expect(times.slice(0, 8)).toEqual([10, 12, 16, 24, 40, 72, 132, 192]);
    expect(times).toHaveLength(20);
  });

  it('is not terminated while the service says CONNECTED, and no look is made for it', async () => {
    const { clock, startWindow, calls, timesOf } = await start({
      checkSession: sessionCheck({ status: 'CONNECTED', beforeLoss: true }),
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 15 * SECOND, endEarlyFor: 'LEFT' });

    await clock.advance(59 * SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([15]);
    expect(calls('terminateSession')).toBe(0);
  });

  it.each([
    ['GIVE_UP', []],
    ['LEFT', ['LEFT']],
  ])('after a connection that nobody used: %s', async (endEarlyFor, terminations) => {
    const { clock, startWindow, signalWaiting, payloadsOf } = await start({
      checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 15 * SECOND, endEarlyFor });

    await signalWaiting(created(1, startMs + 1));
    await clock.advance(15 * SECOND);

    expect(payloadsOf('terminateSession').map((payload) => payload['endEarlyFor'])).toEqual(terminations);
  });
});

describe('a session that outlives its window', () => {
  it.each([
    ['overdue', { overdue: true }],
    ['TERMINATING', { status: 'TERMINATING' }],
  ])(
    'is looked at after 2, 4, 8 … s, then every 15 minutes, while it is %s, and is no failure',
    async (_, check) => {
      const { clock, startWindow, timesOf, payloadsOf, ...run } = await start({
        checkSession: sessionCheck(check),
      });
      const deadlineMs = clock.nowMs() + 122 * SECOND;
      const window = await startWindow();

      await clock.advance(122 * SECOND + 2822 * SECOND);

      expect(timesOf('checkSession', deadlineMs)).toEqual([
        0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1922, 2822,
      ]);
      expect((await run.describe(window)).status).toBe('RUNNING');
      expect(payloadsOf('terminateSession')).toEqual([]);
    },
  );

  it('is recorded with how it ended, however late', async () => {
    const { clock, startWindow, payloadsOf, path } = await start({
      checkSession: inTurn(
        ...Array(12).fill(sessionCheck({ status: 'TERMINATING' })),
        sessionCheck({ status: 'ERROR' }),
      ),
    });
    const window = await startWindow();

    await clock.advance(2 * HOUR);

    expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome: 'ERRORED' }]);
    expect((await path(window)).at(-1)).toBe('Errored');
  });

  it('may be terminated five times, when that is switched on, each time by a look of the window', async () => {
    const { clock, startWindow, timesOf, payloadsOf } = await start({
      checkSession: sessionCheck({ overdue: true }),
    });
    const startMs = clock.nowMs();
    await startWindow({ terminateAbandoned: true });

    await clock.advance(10 * MINUTE);

    expect(timesOf('terminateSession', startMs + 122 * SECOND)).toEqual([0, 2, 6, 14, 30]);
    expect(payloadsOf('terminateSession')[0]).toMatchObject({ pendingSinceMs: startMs, marginSeconds: 2 });
  });

  it('whose player came back while there was no permit to terminate it is RECONNECTED', async () => {
    const { clock, startWindow, calls, path } = await start({
      checkSession: inTurn(sessionCheck({ overdue: true }), sessionCheck({ status: 'CONNECTED' })),
      terminateSession: () => {
        throw new TaskError('PermitNotAvailableException');
      },
    });
    const window = await startWindow({ terminateAbandoned: true });

    await clock.advance(122 * SECOND);

    expect(calls('terminateSession')).toBe(1);
    expect((await path(window)).at(-1)).toBe('Reconnected');
  });

  it('is terminated once, when that is switched on', async () => {
    const { clock, startWindow, calls, path, ...run } = await start({
      checkSession: inTurn(
        sessionCheck({ overdue: true }),
        sessionCheck({ overdue: true }),
        sessionCheck({ status: 'TERMINATING' }),
        sessionCheck({ status: 'TERMINATED' }),
      ),
    });
    const window = await startWindow({ terminateAbandoned: true });

    await clock.advance(122 * SECOND + 6 * SECOND);

    expect(calls('terminateSession')).toBe(1);
    expect((await path(window)).at(-1)).toBe('Terminated');
    expect((await run.describe(window)).status).toBe('SUCCEEDED');
  });

  it('still lets its player in when the service does', async () => {
    const { clock, startWindow, signalWaiting, phases } = await start({
      checkSession: sessionCheck({ overdue: true }),
    });
    await startWindow();
    await clock.advance(122 * SECOND);

    await signalWaiting(created(1, clock.nowMs()));

    expect(phases()).toEqual(['AWAITING_RECONNECTION', 'AWAITING_END', 'AWAITING_CLIENT']);
  });
});

/** A read that fails while the service is away, which a test ends. */
function awayService(error: string, back: ScriptedFunction = sessionCheck({ status: 'TERMINATED' })) {
  const service = { isAway: true };
  const checkSession: ScriptedFunction = (payload) => (service.isAway ? failWith(error) : back(payload));
  return { service, checkSession };
}

describe('a window whose session cannot be read', () => {
  const outages = [
    'ThrottlingException',
    'InternalServerException',
    'PermitNotAvailableException',
    'DependencyUnavailableException',
    'ServiceAccessDeniedException',
    'States.Timeout',
    'Lambda.ServiceException',
    'Lambda.TooManyRequestsException',
    'Sandbox.Timedout',
  ];

  it.each(outages)(
    'waits for the service after %s, and records the outcome when it is back',
    async (error) => {
      const { service, checkSession } = awayService(error);
      const { clock, startWindow, payloadsOf, path, ...run } = await start({ checkSession });
      const window = await startWindow();
      await clock.advance(6 * HOUR);
      expect((await run.describe(window)).status).toBe('RUNNING');

      service.isAway = false;
      await clock.advance(31 * MINUTE);

      expect(payloadsOf('recordFailure')).toEqual([]);
      expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome: 'TERMINATED' }]);
      expect((await path(window)).at(-1)).toBe('Terminated');
    },
  );

  it('looks again after 1, 2, 4, 8 minutes, and every 15 minutes from then on', async () => {
    const { checkSession } = awayService('InternalServerException');
    const { clock, startWindow, payloadsOf, invoked } = await start({ checkSession });
    await startWindow();

    await clock.advance(2 * HOUR);

    const waits = invoked.filter(({ payload }) => payload['serviceChecks'] !== undefined);
    const pauses = waits.slice(0, 6).map(({ atMs }) => {
      const next = invoked.find((call) => call.functionKey === 'checkSession' && call.atMs > atMs);
      return ((next?.atMs ?? 0) - atMs) / MINUTE;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 15, 15]);
    expect(waits.slice(0, 3).map(({ payload }) => payload['serviceChecks'])).toEqual([1, 2, 3]);
    expect(payloadsOf('recordFailure')).toEqual([]);
  });

  it('looks when it is woken, and begins again with a minute after a read that succeeds', async () => {
    const { service, checkSession } = awayService('InternalServerException', sessionCheck({ overdue: true }));
    const { clock, startWindow, signalWaiting, payloadsOf } = await start({ checkSession });
    await startWindow();
    await clock.advance(30 * MINUTE);
    service.isAway = false;

    await signalWaiting(created(0, 0, 0));
    service.isAway = true;
    await clock.advance(MINUTE);

    const [overdue, away] = payloadsOf('registerTaskToken').slice(-2);
    expect(overdue).toMatchObject({ phase: 'AWAITING_END' });
    expect(overdue).not.toHaveProperty('serviceChecks');
    expect(away).toMatchObject({ phase: 'AWAITING_END', serviceChecks: 1 });
  });

  it('says what it waits for besides, so that players go on asking until the deadline', async () => {
    const { checkSession } = awayService('InternalServerException');
    const { clock, startWindow, signalWaiting, payloadsOf } = await start({ checkSession });
    await startWindow();
    const waits = () =>
      payloadsOf('registerTaskToken')
        .filter(({ serviceChecks }) => serviceChecks !== undefined)
        .map(({ phase }) => phase);

    await signalWaiting(created(1, 0, 0));
    await clock.advance(40 * SECOND);
    expect(waits()).toEqual(['AWAITING_RECONNECTION']);
    await signalWaiting(created(2, clock.nowMs()));
    await clock.advance(40 * SECOND);
    expect(waits()).toEqual(['AWAITING_RECONNECTION', 'AWAITING_CLIENT']);
    await clock.advance(10 * MINUTE);
    expect(waits().at(-1)).toBe('AWAITING_END');
  });

  it.each(['Runtime.OutOfMemory', 'UnexpectedError'])('is failed by %s, which is a defect', async (error) => {
    const { checkSession } = awayService(error);
    const { clock, startWindow, ...run } = await start({ checkSession });
    const window = await startWindow();

    await clock.advance(10 * MINUTE);

    expect(await run.describe(window)).toMatchObject({ status: 'FAILED', error });
  });
});

describe('the history of a window', () => {
  const aDay = async (functions: Readonly<Record<string, ScriptedFunction>>, random: () => number) => {
    const { clock, startWindow, ...run } = await start(functions, random);
    const window = await startWindow();
    await clock.advance(25 * HOUR);
    expect((await run.describe(window)).status).toBe('TIMED_OUT');
    return run.historyLength(window);
  };

  it.each(['PermitNotAvailableException', 'InternalServerException', 'Lambda.TooManyRequestsException'])(
    'stays below its quota in 25 hours of %s, even when jitter makes no pause',
    async (error) => {
      const { checkSession } = awayService(error);

      expect(await aDay({ checkSession }, () => 0)).toBeLessThan(MOST_HISTORY_EVENTS / 1.5);
    },
  );

  it('stays below its quota in 25 hours of TERMINATING', async () => {
    const checkSession = sessionCheck({ status: 'TERMINATING' });

    expect(await aDay({ checkSession }, () => 0.5)).toBeLessThan(MOST_HISTORY_EVENTS / 10);
  });

  it('stays below its quota when somebody signals the window without end', async () => {
    let seq = 0;
    const { clock, startWindow, signal, ...run } = await start({
      checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
      registerTaskToken: ({ taskToken }) => {
        seq += 1;
        void signal(taskToken, { seq, connectionCreatedAtMs: 0, connectionAttempts: 0 });
        return null;
      },
    });
    const window = await startWindow();

    await clock.advance(25 * HOUR);

    expect((await run.describe(window)).status).toBe('TIMED_OUT');
    expect(await run.historyLength(window)).toBeLessThan(MOST_HISTORY_EVENTS / 1.5);
  });
});

it('the machine ends by itself after 25 hours of being signalled', async () => {
  const { clock, startWindow, ...run } = await start({
    checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
  });
  const window = await startWindow({ deadlineMs: Date.UTC(2027, 0, 1) });

  await clock.advance(25 * 60 * MINUTE);

  expect((await run.describe(window)).status).toBe('TIMED_OUT');
});

/** How to bring a window to each of its tasks, which then is made to fail. */
const tasks: Readonly<
  Record<
    string,
    {
      functionKey: string;
      phase?: string;
      /** Of the waits that share a phase, the one for the service. */
      waitsForService?: boolean;
      check?: Readonly<Record<string, unknown>>;
      terminateAbandoned?: boolean;
    }
  >
> = {
  AwaitReconnection: { functionKey: 'registerTaskToken', phase: 'AWAITING_RECONNECTION' },
  AwaitClient: { functionKey: 'registerTaskToken', phase: 'AWAITING_CLIENT' },
  AwaitEnd: { functionKey: 'registerTaskToken', phase: 'AWAITING_END', check: { status: 'TERMINATING' } },
  AwaitService: { functionKey: 'registerTaskToken', waitsForService: true },
  LookAtOnce: { functionKey: 'checkSession' },
  CheckSession: { functionKey: 'checkSession', check: { status: 'CONNECTED' } },
  TerminateSession: {
    functionKey: 'terminateSession',
    check: { overdue: true },
    terminateAbandoned: true,
  },
  RecordOutcome: { functionKey: 'recordOutcome', check: { status: 'CONNECTED' } },
  RecordFailure: { functionKey: 'recordFailure', check: { status: 'NOT_FOUND' } },
};

/**
 * Runs a window to the task, with `fail` deciding what each of the task's invocations answers: for a day, or until the task
 * has been attempted so many times.
 */
async function runTo(
  taskName: string,
  fail: (attempt: number) => unknown,
  attempts = Number.POSITIVE_INFINITY,
) {
  const task = tasks[taskName];
  if (task === undefined) throw new Error(`No way to ${taskName} is known.`);
  const attemptsAtMs: number[] = [];
  const usual: Record<string, ScriptedFunction> = {
    registerTaskToken: ({ taskToken, phase }) => {
      const connected = phase === 'AWAITING_RECONNECTION' ? 1 : 2;
      if (phase !== 'AWAITING_END') void signal(taskToken, created(connected, connected));
      return null;
    },
    checkSession: (payload) => {
      if (isFirstLook(payload)) return firstLook()(payload);
      if (task.waitsForService) return failWith('Lambda.SdkClientException');
      return sessionCheck(task.check ?? { status: 'CONNECTED' })(payload);
    },
    recordOutcome: recorded,
    recordFailure: () => null,
    terminateSession: () => null,
  };
  const script = usual[task.functionKey];
  const { clock, startWindow, signal, ...run } = await startMachines({
    ...usual,
    [task.functionKey]: (payload) => {
      if (task.phase !== undefined && payload['phase'] !== task.phase) return script?.(payload);
      if (isFirstLook(payload) !== (taskName === 'LookAtOnce')) return script?.(payload);
      if (task.waitsForService && payload['serviceChecks'] === undefined) return script?.(payload);
      attemptsAtMs.push(clock.nowMs());
      const failure = fail(attemptsAtMs.length);
      return failure === undefined ? script?.(payload) : failure;
    },
  });
  const window = await startWindow({ terminateAbandoned: task.terminateAbandoned ?? false });
  await clock.run(clock.nowMs() + 24 * HOUR, () => attemptsAtMs.length >= attempts);
  return { attemptsAtMs, path: await run.path(window), execution: await run.describe(window) };
}

function failWith(error: string): unknown {
  if (error === 'States.Timeout') return NO_ANSWER;
  throw new TaskError(error);
}

/** The first, and a timeout, which takes time of its own: that the engine matches every name is its own test. */
const representatives = (errors: readonly string[]) =>
  errors.filter((error, index) => index === 0 || error === 'States.Timeout');

const definition = allDefinitions().find(({ name }) => name === 'reconnection-window')?.definition;
const taskStates = Object.entries(definition?.States ?? {}).filter(([, { Type }]) => Type === 'Task');

it('every task of the machine is brought to fail', () => {
  expect(Object.keys(tasks).sort()).toEqual(taskStates.map(([name]) => name).sort());
});

describe('LookAtOnce', () => {
  it.each(['Lambda.Unknown', 'UnexpectedError', 'InternalServerException', 'States.Timeout'])(
    'never fails the window, whatever it meets: %s',
    async (error) => {
      const { clock, startWindow, path } = await start({}, undefined, () => failWith(error));
      const window = await startWindow();

      await clock.advance(10 * MINUTE);

      expect((await path(window)).slice(0, 3)).toEqual(['OpenWindow', 'LookAtOnce', 'AwaitReconnection']);
      expect((await path(window)).at(-1)).toBe('Terminated');
    },
  );
});

describe('TerminateSession', () => {
  it.each(['Lambda.Unknown', 'UnexpectedError', 'ThrottlingException', 'States.Timeout'])(
    'never fails the window, whatever it meets: %s',
    async (error) => {
      const { clock, startWindow, path } = await start({
        checkSession: inTurn(sessionCheck({ overdue: true }), sessionCheck({ status: 'TERMINATED' })),
        terminateSession: () => failWith(error),
      });
      const window = await startWindow({ terminateAbandoned: true });

      await clock.advance(10 * MINUTE);

      expect((await path(window)).slice(-6)).toEqual([
        'TerminateSession',
        'CheckSession',
        'DecideByStatus',
        'RecordOutcome',
        'WhichOutcome',
        'Terminated',
      ]);
    },
  );
});

describe.each(taskStates)('%s', (taskName, state) => {
  const retriers = state.Retry ?? [];

  it.each(
    retriers.flatMap((retrier) =>
      representatives(retrier.ErrorEquals).map((error) => [error, retrier.IntervalSeconds] as const),
    ),
  )(
    'is tried again after %s, half its first interval later by a random number of 0.5',
    async (error, interval) => {
      const failOnce = (attempt: number) => (attempt === 1 ? failWith(error) : undefined);
      const { attemptsAtMs } = await runTo(taskName, failOnce, 2);

      const [first = 0, second = 0] = attemptsAtMs;
      const timeoutSeconds = error === 'States.Timeout' ? Number(state.TimeoutSeconds) : 0;
      expect((second - first) / SECOND).toBe(timeoutSeconds + (interval ?? 1) / 2);
    },
  );

  const waitsForService = (error: string) =>
    (state.Catch ?? []).some(
      ({ ErrorEquals, Next }) => Next === 'AwaitService' && ErrorEquals.includes(error),
    );
  it('waits for the service after every error of a retrier, or after none', () => {
    for (const { ErrorEquals } of retriers) {
      expect(new Set(ErrorEquals.map(waitsForService)).size, ErrorEquals.join()).toBe(1);
    }
  });

  const exhausted = retriers.flatMap((retrier) =>
    retrier.ErrorEquals.map((error) => [error, retrier, waitsForService(error)] as const),
  );
  // One error of a retrier stands for the others, because they all wait or all do not.
  const firstOfEach = exhausted.filter(
    ([, retrier, waits], index) =>
      exhausted.findIndex(([, of, alsoWaits]) => of === retrier && alsoWaits === waits) === index,
  );
  const waiting = firstOfEach.filter(([, , waits]) => waits);
  // Terminations and first looks are best effort: what they meet never fails the window, below.
  const mayFail = taskName !== 'TerminateSession' && taskName !== 'LookAtOnce';
  const failing = firstOfEach.filter(([, , waits]) => mayFail && !waits);

  it.runIf(waiting.length > 0).each(waiting)(
    'waits for the service after its retries of %s, and then goes on',
    async (error, { MaxAttempts = 3 }) => {
      const { attemptsAtMs, path, execution } = await runTo(taskName, (attempt) =>
        attempt <= 1 + MaxAttempts ? failWith(error) : undefined,
      );

      expect(attemptsAtMs).toHaveLength(2 + MaxAttempts);
      expect(path).toContain('AwaitService');
      expect(execution.status).toBe('SUCCEEDED');
    },
  );

  it.runIf(failing.length > 0).each(failing)(
    'gives up after its retries of %s, and the window fails',
    async (error, { MaxAttempts = 3 }) => {
      const { attemptsAtMs, execution } = await runTo(taskName, () => failWith(error));

      expect(attemptsAtMs).toHaveLength(1 + MaxAttempts);
      const expected = taskName === 'RecordFailure' ? 'SessionNotFound' : error;
      expect(execution).toMatchObject({ status: 'FAILED', error: expected });
    },
  );

  it.runIf(mayFail)(
    'is not tried again after an error that it does not know, and the window fails with it',
    async () => {
      const { attemptsAtMs, execution, path } = await runTo(taskName, () => failWith('WindowNotOpenError'));

      expect(attemptsAtMs).toHaveLength(1);
      const expected = taskName === 'RecordFailure' ? 'SessionNotFound' : 'WindowNotOpenError';
      expect(execution).toMatchObject({ status: 'FAILED', error: expected });
      expect(path.slice(-2)).toEqual(['RecordFailure', 'WindowFailed']);
    },
  );
});
