import { describe, expect, it } from 'vitest';
import { fail, machine, pass, succeed, task } from '../src/testing/index.ts';
import { lines, startEndpoint, types } from './harness.ts';

describe('a task', () => {
  it("has the function's result under Payload, and records the history that AWS records", async () => {
    // Prepare
    const {
      run,
      payloads,
      describe: describeExecution,
      history,
    } = await startEndpoint({ work: succeed({ b: 2 }) });
    const definition = machine({
      A: task({
        Arguments: { FunctionName: 'work', Payload: { a: '{% $states.input.a %}' } },
        Assign: { version: '{% $states.result.ExecutedVersion %}' },
        Output: '{% $states.result.Payload %}',
      }),
    });

    // Act
    const executionArn = await run(definition, { a: 1 });

    // Assess
    expect(payloads).toEqual([{ a: 1 }]);
    expect(await describeExecution(executionArn)).toEqual({ status: 'SUCCEEDED', output: { b: 2 } });
    const events = await history(executionArn);
    expect(lines(events)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered',
      '3<2 TaskScheduled',
      '4<3 TaskStarted',
      '5<4 TaskSucceeded',
      '6<5 TaskStateExited',
      '7<6 ExecutionSucceeded',
    ]);
    expect(events[2]?.taskScheduledEventDetails).toEqual({
      resourceType: 'lambda',
      resource: 'invoke',
      region: 'us-east-1',
      parameters: '{"FunctionName":"work","Payload":{"a":1}}',
      timeoutInSeconds: 10,
    });
    expect(events[3]?.taskStartedEventDetails).toEqual({ resourceType: 'lambda', resource: 'invoke' });
    expect(events[4]?.taskSucceededEventDetails).toEqual({
      resourceType: 'lambda',
      resource: 'invoke',
      output: '{"ExecutedVersion":"$LATEST","Payload":{"b":2},"StatusCode":200}',
      outputDetails: { truncated: false },
    });
    expect(events[5]?.stateExitedEventDetails?.assignedVariables).toEqual({ version: '"$LATEST"' });
  });

  it('without Output hands on the whole result; without Payload sends an empty object', async () => {
    const { run, payloads, describe: describeExecution } = await startEndpoint({ work: succeed(undefined) });
    const executionArn = await run(machine({ A: task({ Arguments: { FunctionName: 'work' } }) }));
    expect(payloads).toEqual([{}]);
    expect(await describeExecution(executionArn)).toMatchObject({
      output: { ExecutedVersion: '$LATEST', Payload: null, StatusCode: 200 },
    });
  });

  it('gives the function its own copy of the payload', async () => {
    const { run, describe: describeExecution } = await startEndpoint({
      work: (payload) => {
        if (typeof payload === 'object' && payload !== null) Object.assign(payload, { changed: true });
        return { ok: true, payload: 1 };
      },
    });
    const executionArn = await run(machine({ A: task({ Output: '{% $states.input %}' }) }), { a: 1 });
    expect(await describeExecution(executionArn)).toMatchObject({ output: { a: 1 } });
  });

  it('takes its Arguments from one expression', async () => {
    const { run, payloads } = await startEndpoint({ work: succeed(1) });
    await run(machine({ A: task({ Arguments: "{% { 'FunctionName': 'work', 'Payload': 7 } %}" }) }));
    expect(payloads).toEqual([7]);
  });

  it.each([
    ["{% 'work' %}", 'must be an object'],
    ["{% { 'FunctionName': 3 } %}", "'FunctionName' must be a STRING"],
    ["{% { 'FunctionName': 'work', 'Qualifier': '1' } %}", "'Qualifier' is not supported here"],
  ])('fails with States.Runtime when its Arguments turn out as %s', async (Arguments, cause) => {
    const { run, payloads, describe: describeExecution } = await startEndpoint({ work: succeed(1) });
    const state = task({
      Arguments,
      Retry: [{ ErrorEquals: ['States.Runtime'] }],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }],
    });
    const executionArn = await run(machine({ A: state, B: pass() }));
    expect(payloads).toEqual([]);
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: expect.stringContaining(cause),
    });
  });
});

