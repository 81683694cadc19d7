import { describe, expect, it } from 'vitest';
import { allDefinitions } from '../helpers/definitions.ts';
import { NO_ANSWER, type ScriptedFunction, startMachines, TaskError } from '../helpers/machines.ts';

const ANSWER = '{"type":"answer","sdp":"v=0"}';

const created: ScriptedFunction = ({ retryCount }) => ({
  result: 'CONNECTION_CREATED',
  signalResponse: ANSWER,
  connectionCreatedAtMs: 1000,
  connectionAttempts: Number(retryCount) + 1,
});

/** Runs one request with the two functions that it invokes. */
async function connect(functions: Readonly<Record<string, ScriptedFunction>> = {}, random = () => 0.5) {
  const machines = await startMachines(
    { createConnection: created, signalWindow: () => null, ...functions },
    random,
  );
  const execution = await machines.connect();
  const payloadsOf = (key: string) =>
    machines.invoked.filter(({ functionKey }) => functionKey === key).map(({ payload }) => payload);
  return { ...machines, execution, output: JSON.parse(execution.output ?? 'null'), payloadsOf };
}

/** The next of the scripts at each call; the last one goes on. */
function failing(times: number, fail: () => unknown, then: ScriptedFunction): ScriptedFunction {
  let calls = 0;
  return (payload) => (calls++ < times ? fail() : then(payload));
}

function failWith(error: string): unknown {
  if (error === 'States.Timeout') return NO_ANSWER;
  throw new TaskError(error);
}

const definition = allDefinitions().find(({ name }) => name === 'create-connection')?.definition;
const retriersOf = (state: string) => definition?.States[state]?.Retry ?? [];
const errorsOf = (state: string) =>
  retriersOf(state).flatMap(({ ErrorEquals, IntervalSeconds = 1 }) =>
    ErrorEquals.map((error) => [error, IntervalSeconds] as const),
  );

describe('a request that the service takes', () => {
  it('ends with the answer, after telling the window', async () => {
    const { execution, output, payloadsOf } = await connect();

    expect(execution.status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ result: 'CONNECTION_CREATED', signalResponse: ANSWER });
    expect(payloadsOf('signalWindow')).toEqual([
      {
        executionName: 'ABC123def4567-request',
        streamGroupId: 'sg-1AB2C3De4',
        streamSessionId: 'ABC123def4567',
        connectionCreatedAtMs: 1000,
        connectionAttempts: 1,
      },
    ]);
  });

  it('hands the window neither the offer nor the answer nor the token', async () => {
    const { payloadsOf } = await connect();

    const told = JSON.stringify(payloadsOf('signalWindow'));
    for (const secret of ['offer', 'answer', 'v=0', 'token']) expect(told).not.toContain(secret);
  });
});

describe('a request that the service refuses', () => {
  it.each(['NOT_FOUND', 'OFFER_REJECTED', 'ALREADY_CONNECTED', 'SESSION_ENDED', 'NOT_RECONNECTABLE'])(
    'ends green with %s, and tells the window nothing',
    async (result) => {
      const { execution, output, payloadsOf } = await connect({ createConnection: () => ({ result }) });

      expect(execution.status).toBe('SUCCEEDED');
      expect(output).toEqual({ result });
      expect(payloadsOf('signalWindow')).toEqual([]);
    },
  );

  it('ends red when the deadline has passed before an attempt', async () => {
    const { execution, payloadsOf } = await connect({
      createConnection: () => ({ result: 'DEADLINE_PASSED' }),
    });

    expect(execution).toMatchObject({ status: 'FAILED', error: 'CallerDeadlinePassed' });
    expect(payloadsOf('signalWindow')).toEqual([]);
  });
});

