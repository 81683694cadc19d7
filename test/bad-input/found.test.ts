/** What fuzzing has found, each with the smallest request that shows it. */
import { DescribeExecutionCommand, InvalidArn, SFNClient } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { parseJson } from 'local-server-kit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseExecutionFailure } from '../../functions/on-execution-failure/on-execution-failure.ts';
import { describeError } from '../../functions/shared/runtime/logging.ts';
import { startWebServer } from '../../local/web/server.ts';
import { executionFailureEvent } from '../helpers/execution-failure.ts';
import { startWorkflow } from '../helpers/workflow.ts';
import { MARKER } from './arbitraries.ts';
import { type RawRequest, sendBytes, sendRaw } from './raw-http.ts';

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

async function start() {
  const workflow = await startWorkflow({ adapter: 'loopback' });
  const { service, endpoints } = workflow;
  const machine = (key: string) => service.stateMachines.find((one) => one.key === key)?.arn;
  const to = (server: keyof typeof endpoints, request: Partial<RawRequest>) =>
    workflow.inTime(() =>
      sendRaw(Number(new URL(endpoints[server]).port), { method: 'POST', target: '/', ...request }),
    );
  const put = (entry: object) =>
    to('eventBus', {
      headers: [['x-amz-target', 'AWSEvents.PutEvents']],
      body: JSON.stringify({
        Entries: [{ Source: 'source', DetailType: 'type', Detail: '{}', ...entry }],
      }),
    });
  const states = (operation: string, body: object) =>
    to('stepFunctions', {
      headers: [['x-amz-target', `AWSStepFunctions.${operation}`]],
      body: JSON.stringify(body),
    });
  const dynamo = (body: string, headers: RawRequest['headers'] = []) =>
    to('dynamoDb', {
      headers: [
        [
          'authorization',
          'AWS4-HMAC-SHA256 Credential=a/20260101/us-west-2/dynamodb/aws4_request, SignedHeaders=host, Signature=a',
        ],
        ['x-amz-date', '20260101T000000Z'],
        ['x-amz-target', 'DynamoDB_20120810.PutItem'],
        ['content-type', 'application/x-amz-json-1.0'],
        ...headers,
      ],
      body,
    });
  const control = (target: string, body: object) =>
    to('gameLiftStreams', {
      target: `/_control/${target}`,
      headers: [['content-type', 'application/json']],
      body: JSON.stringify(body),
    });
  return { ...workflow, machine, to, put, states, dynamo, control };
}

describe('the event of a failed execution', () => {
  it('is nobody’s when Step Functions takes its ARN for none, and is not handled again', async () => {
    const stepFunctions = mockClient(SFNClient);
    onTestFinished(() => stepFunctions.restore());
    stepFunctions.on(DescribeExecutionCommand).rejects(new InvalidArn({ message: 'no', $metadata: {} }));
    const event = executionFailureEvent({ streamGroupId: 'sg-1', streamSessionId: 'a' }, 1, {
      input: null,
      executionArn: 'no ARN',
    });

    expect(await parseExecutionFailure(event, new SFNClient({ region: 'us-west-2' }))).toBeUndefined();
  });
});

describe('an error in the log', () => {
  it('is called by its name only if that has the form of one: a reply’s header may be anything', () => {
    const named = (name: string, cause?: Error) =>
      Object.assign(new Error('It failed.', { cause }), { name });

    expect(describeError(named('ConflictException', named(MARKER)))).toMatchObject({
      errorName: 'ConflictException',
      causes: ['Error'],
    });
    expect(describeError(named('a'.repeat(101))).errorName).toBe('Error');
  });
});

describe('the event bus', () => {
  it.each([1e21, -1, 253_402_300_800])('refuses the Time %d, which no event can carry', async (Time) => {
    const { put } = await start();

    expect((await put({ Time }))?.status).toBe(400);
    expect((await put({ Time: 253_402_300_799 }))?.body).toContain('"FailedEntryCount":0');
  });

  it('refuses a Detail that is too deep to be told again, and goes on telling the others', async () => {
    const { put, events } = await start();

    const refused = await put({ Detail: `{"a":${deep(5_000)}}` });
    await put({ Detail: '{"b":1}' });

    expect(refused?.body).toContain('MalformedDetail');
    expect((await events()).map(({ detail }) => detail)).toEqual([{ b: 1 }]);
  });

  it('tells ten mistakes of thousands, and no name of the sender’s', async () => {
    const { to } = await start();
    const headers = [['x-amz-target', 'AWSEvents.PutEvents']] as const;

    const many = await to('eventBus', { headers, body: JSON.stringify({ Entries: Array(5_000).fill(0) }) });
    const unknown = await to('eventBus', {
      target: '/_local/disturbances',
      headers: [['content-type', 'application/json']],
      body: JSON.stringify({ [MARKER]: 1 }),
    });

    expect(many?.body.length).toBeLessThan(1_000);
    expect(unknown?.status).toBe(400);
    expect(unknown?.body).not.toContain(MARKER);
  });
});

