import { describe, expect, it } from 'vitest';
import { allDefinitions } from '../helpers/definitions.ts';
import { type ScriptedFunction, startMachines } from '../helpers/machines.ts';
import {
  awayService,
  created,
  failWith,
  firstLook,
  HOUR,
  inTurn,
  isFirstLook,
  MINUTE,
  recorded,
  SECOND,
  sessionCheck,
  start,
} from './window-machine.ts';

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