describe('CreateConnection', () => {
  it.each(errorsOf('CreateConnection'))(
    'is tried again after %s with the same request',
    async (error, interval) => {
      const createConnection = failing(1, () => failWith(error), created);
      const { execution, output, invoked, payloadsOf } = await connect({ createConnection });

      expect(execution.status).toBe('SUCCEEDED');
      expect(output.connectionAttempts).toBe(2);
      const [first, second] = payloadsOf('createConnection');
      expect(second).toEqual({ ...first, retryCount: 1 });
      const [firstCall, secondCall] = invoked;
      const waitedMs = (secondCall?.atMs ?? 0) - (firstCall?.atMs ?? 0);
      // The task's own timeout: a second after the caller's 20.
      expect(waitedMs).toBe((error === 'States.Timeout' ? 21_000 : 0) + interval * 500);
    },
  );

  it.each(
    retriersOf('CreateConnection').map(({ ErrorEquals: [error = ''], MaxAttempts = 3 }) => [
      error,
      MaxAttempts,
    ]),
  )('gives up after its retries of %s and ends red with it, inside 28 s', async (error, attempts) => {
    const { execution, calls } = await connect(
      { createConnection: () => failWith(String(error)) },
      () => 0.999,
    );

    expect(calls('createConnection')).toBe(Number(attempts) + 1);
    expect(execution).toMatchObject({ status: 'FAILED', error });
    expect(execution.tookMs).toBeLessThanOrEqual(28_000);
  });

  it('is not tried again after an error that it does not know', async () => {
    const { execution, calls } = await connect({ createConnection: () => failWith('UnexpectedError') });

    expect(calls('createConnection')).toBe(1);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'UnexpectedError' });
  });

  it('gives its failure a cause that quotes nothing', async () => {
    const { execution } = await connect({ createConnection: () => failWith('UnexpectedError') });

    expect(execution.cause).toBe(
      'The service did not take the offer in time; the error says what it answered last.',
    );
  });

  it('does not outlast the deadline by more than a second when it never answers', async () => {
    const machines = await startMachines({ createConnection: () => NO_ANSWER, signalWindow: () => null });
    const { tookMs, status } = await machines.connect({ deadlineMs: machines.clock.nowMs() + 2000 });

    // Three attempts of 3, 1 and 1 s, and two waits of half a second and a second.
    expect(status).toBe('FAILED');
    expect(tookMs).toBeLessThanOrEqual(7000);
  });
});

/** The next of the results at each call or look; the last one goes on. */
function answering(...results: readonly object[]): ScriptedFunction {
  let calls = 0;
  return () => results[Math.min(calls++, results.length - 1)];
}

const HOLD = { result: 'LOSS_NOT_NOTICED', canWait: true };

describe('a loss that the service has not noticed', () => {
  it('is looked at 1, 2 and 4 s apart until ten seconds before the deadline', async () => {
    const { execution, output, invoked } = await connect({ createConnection: () => HOLD });

    expect(execution.status).toBe('SUCCEEDED');
    expect(output).toEqual(HOLD);
    const [first] = invoked;
    expect(invoked.map(({ payload, atMs }) => [payload['look'], atMs - (first?.atMs ?? 0)])).toEqual([
      [undefined, 0],
      ['AFTER_WAIT', 1000],
      ['AFTER_WAIT', 3000],
      ['AFTER_WAIT', 7000],
      ['AFTER_WAIT', 10_000],
    ]);
  });

  it('is followed by one call, at once, when a look sees the session wait', async () => {
    const createConnection = answering(
      HOLD,
      HOLD,
      { result: 'CALL_NOW' },
      created({ retryCount: 0 }) as object,
    );
    const { output, invoked } = await connect({ createConnection });

    expect(output).toMatchObject({ result: 'CONNECTION_CREATED' });
    const calls = invoked.filter(({ functionKey }) => functionKey === 'createConnection');
    expect(
      calls.map(({ payload }) => [payload['look'], payload['sessionWaits'], payload['retryCount']]),
    ).toEqual([
      [undefined, false, 0],
      ['AFTER_WAIT', undefined, 0],
      ['AFTER_WAIT', undefined, 0],
      [undefined, true, 0],
    ]);
  });

  it('is not waited for when the read quota has nothing to spare', async () => {
    const refused = { ...HOLD, canWait: false };
    const { output, calls, execution } = await connect({ createConnection: () => refused });

    expect(output).toEqual(refused);
    expect(calls('createConnection')).toBe(1);
    expect(execution.tookMs).toBe(0);
  });

  it('is not waited for when less than eleven seconds are left', async () => {
    const machines = await startMachines({ createConnection: () => HOLD, signalWindow: () => null });
    const { status } = await machines.connect({ deadlineMs: machines.clock.nowMs() + 10_900 });

    expect(status).toBe('SUCCEEDED');
    expect(machines.calls('createConnection')).toBe(1);
  });
});

