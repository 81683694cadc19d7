import { describe, expect, it } from 'vitest';
import {
  LONGEST_RETRY_DELAY_MS,
  SHORTEST_ATTEMPT_MS,
} from '../../functions/create-admin-shell/create-admin-shell.ts';
import { allDefinitions } from '../helpers/definitions.ts';
import { NO_ANSWER, type ScriptedFunction, startMachines, TaskError } from '../helpers/machines.ts';

const SHELL = {
  result: 'ADMIN_SHELL_CREATED',
  sessionId: 'ssm-session',
  streamUrl: 'wss://ssmmessages.us-west-2.amazonaws.com/v1/data-channel/ssm-session',
  tokenValue: 'token-value',
  createdAtMs: 1000,
};
const created: ScriptedFunction = () => SHELL;

/** Runs one request with the function that it invokes. */
async function askForShell(createAdminShell: ScriptedFunction, random = () => 0.5) {
  const machines = await startMachines({ createAdminShell }, random);
  const execution = await machines.askForShell();
  return { ...machines, execution, output: JSON.parse(execution.output ?? 'null') };
}

function failing(times: number, error: string, then: ScriptedFunction): ScriptedFunction {
  let calls = 0;
  return (payload) => {
    if (calls++ < times) throw new TaskError(error);
    return then(payload);
  };
}

const definition = allDefinitions().find(({ name }) => name === 'create-admin-shell')?.definition;
const retriers = definition?.States['CreateAdminShell']?.Retry ?? [];
const retriedErrors = retriers.flatMap(({ ErrorEquals, IntervalSeconds = 1 }) =>
  ErrorEquals.map((error) => [error, IntervalSeconds] as const),
);

describe('a request that ends green', () => {
  it('ends with the credentials', async () => {
    const { execution, output } = await askForShell(created);

    expect(execution.status).toBe('SUCCEEDED');
    expect(output).toEqual(SHELL);
  });

  it('hands the task the session, its own name and the deadline, and no more', async () => {
    const { invoked } = await askForShell(created);

    expect(invoked.map(({ payload }) => payload)).toEqual([
      {
        executionName: 'ABC123def4567-request',
        streamGroupId: 'sg-1AB2C3De4',
        streamSessionId: 'ABC123def4567',
        deadlineMs: expect.any(Number),
      },
    ]);
  });

  it.each(['NOT_FOUND', 'STATUS_WITHOUT_ADMIN_SHELL', 'REJECTED_BY_SERVICE'])(
    'without a shell says why, at once: %s',
    async (result) => {
      const { execution, output, calls } = await askForShell(() => ({ result, status: 'ERROR' }));

      expect(execution.status).toBe('SUCCEEDED');
      expect(execution.tookMs).toBeLessThan(1000);
      expect(output).toEqual({ result, status: 'ERROR' });
      expect(calls('createAdminShell')).toBe(1);
    },
  );
});

describe('a request that ends red', () => {
  it.each(['StreamSessionAccessNotReadyException', 'ThrottlingException'])(
    'has the name of the error that its time ran out with: %s',
    async (error) => {
      const { execution } = await askForShell(() => ({ result: 'OUT_OF_TIME', error }));

      expect(execution).toMatchObject({
        status: 'FAILED',
        error,
        cause: 'No admin shell could be created in time; the error says what was answered last.',
      });
    },
  );

  it('says so when no attempt could be made', async () => {
    const { execution } = await askForShell(() => ({ result: 'DEADLINE_PASSED' }));

    expect(execution).toMatchObject({
      status: 'FAILED',
      error: 'CallerDeadlinePassed',
      cause: "No attempt could be made before the caller's deadline.",
    });
  });

  it('quotes nothing of what failed', async () => {
    const { execution } = await askForShell(failing(1, 'UnexpectedError', created));

    expect(execution).toMatchObject({
      error: 'UnexpectedError',
      cause: 'No admin shell could be created in time; the error says what was answered last.',
    });
  });
});