describe('the Step Functions endpoint', () => {
  it('refuses inputs, outputs and definitions that are too deep for their expressions', async () => {
    const { states, machine } = await start();
    const definition = `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","End":true,"Output":${deep(5_000)}}}}`;

    const replies = [
      await states('StartExecution', {
        stateMachineArn: machine('reconnectionWindow'),
        input: `{"a":${deep(5_000)}}`,
      }),
      await states('SendTaskSuccess', { taskToken: 'token', output: deep(5_000) }),
      await states('CreateStateMachine', {
        name: 'deep',
        definition,
        roleArn: 'arn:aws:iam::123456789012:role/local',
      }),
    ];

    expect(replies.map((reply) => [reply?.status, /#(\w+)/.exec(reply?.body ?? '')?.[1]])).toEqual([
      [400, 'InvalidExecutionInput'],
      [400, 'InvalidOutput'],
      [400, 'InvalidDefinition'],
    ]);
  });

  it('tells no operation and no member by a name of the sender’s, and ten mistakes of thousands', async () => {
    const { states } = await start();
    const members = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`${MARKER}${index}`, 1]));

    const replies = [await states(MARKER, {}), await states('ListStateMachines', members)];

    for (const reply of replies) {
      expect(reply?.status).toBe(400);
      expect(reply?.body).not.toContain(MARKER);
      expect(reply?.body.length).toBeLessThan(2_000);
    }
  });
});

describe('the DynamoDB stand-in', () => {
  it.each([
    ['null', 'null'],
    [
      'an item that is too deep',
      `{"TableName":"Table","Item":{"a":${'{"M":{"a":'.repeat(20_000)}{"S":"x"}${'}}'.repeat(20_000)}}}`,
    ],
  ])('survives %s', async (_what, body) => {
    const { dynamo } = await start();

    expect((await dynamo(body))?.status).toBe(400);
    expect((await dynamo('{}'))?.status).toBe(400);
  });

  it('survives a request that is cut off', async () => {
    const { endpoints, dynamo } = await start();
    const port = Number(new URL(endpoints.dynamoDb).port);

    await sendBytes(port, Buffer.from('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{'));

    expect((await dynamo('{}'))?.status).toBe(400);
  });

  it('answers no page of any site, which its makers let read everything', async () => {
    const { dynamo } = await start();

    const reply = await dynamo('{}', [['origin', 'https://example.com']]);

    expect([reply?.status, /allow-origin/i.test(reply?.head ?? '')]).toEqual([403, false]);
  });
});

describe('the control API', () => {
  it.each([
    ['no-such-thing/', {}],
    ['happenings', { kind: 'clientDrops', streamSessionIds: [MARKER] }],
    ['settings', { [MARKER]: 1 }],
    ['stream-groups', { [MARKER]: 1 }],
  ])('repeats nothing of what %s was sent', async (target, body) => {
    const { control } = await start();

    const reply = await control(target.endsWith('/') ? `${target}${MARKER}` : target, body);

    expect(reply?.status).toBeGreaterThanOrEqual(400);
    expect(reply?.body).not.toContain(MARKER);
  });
});

describe('the web pages’ server', () => {
  it('passes a GET on that has a body, and tells a path from a query', async () => {
    const { endpoints } = await start();
    const web = await startWebServer({ port: 0, endpoints });
    onTestFinished(() => web.close());
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const get = (target: string, body = '') => sendRaw(web.port, { method: 'GET', target, body });

    expect((await get('/api/streamgroups/sg-local0001/streamsessions/a/window', '{}'))?.status).toBe(404);
    expect((await get('/api/streamgroups?x=/window'))?.status).toBe(403);
  });
});

describe('JSON of a request', () => {
  it('may be 1,000 deep, and not one deeper; what is inside a string does not count', () => {
    expect(() => parseJson(deep(1_000))).not.toThrow();
    expect(() => parseJson(deep(1_001))).toThrow('more than 1000 deep');
    expect(() => parseJson(`{"a":${deep(999)}}`)).not.toThrow();
    expect(() => parseJson(`{"a":${deep(1_000)}}`)).toThrow(SyntaxError);
    const text = JSON.stringify(['[{'.repeat(2_000), '"[\\'.repeat(2_000)]);
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
});