describe('LookAtSession', () => {
  const refused = { result: 'REFUSED', fault: 'INVALID' };

  it.each([
    'ThrottlingException',
    'PermitNotAvailableException',
    'InternalServerException',
    'Lambda.Unknown',
  ])('repeats the read after %s, and not the call', async (error) => {
    let calls = 0;
    const { output, payloadsOf } = await connect({
      createConnection: () => {
        calls++;
        if (calls === 1) return refused;
        if (calls === 2) throw new TaskError(error);
        return { result: 'ALREADY_CONNECTED' };
      },
    });

    expect(output).toEqual({ result: 'ALREADY_CONNECTED' });
    expect(payloadsOf('createConnection').map(({ look }) => look)).toEqual([undefined, 'INVALID', 'INVALID']);
  });

  it.each(['ConflictException', 'SessionAnsweredException'])(
    'leads to the next call a second after %s, which counts as the second',
    async (error) => {
      let calls = 0;
      const { output, payloadsOf } = await connect({
        createConnection: (payload) => {
          calls++;
          if (calls === 1) return { ...refused, fault: 'CONFLICT' };
          if (calls === 2) throw new TaskError(error);
          return created(payload);
        },
      });

      expect(output).toMatchObject({ result: 'CONNECTION_CREATED', connectionAttempts: 2 });
      expect(payloadsOf('createConnection').map(({ look }) => look)).toEqual([
        undefined,
        'CONFLICT',
        undefined,
      ]);
    },
  );

  it('ends red with what the read failed with last, inside 28 s', async () => {
    let calls = 0;
    const { execution } = await connect(
      {
        createConnection: () => {
          if (calls++ === 0) return refused;
          throw new TaskError('PermitNotAvailableException');
        },
      },
      () => 0.999,
    );

    expect(execution).toMatchObject({ status: 'FAILED', error: 'PermitNotAvailableException' });
    expect(execution.tookMs).toBeLessThanOrEqual(28_000);
  });
});

describe('SignalWindow', () => {
  it.each(errorsOf('SignalWindow'))('is tried again after %s', async (error) => {
    const { execution, calls } = await connect({
      signalWindow: failing(
        1,
        () => failWith(error),
        () => null,
      ),
    });

    expect(execution.status).toBe('SUCCEEDED');
    expect(calls('signalWindow')).toBe(2);
  });

  it.each([
    ['an error that is retried', (): unknown => failWith('DependencyUnavailableException'), 2],
    ['an error that is not', (): unknown => failWith('UnexpectedError'), 1],
    ['no answer', (): unknown => NO_ANSWER, 1],
  ] as const)('never withholds the answer, after %s', async (_, signalWindow, attempts) => {
    const { execution, output, calls } = await connect({ signalWindow });

    expect(execution.status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ result: 'CONNECTION_CREATED', signalResponse: ANSWER });
    expect(calls('signalWindow')).toBe(attempts);
  });
});

it('the machine ends by itself after 28 s', async () => {
  const slow = failing(
    2,
    () => NO_ANSWER,
    () => NO_ANSWER,
  );
  const machines = await startMachines({ createConnection: slow, signalWindow: () => null });

  const { status, tookMs } = await machines.connect({ deadlineMs: machines.clock.nowMs() + 3_600_000 });

  expect(status).toBe('TIMED_OUT');
  expect(tookMs).toBe(28_000);
});
