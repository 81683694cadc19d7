import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { machine, pass, succeed, task, wait } from '../src/testing/index.ts';
import { lines, startEndpoint, types } from './harness.ts';

describe('StartExecution', () => {
  it('with the same name and input, while it runs, gives the same execution and starts none', async () => {
    const { client, create, clock } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: wait() }), { name: 'm' });
    const request = { stateMachineArn, name: 'e', input: '{"a":1}' };
    const first = await client.send(new StartExecutionCommand(request));
    await clock.advance(1_000);
    const again = await client.send(new StartExecutionCommand(request));
    expect(first.executionArn).toBe('arn:aws:states:us-east-1:123456789012:execution:m:e');
    expect(again).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
    const { executions } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions).toHaveLength(1);
  });

  it('with the same name is refused when the input differs, or when the first has ended', async () => {
    const { create, start, clock } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: wait() }));
    await start(stateMachineArn, { a: 1 }, 'e');
    await expect(start(stateMachineArn, { a: 2 }, 'e')).rejects.toMatchObject({
      name: 'ExecutionAlreadyExists',
      message: expect.stringMatching(/^Execution Already Exists: 'arn:.*:e'$/),
    });
    await clock.advance(60_000);
    await expect(start(stateMachineArn, { a: 1 }, 'e')).rejects.toMatchObject({
      name: 'ExecutionAlreadyExists',
    });
  });

  it('takes the same name for another machine', async () => {
    const { create, start } = await startEndpoint();
    const [one, other] = [await create(machine({ A: wait() })), await create(machine({ A: wait() }))];
    expect(await start(one, {}, 'e')).not.toBe(await start(other, {}, 'e'));
  });

  it('without a name makes one of its own, even from randomness that repeats itself', async () => {
    const { create, start } = await startEndpoint({}, () => 0.5);
    const stateMachineArn = await create(machine({ A: wait() }));
    const arns = await Promise.all([1, 2, 3].map(() => start(stateMachineArn)));
    expect(new Set(arns).size).toBe(3);
    for (const arn of arns)
      expect(arn).toMatch(/:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it.each(['a b', 'a/b', 'a:b', 'a*', 'é\u0007'])('refuses the name %j', async (name) => {
    const { create, start } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: wait() }));
    await expect(start(stateMachineArn, {}, name)).rejects.toMatchObject({
      name: 'InvalidName',
      message: `Invalid Name: '${name}'`,
    });
  });

  it.each([
    ['no JSON', 'secret'],
    ['empty', ''],
    ['262,145 bytes', JSON.stringify('x'.repeat(262_143))],
  ])('refuses an input that is %s, and quotes nothing of it', async (_what, input) => {
    const { client, create } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: wait() }));
    const answer = client.send(new StartExecutionCommand({ stateMachineArn, input }));
    await expect(answer).rejects.toMatchObject({
      name: 'InvalidExecutionInput',
      message: expect.not.stringMatching(/secret|xxx/),
    });
  });

  it('takes an input of 262,144 bytes, and none as an empty object', async () => {
    const { client, create, start, describe: describeExecution } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: pass() }));
    const executionArn = await start(stateMachineArn, 'x'.repeat(262_142));
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    const without = await client.send(new StartExecutionCommand({ stateMachineArn }));
    expect(await describeExecution(without.executionArn ?? '')).toMatchObject({ output: {} });
  });
});

