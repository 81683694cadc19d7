import { describe, expect, it } from 'vitest';
import {
  allDefinitions,
  type Definition,
  nextStates,
  type Retrier,
  type State,
} from '../helpers/definitions.ts';

/** AWS's list of Lambda errors to retry: Step Functions Developer Guide, "Handle transient Lambda exceptions". */
const AWS_LAMBDA_ERRORS = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/**
 * What a function that was killed or ran out of time or memory surfaces as, by its runtime's age. A retry there is
 * the same request, so the death of a process is no reason to end red.
 */
const ENDS_OF_A_PROCESS = ['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory'];
/** The one task whose retry is another request: a shell may have been minted. */
const NOT_REPEATED = new Set(['create-admin-shell/CreateAdminShell']);

/** A Catch that must not end red, and why. */
const GREEN_CATCHES: Readonly<Record<string, string>> = {
  'create-connection/SignalWindow': 'the answer is safe, and telling the window must never withhold it',
};

const definitions = allDefinitions();

function statesOf(definition: Definition, type: string): [string, State][] {
  return Object.entries(definition.States).filter(([, state]) => state.Type === type);
}

function reachableFrom(definition: Definition, start: string): Set<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = definition.States[name];
    if (state === undefined || seen.has(name)) continue;
    seen.add(name);
    open.push(...nextStates(state), ...(state.Catch ?? []).map(({ Next }) => Next));
  }
  return seen;
}

function retriers(definition: Definition): [string, Retrier][] {
  return Object.entries(definition.States).flatMap(([name, state]) =>
    (state.Retry ?? []).map((retrier): [string, Retrier] => [name, retrier]),
  );
}

it('there are definitions to check', () => {
  expect(definitions.map(({ name }) => name).sort()).toEqual([
    'create-admin-shell',
    'create-connection',
    'reconnection-window',
  ]);
});

