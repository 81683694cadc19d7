import {
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import {
  callback,
  type Endpoint,
  fail,
  type Handler,
  machine,
  pass,
  present,
  succeed,
} from '../src/testing/index.ts';
import { lines, startEndpoint, types } from './harness.ts';

interface Callbacks extends Endpoint {
  /** The tokens that the function was given, in order. */
  tokens(): string[];
  token(): string;
  sendSuccess(taskToken: string, output?: string): Promise<unknown>;
  sendFailure(taskToken: string, error?: string, cause?: string): Promise<unknown>;
}

async function startCallbacks(
  register: Handler = succeed(null),
  options?: Parameters<typeof startEndpoint>[2],
): Promise<Callbacks> {
  const endpoint = await startEndpoint({ register }, undefined, options);
  const tokens = (): string[] =>
    endpoint.payloads.map((payload) =>
      typeof payload === 'object' && payload !== null && 'token' in payload ? String(payload.token) : '',
    );
  return {
    ...endpoint,
    tokens,
    token: () => present(tokens().at(-1)),
    sendSuccess: (taskToken, output = '{}') =>
      endpoint.client.send(new SendTaskSuccessCommand({ taskToken, output })),
    sendFailure: (taskToken, error, cause) =>
      endpoint.client.send(
        new SendTaskFailureCommand({
          taskToken,
          ...(error === undefined ? {} : { error }),
          ...(cause === undefined ? {} : { cause }),
        }),
      ),
  };
}

describe('a callback', () => {
  it('waits for its token, and has its output as the result', async () => {
    // Prepare
    const { run, token, clock, sendSuccess, describe: describeExecution, history } = await startCallbacks();
    const executionArn = await run(machine({ A: callback({ Output: '{% $states.result.n + 1 %}' }) }));
    await clock.advance(1_000);
    const waiting = await describeExecution(executionArn);

    // Act
    await sendSuccess(token(), '{"n":41}');
    await clock.advance(0);

    // Assess
    expect(waiting).toMatchObject({ status: 'RUNNING' });
    expect(await describeExecution(executionArn)).toEqual({ status: 'SUCCEEDED', output: 42 });
    const events = await history(executionArn);
    expect(lines(events)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered',
      '3<2 TaskScheduled',
      '4<3 TaskStarted',
      '5<4 TaskSubmitted',
      '6<5 TaskSucceeded',
      '7<6 TaskStateExited',
      '8<7 ExecutionSucceeded',
    ]);
    const resource = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({
      ...resource,
      parameters: JSON.stringify({ FunctionName: 'register', Payload: { token: token() } }),
    });
    expect(events[4]?.taskSubmittedEventDetails).toEqual({
      ...resource,
      output: '{"ExecutedVersion":"$LATEST","Payload":null,"StatusCode":200}',
      outputDetails: { truncated: false },
    });
    expect(events[5]?.taskSucceededEventDetails).toEqual({
      ...resource,
      output: '{"n":41}',
      outputDetails: { truncated: false },
    });
  });

  it('fails with the error and cause that are sent', async () => {
    const { run, token, clock, sendFailure, describe: describeExecution, history } = await startCallbacks();
    const executionArn = await run(machine({ A: callback() }));
    await clock.advance(1_000);
    await sendFailure(token(), 'Gone', 'nobody came');
    await clock.advance(0);
    expect(await describeExecution(executionArn)).toEqual({
      status: 'FAILED',
      error: 'Gone',
      cause: 'nobody came',
    });
    expect(types(await history(executionArn)).slice(4)).toEqual([
      'TaskSubmitted',
      'TaskFailed',
      'ExecutionFailed',
    ]);
  });

  it('fails without error and cause when none are sent, and catches that as null', async () => {
    const { run, token, clock, sendFailure, describe: describeExecution } = await startCallbacks();
    const state = callback({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }] });
    const executionArn = await run(machine({ A: state, B: pass() }));
    await clock.advance(1_000);
    await sendFailure(token());
    await clock.advance(0);
    expect(await describeExecution(executionArn)).toMatchObject({ output: { Error: null, Cause: null } });
  });

  it('times out at its time, with the history that AWS records', async () => {
    const { run, token, clock, sendSuccess, history, describe: describeExecution } = await startCallbacks();
    const state = callback({
      TimeoutSeconds: 5,
      Catch: [{ ErrorEquals: ['States.Timeout'], Output: 'late', Next: 'B' }],
    });
    const executionArn = await run(machine({ A: state, B: pass() }));
    await clock.advance(5_000);
    expect(await describeExecution(executionArn)).toMatchObject({ output: 'late' });
    expect(lines(await history(executionArn)).slice(0, 8)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered',
      '3<2 TaskScheduled',
      '4<3 TaskStarted',
      '5<4 TaskSubmitted',
      '6<5 TaskTimedOut',
      '7<6 TaskStateExited',
      '8<7 PassStateEntered',
    ]);
    await expect(sendSuccess(token())).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  it('fails when its function fails, and its token is worth nothing then', async () => {
    const {
      run,
      token,
      clock,
      sendSuccess,
      describe: describeExecution,
      history,
    } = await startCallbacks(fail('Boom'));
    const executionArn = await run(machine({ A: callback() }));
    await clock.advance(0);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'FAILED', error: 'Boom' });
    expect(types(await history(executionArn)).slice(3)).toEqual([
      'TaskStarted',
      'TaskFailed',
      'ExecutionFailed',
    ]);
    await expect(sendSuccess(token())).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  it('may be answered by its own function, before that returns', async () => {
    const endpoint: Callbacks = await startCallbacks(async () => {
      await endpoint.sendSuccess(endpoint.token(), '"early"');
      return { ok: true, payload: 'late' };
    });
    const executionArn = await endpoint.run(machine({ A: callback() }));
    await endpoint.clock.advance(1_000);
    expect(await endpoint.describe(executionArn)).toEqual({ status: 'SUCCEEDED', output: 'early' });
    expect(types(await endpoint.history(executionArn))).not.toContain('TaskSubmitted');
  });

  it('gets a new token for a retry, and the old one ends nothing', async () => {
    // Prepare
    const {
      run,
      tokens,
      clock,
      sendSuccess,
      sendFailure,
      describe: describeExecution,
    } = await startCallbacks();
    const state = callback({ Retry: [{ ErrorEquals: ['Again'], IntervalSeconds: 1 }] });
    const executionArn = await run(machine({ A: state }));
    await clock.advance(1_000);
    await sendFailure(present(tokens()[0]), 'Again');

    // Act
    await clock.advance(1_000);
    const [first, second] = tokens();
    const answerToFirst = sendSuccess(present(first), '"first"');

    // Assess
    await expect(answerToFirst).rejects.toMatchObject({ name: 'TaskTimedOut' });
    expect(second).not.toBe(first);
    await sendSuccess(present(second), '"second"');
    await clock.advance(0);
    expect(await describeExecution(executionArn)).toMatchObject({ output: 'second' });
  });
});