describe('DescribeExecution', () => {
  it('tells how it stands, and its data unless only metadata is wanted', async () => {
    const { client, create, clock } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: wait({ Output: { done: true } }) }));
    const startDate = new Date(clock.nowMs());
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn, name: 'e', input: ' {"a": 1}', traceHeader: 'Root=1' }),
    );
    const running = await client.send(new DescribeExecutionCommand({ executionArn }));
    await clock.advance(60_000);
    const ended = await client.send(new DescribeExecutionCommand({ executionArn }));
    const metadata = await client.send(
      new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }),
    );

    const common = {
      executionArn,
      stateMachineArn,
      name: 'e',
      startDate,
      traceHeader: 'Root=1',
      redriveCount: 0,
    };
    expect(running).toMatchObject({
      ...common,
      status: 'RUNNING',
      input: ' {"a": 1}',
      inputDetails: { included: true },
    });
    expect(running.stopDate).toBeUndefined();
    expect(ended).toMatchObject({
      ...common,
      status: 'SUCCEEDED',
      stopDate: new Date(clock.nowMs()),
      output: '{"done":true}',
      outputDetails: { included: true },
    });
    expect(metadata).toMatchObject({
      ...common,
      inputDetails: { included: false },
      outputDetails: { included: false },
    });
    expect([metadata.input, metadata.output]).toEqual([undefined, undefined]);
  });
});

describe('the context object', () => {
  it('of a Standard execution holds what AWS has in it', async () => {
    const { create, start, clock, describe: describeExecution } = await startEndpoint({ work: succeed(1) });
    const stateMachineArn = await create(
      machine({
        A: wait({ Seconds: 5, Next: 'B' }),
        B: task({ Output: { pass: '{% $states.context %}' }, Next: 'C' }),
        C: pass({ Output: { task: '{% $states.input.pass %}', pass: '{% $states.context %}' } }),
      }),
      { name: 'm' },
    );
    const executionArn = await start(stateMachineArn, { a: 1 }, 'e');
    await clock.advance(5_000);
    const Execution = {
      Id: executionArn,
      Input: { a: 1 },
      Name: 'e',
      RoleArn: 'arn:aws:iam::123456789012:role/local',
      StartTime: '2026-01-01T00:00:00.000Z',
      RedriveCount: 0,
    };
    const StateMachine = { Id: stateMachineArn, Name: 'm' };
    const EnteredTime = '2026-01-01T00:00:05.000Z';
    expect(await describeExecution(executionArn)).toMatchObject({
      output: {
        task: { Execution, StateMachine, State: { Name: 'B', EnteredTime, RetryCount: 0 } },
        pass: { Execution, StateMachine, State: { Name: 'C', EnteredTime } },
      },
    });
  });
});

describe('ListExecutions', () => {
  it('gives the latest first, by machine and status, in pages', async () => {
    // Prepare
    const { client, create, start, clock } = await startEndpoint();
    const short = await create(machine({ A: wait({ Seconds: '{% $states.input %}' }) }));
    const other = await create(machine({ A: pass() }));
    await start(other, {}, 'other');
    for (const [index, seconds] of [10, 90, 10, 90, 10].entries()) await start(short, seconds, `e${index}`);
    await clock.advance(10_000);
    const names = async (request: object) => {
      const reply = await client.send(new ListExecutionsCommand({ stateMachineArn: short, ...request }));
      return { names: reply.executions?.map(({ name }) => name), nextToken: reply.nextToken };
    };

    // Act
    const all = await names({});
    const running = await names({ statusFilter: 'RUNNING' });
    const first = await names({ statusFilter: 'SUCCEEDED', maxResults: 2 });
    const second = await names({ statusFilter: 'SUCCEEDED', maxResults: 2, nextToken: first.nextToken });
    const none = await names({ statusFilter: 'PENDING_REDRIVE' });

    // Assess
    expect(all.names).toEqual(['e4', 'e3', 'e2', 'e1', 'e0']);
    expect(running).toEqual({ names: ['e3', 'e1'], nextToken: undefined });
    expect(first.names).toEqual(['e4', 'e2']);
    expect(second).toEqual({ names: ['e0'], nextToken: undefined });
    expect(none.names).toEqual([]);
  });

  it('repeats and skips none when executions start between two pages', async () => {
    const { client, create, start } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: pass() }));
    for (const name of ['e0', 'e1', 'e2']) await start(stateMachineArn, {}, name);
    const first = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1 }));
    await start(stateMachineArn, {}, 'e3');
    const { nextToken } = first;
    const second = await client.send(new ListExecutionsCommand({ stateMachineArn, nextToken }));
    expect(second.executions?.map(({ name }) => name)).toEqual(['e1', 'e0']);
  });

  it('has start, stop and status of each', async () => {
    const { client, create, start, clock } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: wait({ Seconds: 5 }) }));
    const startDate = new Date(clock.nowMs());
    const executionArn = await start(stateMachineArn, {}, 'e');
    await clock.advance(5_000);
    const { executions } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions).toEqual([
      {
        executionArn,
        stateMachineArn,
        name: 'e',
        status: 'SUCCEEDED',
        startDate,
        stopDate: new Date(clock.nowMs()),
        redriveCount: 0,
      },
    ]);
  });
});

