import { request } from 'node:http';
import {
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  ExecutionDoesNotExist,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { type Endpoint, machine, pass } from '../src/testing/index.ts';
import { startEndpoint } from './harness.ts';

async function post(
  { url }: Endpoint,
  target: string | undefined,
  body: string,
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: target === undefined ? {} : { 'x-amz-target': target },
    body,
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe('the protocol', () => {
  it('is AWS JSON 1.0: errors are 400s with a type and a message', async () => {
    const endpoint = await startEndpoint();
    const executionArn = 'arn:aws:states:us-east-1:123456789012:execution:m:e';
    const reply = await post(
      endpoint,
      'AWSStepFunctions.DescribeExecution',
      JSON.stringify({ executionArn }),
    );
    expect(reply.status).toBe(400);
    expect(reply.headers.get('content-type')).toBe('application/x-amz-json-1.0');
    expect(reply.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(reply.body).toEqual({
      __type: 'com.amazonaws.swf.service.v2.model#ExecutionDoesNotExist',
      message: `Execution Does Not Exist: '${executionArn}'`,
    });
  });

  it("gives the SDK's own error classes", async () => {
    const { client } = await startEndpoint();
    const executionArn = 'arn:aws:states:us-east-1:123456789012:execution:m:e';
    await expect(client.send(new DescribeExecutionCommand({ executionArn }))).rejects.toBeInstanceOf(
      ExecutionDoesNotExist,
    );
  });

  it.each(['DeleteStateMachine', 'UpdateStateMachine', 'SendTaskHeartbeat', 'CreateActivity', 'TestState'])(
    'refuses %s by name',
    async (operation) => {
      const reply = await post(await startEndpoint(), `AWSStepFunctions.${operation}`, '{}');
      expect(reply.status).toBe(400);
      expect(reply.body).toEqual({
        __type: 'com.amazonaws.swf.service.v2.model#UnknownOperationException',
        message: `${operation} is not supported here`,
      });
    },
  );

  it('lets the SDK see which operation is refused', async () => {
    const { client } = await startEndpoint();
    const command = new DeleteStateMachineCommand({ stateMachineArn: 'arn:x' });
    await expect(client.send(command)).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: 'DeleteStateMachine is not supported here',
    });
  });

  it.each([undefined, 'DynamoDB_20120810.ListTables', 'AWSStepFunctions.constructor', 'AWSStepFunctions.'])(
    'refuses the target %s',
    async (target) => {
      const reply = await post(await startEndpoint(), target, '{}');
      expect(reply.status).toBe(400);
      expect(reply.body).toMatchObject({ __type: expect.stringContaining('#UnknownOperationException') });
    },
  );

  it('refuses another method', async () => {
    const { url } = await startEndpoint();
    const response = await fetch(url, { headers: { 'x-amz-target': 'AWSStepFunctions.ListStateMachines' } });
    expect(response.status).toBe(400);
  });

  it('refuses a body that is no JSON, and quotes nothing of it', async () => {
    const reply = await post(await startEndpoint(), 'AWSStepFunctions.ListStateMachines', 'secret');
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({
      __type: 'com.amazonaws.swf.service.v2.model#SerializationException',
      message: 'The request body is not JSON',
    });
  });

  it('refuses a Host that is not loopback, and a body over 8 MiB', async () => {
    const { url } = await startEndpoint();
    const status = await new Promise((resolve, reject) => {
      request(url, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
    const large = await fetch(url, { method: 'POST', body: 'x'.repeat(8 * 1024 * 1024 + 1) });
    expect(large.status).toBe(413);
  });
});

describe('a request that does not fit', () => {
  it.each([
    [
      'a field that is missing',
      'StartExecution',
      {},
      "Value at 'stateMachineArn' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a field of another type',
      'StartExecution',
      { stateMachineArn: 'arn:x', input: { a: 1 } },
      "Value at 'input' failed to satisfy constraint: Member must be of type string",
    ],
    [
      'a name of 81 characters',
      'StartExecution',
      { stateMachineArn: 'arn:x', name: 'n'.repeat(81) },
      "Value at 'name' failed to satisfy constraint: Member must have length less than or equal to 80",
    ],
    [
      'an empty name',
      'StartExecution',
      { stateMachineArn: 'arn:x', name: '' },
      "Value at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'a page of 1,001',
      'ListStateMachines',
      { maxResults: 1001 },
      "Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000",
    ],
    [
      'a status in lower case',
      'ListExecutions',
      { stateMachineArn: 'arn:x', statusFilter: 'succeeded' },
      "Value at 'statusFilter' failed to satisfy constraint: Member must satisfy enum value set: [RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE]",
    ],
    [
      'a field that is not supported',
      'CreateStateMachine',
      { name: 'm', definition: '{}', roleArn: 'arn:x', tags: [] },
      "Value at 'tags' is not supported here",
    ],
    [
      'a field inside that is not supported',
      'CreateStateMachine',
      { name: 'm', definition: '{}', roleArn: 'arn:x', tracingConfiguration: { mode: 1 } },
      "Value at 'tracingConfiguration.mode' is not supported here",
    ],
    [
      'a cause that is too long',
      'SendTaskFailure',
      { taskToken: 't', cause: 'c'.repeat(32_769) },
      "Value at 'cause' failed to satisfy constraint: Member must have length less than or equal to 32768",
    ],
  ])('%s gives a ValidationException that names the field', async (_what, operation, body, message) => {
    const reply = await post(await startEndpoint(), `AWSStepFunctions.${operation}`, JSON.stringify(body));
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({
      __type: 'com.amazonaws.swf.service.v2.model#ValidationException',
      message: `1 validation error detected: ${message}`,
    });
  });

  it('has all its errors in one message', async () => {
    const reply = await post(await startEndpoint(), 'AWSStepFunctions.SendTaskSuccess', '{}');
    expect(reply.body).toMatchObject({
      message: expect.stringMatching(/^2 validation errors detected: .*'taskToken'.*; .*'output'/),
    });
  });

  it('quotes no value', async () => {
    const body = JSON.stringify({
      stateMachineArn: 'arn:x',
      name: 'n'.repeat(81),
      input: { offer: 'secret' },
    });
    const reply = await post(await startEndpoint(), 'AWSStepFunctions.StartSyncExecution', body);
    expect(JSON.stringify(reply.body)).not.toMatch(/secret|nnn/);
  });

  it.each([
    ['no ARN', 'machine', 'InvalidArn', "Invalid Arn: 'Invalid ARN prefix: machine'"],
    [
      'the ARN of an execution',
      'arn:aws:states:us-east-1:123456789012:execution:m:e',
      'InvalidArn',
      "Invalid Arn: 'Resource type not valid in this context: execution'",
    ],
    [
      'a machine that is not there',
      'arn:aws:states:us-east-1:123456789012:stateMachine:m',
      'StateMachineDoesNotExist',
      "State Machine Does Not Exist: 'arn:aws:states:us-east-1:123456789012:stateMachine:m'",
    ],
  ])('names %s', async (_what, stateMachineArn, name, message) => {
    const { client } = await startEndpoint();
    const expected = { name, message };
    await expect(client.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toMatchObject(expected);
    await expect(client.send(new ListExecutionsCommand({ stateMachineArn }))).rejects.toMatchObject(expected);
    await expect(client.send(new DescribeStateMachineCommand({ stateMachineArn }))).rejects.toMatchObject(
      expected,
    );
  });
});

describe('closing', () => {
  it('is at once, with executions under way and answers awaited', async () => {
    const { client, close, create, clock } = await startEndpoint();
    const stateMachineArn = await create(
      machine({ A: { Type: 'Wait', Seconds: 100, Next: 'B' }, B: pass() }),
    );
    await client.send(new StartExecutionCommand({ stateMachineArn }));
    await close();
    await clock.advance(200_000);
    await expect(client.send(new ListStateMachinesCommand())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