describe('a task whose function fails', () => {
  it('has the errorType as Error, and errorType, errorMessage and trace as Cause', async () => {
    // Prepare
    const {
      run,
      describe: describeExecution,
      history,
    } = await startEndpoint({
      work: fail('Boom', 'it broke', ['Error: it broke', '    at handler']),
    });

    // Act
    const executionArn = await run(machine({ A: task() }));

    // Assess
    const cause =
      '{"errorType":"Boom","errorMessage":"it broke","trace":["Error: it broke","    at handler"]}';
    expect(await describeExecution(executionArn)).toEqual({ status: 'FAILED', error: 'Boom', cause });
    const events = await history(executionArn);
    expect(lines(events)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered',
      '3<2 TaskScheduled',
      '4<3 TaskStarted',
      '5<4 TaskFailed',
      '6<5 ExecutionFailed',
    ]);
    expect(events[4]?.taskFailedEventDetails).toEqual({
      resourceType: 'lambda',
      resource: 'invoke',
      error: 'Boom',
      cause,
    });
    expect(events[5]?.executionFailedEventDetails).toEqual({ error: 'Boom', cause });
  });

  it.each(['Lambda.TooManyRequestsException', 'Lambda.Unknown', 'Lambda.ServiceException'])(
    "has the service's own %s with a plain Cause",
    async (errorType) => {
      const { run, describe: describeExecution } = await startEndpoint({
        work: fail(errorType, 'Rate exceeded'),
      });
      expect(await describeExecution(await run(machine({ A: task() })))).toEqual({
        status: 'FAILED',
        error: errorType,
        cause: 'Rate exceeded',
      });
    },
  );

  it('has Lambda.Unknown when the invoker itself throws', async () => {
    const { run, describe: describeExecution } = await startEndpoint();
    expect(await describeExecution(await run(machine({ A: task() })))).toEqual({
      status: 'FAILED',
      error: 'Lambda.Unknown',
      cause: 'The invoker failed: There is no function work.',
    });
  });

  it('has Runtime.MarshalError when the payload is no JSON', async () => {
    const { run, describe: describeExecution } = await startEndpoint({ work: succeed({ big: 1n }) });
    expect(await describeExecution(await run(machine({ A: task() })))).toMatchObject({
      error: 'Runtime.MarshalError',
    });
  });

  it('keeps 32,768 characters of the Cause', async () => {
    const { run, describe: describeExecution } = await startEndpoint({
      work: fail('Boom', 'x'.repeat(40_000)),
    });
    const { cause } = await describeExecution(await run(machine({ A: task() })));
    expect(cause).toHaveLength(32_768);
  });

  it('is caught, with errorOutput for the Catch and as its output', async () => {
    // Prepare
    const {
      run,
      describe: describeExecution,
      history,
    } = await startEndpoint({ work: fail('Lambda.Unknown', 'gone') });
    const state = task({
      Assign: { never: 1 },
      Catch: [
        { ErrorEquals: ['Boom'], Next: 'Other' },
        {
          ErrorEquals: ['Lambda.Unknown'],
          Assign: { error: '{% $states.errorOutput.Error %}' },
          Next: 'Caught',
        },
      ],
      Next: 'Other',
    });
    const definition = machine({
      A: state,
      Other: pass(),
      Caught: pass({ Output: { error: '{% $error %}', input: '{% $states.input %}' } }),
    });

    // Act
    const executionArn = await run(definition);

    // Assess
    expect(await describeExecution(executionArn)).toEqual({
      status: 'SUCCEEDED',
      output: { error: 'Lambda.Unknown', input: { Error: 'Lambda.Unknown', Cause: 'gone' } },
    });
    const events = await history(executionArn);
    expect(lines(events).slice(4, 7)).toEqual([
      '5<4 TaskFailed',
      '6<5 TaskStateExited',
      '7<6 PassStateEntered',
    ]);
    expect(events[5]?.stateExitedEventDetails).toMatchObject({
      output: '{"Error":"Lambda.Unknown","Cause":"gone"}',
      assignedVariables: { error: '"Lambda.Unknown"' },
    });
  });

  it("is caught with the Catch's own Output", async () => {
    const { run, describe: describeExecution } = await startEndpoint({ work: fail('Boom') });
    const state = task({
      Catch: [
        {
          ErrorEquals: ['States.ALL'],
          Output: { was: '{% $states.input %}', now: '{% $states.errorOutput.Error %}' },
          Next: 'B',
        },
      ],
    });
    expect(await describeExecution(await run(machine({ A: state, B: pass() }), 1))).toMatchObject({
      output: { was: 1, now: 'Boom' },
    });
  });

  it("fails when the Catch's own expressions fail", async () => {
    const { run, describe: describeExecution } = await startEndpoint({ work: fail('Boom') });
    const state = task({
      Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.input.nothing %}', Next: 'B' }],
    });
    expect(await describeExecution(await run(machine({ A: state, B: pass() })))).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining("the field 'Catch[0]/Output'"),
    });
  });

  it.each([
    ['Arguments', { Arguments: { FunctionName: '{% $states.input.nothing %}' } }],
    ['TimeoutSeconds', { TimeoutSeconds: '{% $states.input.nothing %}' }],
    ['Output, after its function succeeded', { Output: '{% $states.result.nothing %}' }],
  ])('catches an error in the evaluation of its %s', async (_what, fields) => {
    const { run, describe: describeExecution } = await startEndpoint({ work: succeed(1) });
    const state = task({
      ...fields,
      Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Output: 'caught', Next: 'B' }],
    });
    expect(await describeExecution(await run(machine({ A: state, B: pass() })))).toEqual({
      status: 'SUCCEEDED',
      output: 'caught',
    });
  });
});