describe('a task token', () => {
  it('answers TaskTimedOut when it is used twice', async () => {
    const { run, token, clock, sendSuccess, sendFailure } = await startCallbacks();
    await run(machine({ A: callback() }));
    await clock.advance(0);
    await sendSuccess(token());
    await expect(sendSuccess(token())).rejects.toMatchObject({
      name: 'TaskTimedOut',
      message: "Task Timed Out: 'Provided task does not exist anymore'",
    });
    await expect(sendFailure(token())).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  it('lets one of many simultaneous answers win', async () => {
    const { run, token, clock, sendSuccess } = await startCallbacks();
    await run(machine({ A: callback() }));
    await clock.advance(0);
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => sendSuccess(token())));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('answers InvalidToken to garbage, to a token of another process, and to a changed one', async () => {
    const { run, token, clock, sendSuccess } = await startCallbacks();
    const other = await startCallbacks();
    await run(machine({ A: callback() }));
    await other.run(machine({ A: callback() }));
    await clock.advance(0);
    const changed = `${token().slice(0, 40)}${token()[40] === 'A' ? 'B' : 'A'}${token().slice(41)}`;
    for (const wrong of ['garbage', 'x'.repeat(200), other.token(), changed, `${token()}==`]) {
      await expect(sendSuccess(wrong)).rejects.toMatchObject({
        name: 'InvalidToken',
        message: "Invalid Token: 'Invalid token'",
      });
    }
    await sendSuccess(token());
  });

  it('does not show whose it is', async () => {
    const { run, token, clock } = await startCallbacks();
    await run(machine({ A: callback() }));
    await clock.advance(0);
    expect(Buffer.from(token(), 'base64').toString('latin1')).not.toContain('machine');
  });

  it('answers TaskTimedOut once its execution is stopped', async () => {
    const {
      run,
      client,
      token,
      clock,
      sendSuccess,
      describe: describeExecution,
      history,
    } = await startCallbacks();
    const executionArn = await run(machine({ A: callback() }));
    await clock.advance(0);
    await client.send(new StopExecutionCommand({ executionArn, error: 'Enough' }));
    await expect(sendSuccess(token())).rejects.toMatchObject({ name: 'TaskTimedOut' });
    await clock.advance(60_000);
    expect(await describeExecution(executionArn)).toEqual({ status: 'ABORTED', error: 'Enough' });
    expect(types(await history(executionArn)).slice(-2)).toEqual(['TaskSubmitted', 'ExecutionAborted']);
  });

  it('answers TaskDoesNotExist once its execution is forgotten', { timeout: 60_000 }, async () => {
    // Prepare
    const startQuotas = { standard: { bucket: 6000, perSecond: 1 } };
    const { run, create, client, token, clock, start, sendSuccess } = await startCallbacks(undefined, {
      startQuotas,
    });
    const executionArn = await run(machine({ A: callback() }));
    await clock.advance(0);
    await sendSuccess(token());
    const stateMachineArn = await create(machine({ A: pass() }));

    // Act: 5,000 finished executions are kept.
    for (let batch = 0; batch < 50; batch++) {
      await Promise.all(Array.from({ length: 100 }, () => start(stateMachineArn)));
    }

    // Assess
    await expect(sendSuccess(token())).rejects.toMatchObject({ name: 'TaskDoesNotExist' });
    await expect(client.send(new DescribeExecutionCommand({ executionArn }))).rejects.toMatchObject({
      name: 'ExecutionDoesNotExist',
    });
  });

  it.each([
    ['is no JSON', 'hello'],
    ['is empty', ''],
    ['has 262,145 bytes', JSON.stringify('x'.repeat(262_143))],
  ])('takes no output that %s', async (_what, output) => {
    const { run, token, clock, sendSuccess } = await startCallbacks();
    await run(machine({ A: callback() }));
    await clock.advance(0);
    await expect(sendSuccess(token(), output)).rejects.toMatchObject({ name: 'InvalidOutput' });
    await sendSuccess(token(), JSON.stringify('x'.repeat(262_142)));
  });
});
