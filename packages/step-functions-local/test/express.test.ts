import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StartSyncExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { fail, inTurn, machine, pass, succeed, task, wait } from '../src/testing/index.ts';
import { startEndpoint } from './harness.ts';

describe('StartSyncExecution', () => {
  it('answers with the output when the execution has ended', async () => {
    const { create, client, clock } = await startEndpoint({ work: succeed({ b: 2 }) });
    const stateMachineArn = await create(machine({ A: task({ Output: '{% $states.result.Payload %}' }) }), {
      type: 'EXPRESS',
      name: 'm',
    });
    const reply = await client.send(
      new StartSyncExecutionCommand({ stateMachineArn, name: 'e', input: '{"a":1}', traceHeader: 'Root=1' }),
    );
    expect(reply).toMatchObject({
      executionArn: expect.stringMatching(
        /^arn:aws:states:us-east-1:123456789012:express:m:e:[0-9a-f-]{36}$/,
      ),
      stateMachineArn,
      name: 'e',
      status: 'SUCCEEDED',
      startDate: new Date(clock.nowMs()),
      stopDate: new Date(clock.nowMs()),
      input: '{"a":1}',
      inputDetails: { included: true },
      output: '{"b":2}',
      outputDetails: { included: true },
      traceHeader: 'Root=1',
      billingDetails: { billedDurationInMilliseconds: 100, billedMemoryUsedInMB: 64 },
    });
  });

  it('answers 200 with FAILED, error and cause when it fails', async () => {
    const { runSync } = await startEndpoint({ work: fail('Boom', 'it broke') });
    expect(await runSync(machine({ A: task() }))).toMatchObject({
      $metadata: { httpStatusCode: 200 },
      status: 'FAILED',
      error: 'Boom',
      cause: '{"errorType":"Boom","errorMessage":"it broke","trace":[]}',
    });
  });

  it('answers 200 with TIMED_OUT at the time-out of its machine', async () => {
    const { runSync } = await startEndpoint();
    const reply = await runSync(machine({ A: wait() }, { TimeoutSeconds: 5 }), {}, 5_000);
    expect(reply).toMatchObject({
      $metadata: { httpStatusCode: 200 },
      status: 'TIMED_OUT',
      error: 'States.Timeout',
      billingDetails: { billedDurationInMilliseconds: 5_000 },
    });
  });

  it('lasts five minutes at most', async () => {
    const { runSync } = await startEndpoint();
    const definition = machine({ A: wait({ Seconds: 400 }) }, { TimeoutSeconds: 600 });
    expect(await runSync(definition, {}, 300_000)).toMatchObject({ status: 'TIMED_OUT' });
  });

  it('retries like a Standard one', async () => {
    const { runSync } = await startEndpoint({ work: inTurn(fail('Boom'), succeed('second')) });
    const state = task({ Retry: [{ ErrorEquals: ['Boom'] }], Output: '{% $states.result.Payload %}' });
    expect(await runSync(machine({ A: state }), {}, 1_000)).toMatchObject({
      status: 'SUCCEEDED',
      output: '"second"',
    });
  });

  it('leaves input and output out when only metadata is wanted', async () => {
    const { create, client } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: pass() }), { type: 'EXPRESS' });
    const reply = await client.send(
      new StartSyncExecutionCommand({ stateMachineArn, input: '1', includedData: 'METADATA_ONLY' }),
    );
    expect(reply).toMatchObject({ status: 'SUCCEEDED', inputDetails: { included: false } });
    expect([reply.input, reply.output]).toEqual([undefined, undefined]);
  });

  it('is refused on a Standard machine', async () => {
    const { create, client } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: pass() }));
    await expect(client.send(new StartSyncExecutionCommand({ stateMachineArn }))).rejects.toMatchObject({
      name: 'StateMachineTypeNotSupported',
      message: 'This operation is not supported by this type of state machine',
    });
  });

  it('ends an endless loop instead of hanging', { timeout: 60_000 }, async () => {
    const { runSync } = await startEndpoint();
    const loop = machine({
      A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }], Default: 'C' },
      B: pass({ Next: 'A' }),
      C: pass(),
    });
    expect(await runSync(loop)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });
});

describe('an asynchronous Express execution', () => {
  it('runs, as often as its name is started', async () => {
    const { create, client, payloads } = await startEndpoint({ work: succeed(1) });
    const stateMachineArn = await create(machine({ A: task() }), { type: 'EXPRESS' });
    const request = { stateMachineArn, name: 'e', input: '{"a":1}' };
    const first = await client.send(new StartExecutionCommand(request));
    const second = await client.send(new StartExecutionCommand(request));
    expect(first.executionArn).not.toBe(second.executionArn);
    expect(payloads).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it('can be neither read nor stopped, as on AWS', async () => {
    const { create, client, start } = await startEndpoint();
    const stateMachineArn = await create(machine({ A: wait() }), { type: 'EXPRESS' });
    const executionArn = await start(stateMachineArn);
    const invalidArn = {
      name: 'InvalidArn',
      message: "Invalid Arn: 'Resource type not valid in this context: express'",
    };
    await expect(client.send(new DescribeExecutionCommand({ executionArn }))).rejects.toMatchObject(
      invalidArn,
    );
    await expect(client.send(new GetExecutionHistoryCommand({ executionArn }))).rejects.toMatchObject(
      invalidArn,
    );
    await expect(client.send(new StopExecutionCommand({ executionArn }))).rejects.toMatchObject(invalidArn);
    await expect(client.send(new ListExecutionsCommand({ stateMachineArn }))).rejects.toMatchObject({
      name: 'StateMachineTypeNotSupported',
    });
  });
});