describe.each(definitions)('$name', ({ name: machine, definition }) => {
  it('is JSONata, says what it promises, and ends by itself', () => {
    expect(definition.QueryLanguage).toBe('JSONata');
    expect(definition.Comment).toMatch(/Started by .*[Pp]romises/s);
    expect(definition.TimeoutSeconds).toBeGreaterThan(0);
  });

  it('names its states as verb phrases in PascalCase', () => {
    for (const name of Object.keys(definition.States)) expect(name).toMatch(/^([A-Z][a-z0-9]*)+$/);
  });

  it('has a timeout on every task', () => {
    for (const [name, state] of statesOf(definition, 'Task')) {
      expect(state.TimeoutSeconds, name).toBeDefined();
    }
  });

  it('has a Default in every choice', () => {
    for (const [name, state] of statesOf(definition, 'Choice')) expect(state.Default, name).toBeDefined();
  });

  it('retries what AWS says to retry, in every task', () => {
    for (const [name, state] of statesOf(definition, 'Task')) {
      const retried = (state.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(retried, name).toEqual(expect.arrayContaining(AWS_LAMBDA_ERRORS));
    }
  });

  it('retries a task whose function has died, where a retry is the same request', () => {
    for (const [name, { Retry = [] }] of statesOf(definition, 'Task')) {
      if (NOT_REPEATED.has(`${machine}/${name}`)) continue;
      const retried = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(retried, name).toEqual(expect.arrayContaining(ENDS_OF_A_PROCESS));
    }
  });

  it('backs off with full jitter, a cap and a bound, in every retrier', () => {
    for (const [name, retrier] of retriers(definition)) {
      expect(retrier.JitterStrategy, name).toBe('FULL');
      expect(retrier.MaxDelaySeconds, name).toBeGreaterThanOrEqual(retrier.IntervalSeconds ?? 1);
      expect(retrier.MaxAttempts, name).toBeGreaterThan(0);
      expect(retrier.BackoffRate, name).toBeGreaterThanOrEqual(1);
    }
  });

  it('names each error in one retrier of a state only', () => {
    for (const [name, state] of Object.entries(definition.States)) {
      const errors = (state.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(new Set(errors).size, name).toBe(errors.length);
    }
  });

  it('has States.ALL alone and last', () => {
    for (const [name, state] of Object.entries(definition.States)) {
      for (const rules of [state.Retry ?? [], state.Catch ?? []]) {
        rules.forEach(({ ErrorEquals }, index) => {
          if (!ErrorEquals.includes('States.ALL')) return;
          expect(ErrorEquals, name).toEqual(['States.ALL']);
          expect(index, name).toBe(rules.length - 1);
        });
      }
    }
  });

  it('catches everything, in every task', () => {
    for (const [name, state] of statesOf(definition, 'Task')) {
      expect(state.Catch?.at(-1)?.ErrorEquals, name).toEqual(['States.ALL']);
    }
  });

  it('can reach a Fail from every Catch', () => {
    for (const [name, state] of Object.entries(definition.States)) {
      for (const { Next } of state.Catch ?? []) {
        if (`${machine}/${name}` in GREEN_CATCHES) continue;
        const types = [...reachableFrom(definition, Next)].map((reached) => definition.States[reached]?.Type);
        expect(types, `${name} → ${Next}`).toContain('Fail');
      }
    }
  });

  it('has no state that nothing leads to', () => {
    expect([...reachableFrom(definition, definition.StartAt)].sort()).toEqual(
      Object.keys(definition.States).sort(),
    );
  });

  it('lists the happy path first and the ends last', () => {
    const types = Object.values(definition.States).map(({ Type }) => Type);
    const firstEnd = types.findIndex((type) => type === 'Succeed' || type === 'Fail');
    expect(types.slice(firstEnd).every((type) => type === 'Succeed' || type === 'Fail')).toBe(true);
    expect(Object.keys(definition.States)[0]).toBe(definition.StartAt);
  });
});

/** The delays of `attempts` retries at their longest: FULL jitter draws from 0 to this. */
function longestDelays(
  { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Infinity }: Retrier,
  attempts: number,
) {
  return Array.from({ length: attempts }, (_, index) =>
    Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** index),
  );
}

describe('create-connection', () => {
  const definition = definitions.find(({ name }) => name === 'create-connection')?.definition;
  const state = (name: string) => definition?.States[name];
  /** request-connection's CALLER_TIME_MS: no attempt begins later. */
  const callerSeconds = 20;

  it('ends within its own timeout when an attempt at the deadline succeeds and telling the window does not', () => {
    const signalWindow = state('SignalWindow');
    const [retrier] = signalWindow?.Retry ?? [];
    if (retrier === undefined) throw new Error('SignalWindow has a retrier.');
    const attempts = 1 + (retrier.MaxAttempts ?? 0);
    const delays = longestDelays(retrier, retrier.MaxAttempts ?? 0).reduce((sum, delay) => sum + delay, 0);

    const worstSeconds = callerSeconds + 1 + Number(signalWindow?.TimeoutSeconds) * attempts + delays;

    expect(worstSeconds).toBeLessThanOrEqual(definition?.TimeoutSeconds ?? 0);
  });

  it('ends within its own timeout when the attempt at the deadline fails and is waited for once more', () => {
    const longest = Math.max(
      ...(state('CreateConnection')?.Retry ?? []).map((retrier) =>
        Math.max(...longestDelays(retrier, retrier.MaxAttempts ?? 0)),
      ),
    );

    expect(callerSeconds + 1 + longest + 1).toBeLessThanOrEqual(definition?.TimeoutSeconds ?? 0);
  });

  it('answers before API Gateway gives up at 29 s', () => {
    expect(definition?.TimeoutSeconds).toBeLessThan(29);
  });
});

describe('create-admin-shell', () => {
  const definition = definitions.find(({ name }) => name === 'create-admin-shell')?.definition;
  /** request-admin-shell's CALLER_TIME_MS: no attempt of the function's own begins or ends later. */
  const callerSeconds = 20;
  /** audit.ts, PUBLISH_TIMEOUT_MS: before the execution and after it. */
  const recordSeconds = 2;

  it('ends within its own timeout when Lambda itself fails at the deadline', () => {
    const ofLambda = definition?.States['CreateAdminShell']?.Retry?.find(({ ErrorEquals }) =>
      ErrorEquals.includes('Lambda.ServiceException'),
    );
    if (ofLambda === undefined) throw new Error('CreateAdminShell retries what AWS says to retry.');
    const longest = Math.max(...longestDelays(ofLambda, ofLambda.MaxAttempts ?? 0));

    expect(callerSeconds + 1 + longest + 1).toBeLessThanOrEqual(definition?.TimeoutSeconds ?? 0);
  });

  it('leaves time for both records before API Gateway gives up at 29 s', () => {
    expect(Number(definition?.TimeoutSeconds) + 2 * recordSeconds).toBeLessThan(29);
  });

  it('retries nothing after which a shell may have been minted unnoticed by the function itself', () => {
    const retried = retriers(definition ?? { StartAt: '', States: {} }).flatMap(
      ([, { ErrorEquals }]) => ErrorEquals,
    );
    for (const error of [...ENDS_OF_A_PROCESS, 'States.Timeout', 'States.ALL']) {
      expect(retried).not.toContain(error);
    }
  });
});