describe('what DescribeExecution says of a redrive', () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const redriveOf = async ({ client }: Awaited<ReturnType<typeof startEndpoint>>, executionArn: string) => {
    const { redriveStatus, redriveStatusReason } = await client.send(
      new DescribeExecutionCommand({ executionArn }),
    );
    return { redriveStatus, redriveStatusReason };
  };
  const failing = machine({ A: { Type: 'Fail', Error: 'E' } });
  const REDRIVABLE = { redriveStatus: 'REDRIVABLE', redriveStatusReason: undefined };
  const not = (redriveStatusReason: string) => ({ redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason });

  it('is that an execution which runs, or has succeeded, cannot be redriven', async () => {
    const endpoint = await startEndpoint();
    const executionArn = await endpoint.run(machine({ A: wait({ Seconds: 60 }) }));

    const running = await redriveOf(endpoint, executionArn);
    await endpoint.clock.advance(60_000);

    expect(running).toEqual(not('Execution is RUNNING and cannot be redriven'));
    expect(await redriveOf(endpoint, executionArn)).toEqual(
      not('Execution is SUCCEEDED and cannot be redriven'),
    );
  });

  it('is that a failed, a timed out and an aborted execution can be redriven', async () => {
    const endpoint = await startEndpoint();
    const failed = await endpoint.run(failing);
    const timedOut = await endpoint.run(machine({ A: wait({ Seconds: 60 }) }, { TimeoutSeconds: 10 }));
    const aborted = await endpoint.run(machine({ A: wait({ Seconds: 60 }) }));
    await endpoint.client.send(new StopExecutionCommand({ executionArn: aborted }));
    await endpoint.clock.advance(10_000);

    for (const executionArn of [failed, timedOut, aborted]) {
      expect(await redriveOf(endpoint, executionArn)).toEqual(REDRIVABLE);
    }
  });

  it('is that the time for it is over after 14 days', async () => {
    const endpoint = await startEndpoint();
    const executionArn = await endpoint.run(failing);

    await endpoint.clock.advance(14 * DAY_MS);
    const atTheEnd = await redriveOf(endpoint, executionArn);
    await endpoint.clock.advance(1);

    expect(atTheEnd).toEqual(REDRIVABLE);
    expect(await redriveOf(endpoint, executionArn)).toEqual(not('Execution redrivable period exceeded'));
  });

  it('is that a history of 24,999 events has no room for it', async () => {
    const endpoint = await startEndpoint();
    const loop = machine({
      A: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'B' }], Default: 'A' },
      B: pass(),
    });

    const executionArn = await endpoint.run(loop);

    expect(await redriveOf(endpoint, executionArn)).toEqual(not('Execution history event limit exceeded'));
  });
});