describe('CreateAdminShell', () => {
  it.each(retriedErrors)(
    'is tried again after %s, half of %i s later on average',
    async (error, interval) => {
      const { execution, output, invoked } = await askForShell(failing(1, error, created));

      expect(execution.status).toBe('SUCCEEDED');
      expect(output).toEqual(SHELL);
      const [first, second] = invoked;
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBe(interval * 500);
      expect(second?.payload).toEqual(first?.payload);
    },
  );

  it.each([
    'UnexpectedError',
    'InvalidTaskInputError',
    'ConflictException',
    // A function that ended like this may well have minted a shell.
    'Lambda.Unknown',
    'Sandbox.Timedout',
    'Runtime.ExitError',
    'Runtime.OutOfMemory',
  ])('is never tried again after %s', async (error) => {
    const { execution, calls } = await askForShell(failing(1, error, created));

    expect(execution).toMatchObject({ status: 'FAILED', error });
    expect(calls('createAdminShell')).toBe(1);
  });

  it('is never tried again when it does not answer, and ends after 15 s', async () => {
    const { execution, calls } = await askForShell(() => NO_ANSWER);

    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Timeout', tookMs: 15_000 });
    expect(calls('createAdminShell')).toBe(1);
  });

  it('does not outlast the deadline by more than a second', async () => {
    const machines = await startMachines({ createAdminShell: () => NO_ANSWER });

    const { tookMs } = await machines.askForShell({ deadlineMs: machines.clock.nowMs() + 6000 });

    expect(tookMs).toBe(7000);
  });

  it('waits 0 to 2, then to 3, then to 4 s for access to become ready, as long as there is time', async () => {
    const { invoked, execution } = await askForShell(
      failing(5, 'StreamSessionAccessNotReadyException', created),
      () => 0.999,
    );

    expect(execution.status).toBe('SUCCEEDED');
    const waits = invoked.slice(1).map(({ atMs }, index) => atMs - (invoked[index]?.atMs ?? 0));
    expect(waits.map((waitMs) => Math.round(waitMs / 1000))).toEqual([2, 3, 4, 4, 4]);
  });

  it.each(['ThrottlingException', 'PermitNotAvailableException', 'InternalServerException'])(
    'gives up when its retries of %s are used up',
    async (error) => {
      const attempts = retriers.find(({ ErrorEquals }) => ErrorEquals.includes(error))?.MaxAttempts ?? 0;
      const { execution, calls } = await askForShell(failing(100, error, created), () => 0);

      expect(execution).toMatchObject({ status: 'FAILED', error });
      expect(calls('createAdminShell')).toBe(attempts + 1);
    },
  );
});

describe('the times of the task and of the machine', () => {
  it('agree on the longest wait between two attempts', () => {
    const caps = retriers.map(({ MaxDelaySeconds = 0 }) => MaxDelaySeconds * 1000);

    expect(Math.max(...caps)).toBe(LONGEST_RETRY_DELAY_MS);
  });

  it.each([0, 0.5, 0.999])(
    'end every request with the name of its error, before the deadline of 20 s: random %f',
    async (random) => {
      const notReady: ScriptedFunction = ({ deadlineMs }) => {
        const remainingMs = Number(deadlineMs) - machines.clock.nowMs();
        if (remainingMs < LONGEST_RETRY_DELAY_MS + SHORTEST_ATTEMPT_MS) {
          return { result: 'OUT_OF_TIME', error: 'StreamSessionAccessNotReadyException' };
        }
        // A permit is a second away: one call a second.
        return machines.clock.sleep(1000).then(() => {
          throw new TaskError('StreamSessionAccessNotReadyException');
        });
      };
      const machines = await startMachines({ createAdminShell: notReady }, () => random);

      const execution = await machines.askForShell();

      expect(execution).toMatchObject({ status: 'FAILED', error: 'StreamSessionAccessNotReadyException' });
      expect(execution.tookMs).toBeGreaterThan(11_000);
      expect(execution.tookMs).toBeLessThanOrEqual(20_000);
    },
  );
});