describe('a task that returns too much', () => {
  const tooMuch = succeed('x'.repeat(262_144));

  it('fails with States.DataLimitExceeded, which States.ALL and States.TaskFailed do not catch', async () => {
    const { run, describe: describeExecution, history } = await startEndpoint({ work: tooMuch });
    const state = task({
      Catch: [
        { ErrorEquals: ['States.TaskFailed'], Next: 'B' },
        { ErrorEquals: ['States.ALL'], Next: 'B' },
      ],
    });
    const executionArn = await run(machine({ A: state, B: pass() }));
    expect(await describeExecution(executionArn)).toEqual({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause:
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
    expect(types(await history(executionArn)).slice(-2)).toEqual(['TaskFailed', 'ExecutionFailed']);
  });

  it('is caught by name', async () => {
    const { run, describe: describeExecution } = await startEndpoint({ work: tooMuch });
    const state = task({
      Catch: [{ ErrorEquals: ['States.DataLimitExceeded'], Output: 'caught', Next: 'B' }],
    });
    expect(await describeExecution(await run(machine({ A: state, B: pass() })))).toMatchObject({
      output: 'caught',
    });
  });
});

describe("a task's time-out", () => {
  it.each([
    ['static', 5],
    ['dynamic', '{% $states.input.seconds %}'],
  ])('%s, ends the task with States.Timeout; what comes later is ignored', async (_what, TimeoutSeconds) => {
    // Prepare
    const endpoint = await startEndpoint({
      work: async () => {
        await endpoint.clock.sleep(8_000);
        return { ok: true, payload: 'late' };
      },
    });
    const { run, clock, describe: describeExecution, history } = endpoint;

    // Act
    const executionArn = await run(machine({ A: task({ TimeoutSeconds }) }), { seconds: 5 });
    await clock.advance(4_999);
    const before = await describeExecution(executionArn);
    await clock.advance(10_000);

    // Assess
    expect(before).toMatchObject({ status: 'RUNNING' });
    expect(await describeExecution(executionArn)).toEqual({ status: 'FAILED', error: 'States.Timeout' });
    const events = await history(executionArn);
    expect(lines(events)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered',
      '3<2 TaskScheduled',
      '4<3 TaskStarted',
      '5<4 TaskTimedOut',
      '6<5 ExecutionFailed',
    ]);
    expect(events[2]?.taskScheduledEventDetails?.timeoutInSeconds).toBe(5);
    expect(events[4]?.taskTimedOutEventDetails).toEqual({
      resourceType: 'lambda',
      resource: 'invoke',
      error: 'States.Timeout',
    });
  });

  it('is caught with an empty Cause', async () => {
    const endpoint = await startEndpoint({
      work: async () => {
        await endpoint.clock.sleep(60_000);
        return { ok: true, payload: 1 };
      },
    });
    const state = task({ Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'B' }] });
    const executionArn = await endpoint.run(machine({ A: state, B: pass() }));
    await endpoint.clock.advance(10_000);
    expect(await endpoint.describe(executionArn)).toEqual({
      status: 'SUCCEEDED',
      output: { Error: 'States.Timeout', Cause: '' },
    });
  });

  it.each([0, -1, 1.5, '5', 100_000_000])('fails when it is evaluated to %j', async (seconds) => {
    const { run, payloads, describe: describeExecution } = await startEndpoint({ work: succeed(1) });
    const executionArn = await run(machine({ A: task({ TimeoutSeconds: '{% $states.input %}' }) }), seconds);
    expect(payloads).toEqual([]);
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining("'TimeoutSeconds'"),
    });
  });
});