describe('StopExecution', () => {
  it('aborts, and nothing of the execution goes on', async () => {
    const { client, run, clock, describe: describeExecution, history } = await startEndpoint();
    const executionArn = await run(machine({ A: wait({ Next: 'B' }), B: pass() }));
    const { stopDate } = await client.send(
      new StopExecutionCommand({ executionArn, error: 'E', cause: 'C' }),
    );
    await clock.advance(120_000);
    expect(stopDate).toEqual(new Date(Date.UTC(2026, 0, 1)));
    expect(await describeExecution(executionArn)).toEqual({ status: 'ABORTED', error: 'E', cause: 'C' });
    const events = await history(executionArn);
    // As on AWS, what ends it from outside follows event 0.
    expect(lines(events)).toEqual(['1<0 ExecutionStarted', '2<0 WaitStateEntered', '3<0 ExecutionAborted']);
    expect(events[2]?.executionAbortedEventDetails).toEqual({ error: 'E', cause: 'C' });
  });

  it('ends the wait for a retry and for a function', async () => {
    const endpoint = await startEndpoint({
      work: async () => {
        await endpoint.clock.sleep(5_000);
        return { ok: true, payload: 1 };
      },
    });
    const executionArn = await endpoint.run(machine({ A: task({ TimeoutSeconds: 9 }) }));
    await endpoint.clock.advance(1_000);
    await endpoint.client.send(new StopExecutionCommand({ executionArn }));
    await endpoint.clock.advance(60_000);
    expect(types(await endpoint.history(executionArn))).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'ExecutionAborted',
    ]);
  });

  it('leaves an execution that has ended as it is', async () => {
    const { client, run, clock, describe: describeExecution } = await startEndpoint();
    const executionArn = await run(machine({ A: pass() }));
    const endedMs = clock.nowMs();
    await clock.advance(1_000);
    const { stopDate } = await client.send(new StopExecutionCommand({ executionArn, error: 'E' }));
    expect(stopDate).toEqual(new Date(endedMs));
    expect(await describeExecution(executionArn)).toEqual({ status: 'SUCCEEDED', output: {} });
  });
});

describe("the machine's time-out", () => {
  it('ends the execution as TIMED_OUT', async () => {
    const { run, clock, describe: describeExecution, history } = await startEndpoint();
    const executionArn = await run(machine({ A: wait() }, { TimeoutSeconds: 30 }));
    await clock.advance(29_999);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'RUNNING' });
    await clock.advance(60_000);
    expect(await describeExecution(executionArn)).toEqual({ status: 'TIMED_OUT' });
    expect(lines(await history(executionArn))).toEqual([
      '1<0 ExecutionStarted',
      '2<0 WaitStateEntered',
      '3<0 ExecutionTimedOut',
    ]);
  });

  it('is caught by no state', async () => {
    const endpoint = await startEndpoint({
      work: async () => {
        await endpoint.clock.sleep(60_000);
        return { ok: true, payload: 1 };
      },
    });
    const state = task({ TimeoutSeconds: 50, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }] });
    const executionArn = await endpoint.run(machine({ A: state, B: pass() }, { TimeoutSeconds: 30 }));
    await endpoint.clock.advance(120_000);
    expect(await endpoint.describe(executionArn)).toEqual({ status: 'TIMED_OUT' });
  });

  it('leaves no timer behind when the execution ends before', async () => {
    const { run, clock, describe: describeExecution } = await startEndpoint();
    const executionArn = await run(machine({ A: wait({ Seconds: 1 }) }, { TimeoutSeconds: 2 }));
    await clock.advance(10_000);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('is a year where the machine has none', async () => {
    const { run, clock, describe: describeExecution } = await startEndpoint();
    const executionArn = await run(machine({ A: wait({ Seconds: 99_999_999 }) }));
    await clock.advance(31_535_999_000);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'RUNNING' });
    await clock.advance(1_000);
    expect(await describeExecution(executionArn)).toMatchObject({ status: 'TIMED_OUT' });
  });
});

describe('many executions', () => {
  it('run side by side: 2,000 windows of a minute, each with a task', async () => {
    const { create, start, clock, client } = await startEndpoint({ work: succeed(1) }, () => 0.5, {
      startQuotas: { standard: { bucket: 2_000, perSecond: 0 } },
    });
    const stateMachineArn = await create(machine({ A: wait({ Next: 'B' }), B: task() }));
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(Array.from({ length: 100 }, () => start(stateMachineArn)));
    }
    await clock.advance(60_000);
    const { executions } = await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED', maxResults: 1000 }),
    );
    expect(executions).toHaveLength(1000);
    const running = await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }),
    );
    expect(running.executions).toEqual([]);
  });
});
