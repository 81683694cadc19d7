import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type LambdaFailure, type LambdaResult, systemClock, VirtualClock } from 'local-server-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LambdaFunction, type LocalLambda, startLambda } from '../lambda/lambda.ts';

const NAME = 'shop-local-greet';

let directory: string;
let lambda: LocalLambda | undefined;
let logs: string[] = [];
let bundles = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lambda-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

afterEach(async () => {
  await lambda?.close();
  lambda = undefined;
});

/** Bundles `source` as the service's own functions are bundled, and starts a Lambda that has nothing else. */
async function start(
  source: string,
  {
    clock = systemClock,
    ...overrides
  }: Partial<LambdaFunction> & { clock?: VirtualClock | typeof systemClock } = {},
): Promise<LocalLambda> {
  const bundlePath = join(directory, `bundle-${bundles++}`, 'handler.mjs');
  await build({
    stdin: { contents: source, loader: 'ts' },
    outfile: bundlePath,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  logs = [];
  lambda = startLambda({
    functions: [
      { name: NAME, bundlePath, handlerName: 'handler', timeoutSeconds: 5, environment: {}, ...overrides },
    ],
    clock,
    onLog: (functionName, line) => logs.push(`${functionName}: ${line}`),
  });
  return lambda;
}

function failureOf(result: LambdaResult): LambdaFailure {
  if (result.ok) throw new Error(`The invocation succeeded with ${JSON.stringify(result.payload)}.`);
  return result.failure;
}

describe('an invocation', () => {
  it('gets its payload and replies, both as JSON', async () => {
    // Prepare
    const { invoke } = await start(
      'export const handler = async (event) => ({ event, at: new Date(0), nothing: undefined });',
    );

    // Act
    const result = await invoke(NAME, { list: [1, null], gone: undefined, at: new Date(0) });

    // Assess
    expect(result).toEqual({
      ok: true,
      payload: { event: { list: [1, null], at: '1970-01-01T00:00:00.000Z' }, at: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('that returns nothing replies null, and one without a payload gets an empty event', async () => {
    const { invoke } = await start(
      'export const handler = async (event) => void console.log(JSON.stringify(event));',
    );
    expect(await invoke(NAME, undefined)).toEqual({ ok: true, payload: null });
    await vi.waitFor(() => expect(logs).toEqual([`${NAME}: {}`]));
  });

  it("finds the function by its ARN, and gets Lambda's context", async () => {
    // Prepare
    const arn = `arn:aws:lambda:us-west-2:123456789012:function:${NAME}`;
    const { invoke } = await start(
      `export const handler = async (_event, context) =>
        ({ ...context, remaining: context.getRemainingTimeInMillis() });`,
      { memoryMegabytes: 256 },
    );

    // Act
    const result = await invoke(arn, {}, { requestId: 'the-same-again' });

    // Assess
    expect(result).toMatchObject({
      ok: true,
      payload: {
        functionName: NAME,
        functionVersion: '$LATEST',
        invokedFunctionArn: arn,
        awsRequestId: 'the-same-again',
        memoryLimitInMB: '256',
        logGroupName: `/aws/lambda/${NAME}`,
      },
    });
    expect(result).toHaveProperty('payload.remaining', expect.closeTo(5000, -3));
  });

  it('of a function that is not there is refused as Lambda refuses it', async () => {
    const { invoke } = await start('export const handler = async () => 1;');
    expect(failureOf(await invoke('gone', {})).errorType).toBe('Lambda.ResourceNotFoundException');
  });

  it('shares its worker with others at the same time', async () => {
    // Prepare: each waits until all three are there.
    const { invoke } = await start(`
      const waiting = [];
      export const handler = (event) => new Promise((resolve) => {
        waiting.push(() => resolve(event));
        if (waiting.length === 3) for (const go of waiting) go();
      });`);

    // Act
    const results = await Promise.all([1, 2, 3].map((event) => invoke(NAME, event)));

    // Assess
    expect(results).toEqual([1, 2, 3].map((payload) => ({ ok: true, payload })));
  });

  it.each([
    ['the request', 'Lambda.RequestTooLargeException', 'async () => 1', 'x'.repeat(6 * 1024 * 1024)],
    ['the reply', 'Function.ResponseSizeTooLarge', "async () => 'x'.repeat(7 * 1024 * 1024)", 'x'],
  ])('fails when %s is over 6 MB', async (_title, errorType, handler, payload) => {
    const { invoke } = await start(`export const handler = ${handler};`);
    expect(failureOf(await invoke(NAME, payload)).errorType).toBe(errorType);
  });
});

describe("a function's environment", () => {
  it('is its own: what it is configured with and what Lambda sets, without the host’s', async () => {
    // Prepare
    vi.stubEnv('HOST_SECRET', 'secret');
    vi.stubEnv('AWS_PROFILE', 'production');
    const { invoke } = await start('export const handler = async () => process.env;', {
      memoryMegabytes: 256,
      environment: {
        TABLE_NAME: 'table',
        NODE_OPTIONS: '--enable-source-maps',
        AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:2',
        AWS_SECRET_ACCESS_KEY: 'real',
      },
    });

    // Act
    const result = await invoke(NAME, {});

    // Assess
    expect(result).toMatchObject({
      ok: true,
      payload: {
        TABLE_NAME: 'table',
        AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:2',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_REGION: 'us-west-2',
        AWS_LAMBDA_FUNCTION_NAME: NAME,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
        AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'local',
      },
    });
    expect(result).not.toHaveProperty('payload.HOST_SECRET');
    expect(result).not.toHaveProperty('payload.AWS_PROFILE');
    expect(result).not.toHaveProperty('payload.HOME');
  });
});

describe('what a function writes', () => {
  it('comes out line by line, from stdout and stderr', async () => {
    // Prepare
    const { invoke } = await start(`
      export const handler = async () => {
        process.stdout.write('one\\ntw');
        process.stdout.write('o\\r\\nthr€e\\n');
        console.error('four');
      };`);

    // Act
    await invoke(NAME, {});

    // Assess
    await vi.waitFor(() => expect(logs).toHaveLength(4));
    expect(logs.filter((line) => !line.endsWith('four'))).toEqual([
      `${NAME}: one`,
      `${NAME}: two`,
      `${NAME}: thr€e`,
    ]);
    expect(logs).toContain(`${NAME}: four`);
  });

  it('is not lost when it ends without a line feed', async () => {
    // Prepare
    const { invoke, close } = await start(
      "export const handler = async () => { process.stdout.write('last words'); };",
    );
    await invoke(NAME, {});

    // Act
    await close();

    // Assess
    await vi.waitFor(() => expect(logs).toEqual([`${NAME}: last words`]));
  });
});

describe('a handler that throws', () => {
  it('fails with the name, message and trace of its error', async () => {
    // Prepare
    const { invoke } = await start(`
      class ThrottlingException extends Error { name = 'ThrottlingException'; }
      export const handler = async () => { throw new ThrottlingException('Slow down'); };`);

    // Act
    const failure = failureOf(await invoke(NAME, {}));

    // Assess
    expect(failure).toMatchObject({ errorType: 'ThrottlingException', errorMessage: 'Slow down' });
    expect(failure.trace?.length).toBeGreaterThan(1);
  });

  it.each([
    ['a string', "'no'", { errorType: 'string', errorMessage: 'no', trace: [] }],
    ['undefined', 'undefined', { errorType: 'undefined', errorMessage: 'undefined', trace: [] }],
  ])('%s fails with its type', async (_title, thrown, failure) => {
    const { invoke } = await start(`export const handler = async () => { throw ${thrown}; };`);
    expect(failureOf(await invoke(NAME, {}))).toEqual(failure);
  });

  it('is served again by the same worker', async () => {
    const { invoke } = await start(`
      let count = 0;
      export const handler = () => { count += 1; if (count === 1) throw new Error('first'); return count; };`);
    expect(failureOf(await invoke(NAME, {})).errorMessage).toBe('first');
    expect(await invoke(NAME, {})).toEqual({ ok: true, payload: 2 });
  });

  it('fails too when its reply has no JSON', async () => {
    const { invoke } = await start('export const handler = async () => 1n;');
    expect(failureOf(await invoke(NAME, {}))).toMatchObject({
      errorType: 'Error',
      errorMessage: 'Unable to stringify response body',
    });
  });
});

describe('a bundle that does not load', () => {
  it.each([
    [
      'is not there',
      'export const handler = 1;',
      { bundlePath: '/nowhere/handler' },
      'Runtime.ImportModuleError',
    ],
    [
      'imports what is not there',
      "export const handler = async () => 1; await import(['nowhere', 'at-all'].join('-'));",
      {},
      'Runtime.ImportModuleError',
    ],
    ['has no such export', 'export const other = 1;', {}, 'Runtime.HandlerNotFound'],
    ['exports no function', 'export const handler = 1;', {}, 'Runtime.HandlerNotFound'],
    [
      'takes a callback',
      'export const handler = (a, b, c) => c(null, 1);',
      {},
      'Runtime.CallbackHandlerDeprecated',
    ],
    [
      'throws',
      "throw Object.assign(new Error('TABLE_NAME is missing'), { name: 'SettingsError' }); export const handler = 1;",
      {},
      'SettingsError',
    ],
  ])('because it %s fails every invocation', async (_title, source, overrides, errorType) => {
    const { invoke } = await start(source, overrides);
    const results = await Promise.all([invoke(NAME, {}), invoke(NAME, {})]);
    expect(results.map((result) => failureOf(result).errorType)).toEqual([errorType, errorType]);
    expect(failureOf(await invoke(NAME, {})).errorType).toBe(errorType);
  });
});

describe('a bundle named without its extension', () => {
  it('is found, as a handler setting is', async () => {
    const { invoke } = await start('export const handler = async () => 1;');
    expect(await invoke(NAME, {})).toEqual({ ok: true, payload: 1 });
    const bundlePath = join(directory, `bundle-${bundles - 1}`, 'handler');
    await lambda?.close();
    lambda = startLambda({
      functions: [{ name: NAME, bundlePath, handlerName: 'handler', timeoutSeconds: 5, environment: {} }],
      clock: systemClock,
      onLog: () => {},
    });
    expect(await lambda.invoke(NAME, {})).toEqual({ ok: true, payload: 1 });
  });
});

describe('a worker that dies', () => {
  const counting = (how: string) => `
    let count = 0;
    export const handler = async (event) => {
      count += 1;
      if (event !== 'die') return count;
      ${how};
      await new Promise(() => setInterval(() => {}, 1000));
    };`;

  it.each([
    [
      'exits',
      'process.exit(3)',
      'Runtime.ExitError',
      /^RequestId: \S+ Error: Runtime exited with error: exit status 3$/,
    ],
    [
      'throws behind its own back',
      "setTimeout(() => { throw new RangeError('late'); })",
      'RangeError',
      /^late$/,
    ],
    [
      'leaves a rejection unhandled',
      "Promise.reject(new RangeError('lost'))",
      'Runtime.UnhandledPromiseRejection',
      /^RangeError: lost$/,
    ],
  ])(
    'because it %s fails what it serves, and the next invocation gets a new one',
    async (_title, how, errorType, message) => {
      // Prepare
      const { invoke } = await start(counting(how));
      expect(await invoke(NAME, {})).toEqual({ ok: true, payload: 1 });

      // Act
      const failure = failureOf(await invoke(NAME, 'die'));

      // Assess
      expect(failure.errorType).toBe(errorType);
      expect(failure.errorMessage).toMatch(message);
      expect(await invoke(NAME, {})).toEqual({ ok: true, payload: 1 });
    },
  );
});

describe('a function past its timeout', () => {
  const waiting = `
    let count = 0;
    let release;
    export const handler = async (event) => {
      count += 1;
      console.log('started ' + event);
      if (event === 'release') release();
      if (event === 'wait') await new Promise((resolve) => { release = resolve; });
      if (event === 'hang') await new Promise(() => setInterval(() => {}, 1000));
      return event + ' ' + count;
    };`;

  it('fails in the words of Lambda, and is replaced', async () => {
    // Prepare
    const clock = new VirtualClock();
    const { invoke } = await start(waiting, { clock, timeoutSeconds: 3 });
    const hanging = invoke(NAME, 'hang', { requestId: 'the-id' });
    await vi.waitFor(() => expect(logs).toEqual([`${NAME}: started hang`]));

    // Act
    await clock.advance(2_999);
    const early = await Promise.race([hanging, 'pending']);
    await clock.advance(1);

    // Assess
    expect(early).toBe('pending');
    expect(failureOf(await hanging)).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: 'RequestId: the-id Error: Task timed out after 3.00 seconds',
    });
    expect(await invoke(NAME, 'again')).toEqual({ ok: true, payload: 'again 1' });
  });

  it('does not fail the others in its worker', async () => {
    // Prepare
    const clock = new VirtualClock();
    const { invoke } = await start(waiting, { clock, timeoutSeconds: 3 });
    const hanging = invoke(NAME, 'hang');
    await vi.waitFor(() => expect(logs).toEqual([`${NAME}: started hang`]));
    await clock.advance(2_000);
    const other = invoke(NAME, 'wait');
    const releasing = invoke(NAME, 'release');
    await releasing;

    // Act
    await clock.advance(1_000);

    // Assess
    expect(failureOf(await hanging).errorType).toBe('Sandbox.Timedout');
    expect(await other).toEqual({ ok: true, payload: 'wait 3' });
  });

  it('is stopped even in an endless loop', async () => {
    const { invoke } = await start(
      "export const handler = async (event) => { while (event === 'loop'); return 1; };",
      {
        timeoutSeconds: 0.2,
      },
    );
    expect(failureOf(await invoke(NAME, 'loop')).errorType).toBe('Sandbox.Timedout');
    expect(await invoke(NAME, {})).toEqual({ ok: true, payload: 1 });
  });

  it('while it loads gets the load time of 10 s on top', async () => {
    // Prepare
    const clock = new VirtualClock();
    const { invoke } = await start(
      'await new Promise(() => setInterval(() => {}, 1000)); export const handler = async () => 1;',
      { clock, timeoutSeconds: 3 },
    );
    const loading = invoke(NAME, {});

    // Act
    await clock.advance(12_999);
    const early = await Promise.race([loading, 'pending']);
    await clock.advance(1);

    // Assess
    expect(early).toBe('pending');
    expect(failureOf(await loading).errorType).toBe('Sandbox.Timedout');
  });
});

describe('a closed Lambda', () => {
  it('ends what runs, and refuses what comes', async () => {
    const { invoke, close } = await start(
      'export const handler = async () => { await new Promise(() => setInterval(() => {}, 1000)); };',
    );
    const running = invoke(NAME, {});
    await close();
    expect(failureOf(await running).errorType).toBe('Runtime.ExitError');
    expect(failureOf(await invoke(NAME, {})).errorType).toBe('Lambda.ServiceException');
  });
});
