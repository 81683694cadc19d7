import { Server } from 'node:net';
import fc from 'fast-check';
import { anOffer } from 'game-lift-streams-local';
import { beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { VALID_CLIENT_TOKEN } from '../../local/simulation/offers.ts';
import type { Endpoints } from '../../local/stack.ts';
import { startPlayerBackend } from '../../local/web/backend/backend.ts';
import { startWebServer } from '../../local/web/server.ts';
import { startWorkflow } from '../helpers/workflow.ts';
import { hostileText, MARKER, nearlyText } from './arbitraries.ts';
import { type RawReply, type RawRequest, sendBytes, sendRaw } from './raw-http.ts';
import { FUZZ_TIMEOUT_MS, runs } from './runs.ts';
import { watchPrototypes } from './watch.ts';

watchPrototypes();

interface Sample {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: unknown;
  /**
   * Members whose values stand in the service's own errors: AWS's words hold the ARN or the name, and what is wrong
   * with a definition is said in its own.
   */
  readonly repeated?: readonly string[];
}

/** Stands for the id of a session that is there. */
const SESSION_ID = 'ABC123def4567';
const SESSION_PATH = `/streamgroups/sg-local0001/streamsessions/${SESSION_ID}`;
const service = inject('service');
const arnOf = (key: string) => service.stateMachines.find((machine) => machine.key === key)?.arn ?? '';
const MACHINE_ARN = arnOf('reconnectionWindow');
const EXECUTION_ARN = `${MACHINE_ARN.replace(':stateMachine:', ':execution:')}:ABC123def4567-1`;
const JSON_TYPE = [['content-type', 'application/json']] as const;

const awsJson = (prefix: string, operation: string, body: unknown, repeated?: readonly string[]): Sample => ({
  method: 'POST',
  target: '/',
  headers: [
    ['x-amz-target', `${prefix}.${operation}`],
    ['content-type', 'application/x-amz-json-1.0'],
  ],
  body,
  ...(repeated === undefined ? {} : { repeated }),
});
const states = (operation: string, body: unknown) =>
  awsJson('AWSStepFunctions', operation, body, ['stateMachineArn', 'executionArn', 'name', 'definition']);
const control = (method: string, resource: string, body?: unknown): Sample => ({
  method,
  target: `/_control/${resource}`,
  headers: JSON_TYPE,
  body,
});
const player = (method: string, path: string, body?: unknown): Sample => ({
  method,
  target: `/backend/sessions${path}`,
  headers: [...JSON_TYPE, ['cookie', 'player=0d6e4079-e367-4d15-b5c4-5f8f1e0c7a3b']],
  body,
});
const key = { pk: { S: 'a' }, sk: { S: 'b' } };
const TableName = service.tables[0]?.name ?? '';
/** dynalite looks whether a request is signed, not whether it is signed well. */
const SIGNED = [
  [
    'authorization',
    'AWS4-HMAC-SHA256 Credential=a/20260101/us-west-2/dynamodb/aws4_request, SignedHeaders=host, Signature=a',
  ],
  ['x-amz-date', '20260101T000000Z'],
] as const;
const dynamo = (operation: string, body: object): Sample => {
  const sample = awsJson('DynamoDB_20120810', operation, body);
  return { ...sample, headers: [...SIGNED, ...(sample.headers ?? [])] };
};

const DEFINITION = {
  QueryLanguage: 'JSONata',
  StartAt: 'Ends',
  States: { Ends: { Type: 'Pass', Output: { a: '{% $states.input.a %}' }, End: true } },
};

/** Requests that each server takes, of which bad ones are made. */
const SAMPLES: Readonly<Record<keyof Endpoints | 'web', readonly Sample[]>> = {
  gameLiftStreams: [
    {
      method: 'POST',
      target: '/streamgroups/sg-local0001/streamsessions',
      headers: JSON_TYPE,
      body: {
        Protocol: 'WebRTC',
        SignalRequest: anOffer(),
        ApplicationIdentifier: 'a-local0001',
        ClientToken: VALID_CLIENT_TOKEN,
        UserId: 'player-1',
        Locations: ['us-west-2'],
        ConnectionTimeoutSeconds: 120,
        AdditionalEnvironmentVariables: { NAME: 'value' },
        DisplayConfiguration: { Resolution: { Width: 1280, Height: 720 } },
      },
    },
    { method: 'GET', target: SESSION_PATH },
    { method: 'DELETE', target: SESSION_PATH },
    { method: 'GET', target: '/streamsessions?Status=ACTIVE&MaxResults=10&NextToken=abc' },
    { method: 'GET', target: '/streamgroups/sg-local0001/streamsessions?MaxResults=100&NextToken=abc' },
    {
      method: 'POST',
      target: `${SESSION_PATH}/connections`,
      headers: JSON_TYPE,
      body: { SignalRequest: anOffer(), ClientToken: VALID_CLIENT_TOKEN },
    },
    { method: 'POST', target: `${SESSION_PATH}/access`, headers: JSON_TYPE, body: {} },
    control('POST', 'stream-groups', { streamGroupId: 'sg-other0001', location: 'us-east-1' }),
    control('POST', 'stream-sessions', { count: 2, status: 'CONNECTED', userId: 'player-1' }),
    control('GET', 'stream-sessions?streamGroupId=sg-local0001&status=ACTIVE'),
    control('GET', 'stream-sessions/ABC123def4567'),
    control('POST', 'happenings', { kind: 'clientDrops', streamSessionIds: ['ABC123def4567'] }),
    control('POST', 'happenings', {
      kind: 'clientConnects',
      streamSessionIds: [SESSION_ID],
      signalResponse: 'x',
    }),
    control('POST', 'faults', {
      operation: 'GetStreamSession',
      kind: 'latency',
      latencyMs: 10,
      calls: 2,
      streamSessionId: SESSION_ID,
    }),
    control('GET', 'faults'),
    control('DELETE', 'faults'),
    control('PATCH', 'settings', { connectionMs: 50, wrongStatusConnectionHttpStatus: 400 }),
    control('POST', 'admin-shell-readiness', { streamSessionId: SESSION_ID, notReadySeconds: 1 }),
    control('GET', 'counters'),
  ],
  stepFunctions: [
    states('CreateStateMachine', {
      name: 'machine',
      definition: JSON.stringify(DEFINITION),
      roleArn: 'arn:aws:iam::123456789012:role/local',
      type: 'EXPRESS',
    }),
    states('ValidateStateMachineDefinition', { definition: JSON.stringify(DEFINITION), type: 'STANDARD' }),
    states('ListStateMachines', { maxResults: 10 }),
    states('DescribeStateMachine', { stateMachineArn: MACHINE_ARN }),
    states('StartExecution', { stateMachineArn: MACHINE_ARN, name: 'a-1', input: '{"a":1}' }),
    states('StartSyncExecution', {
      stateMachineArn: arnOf('createConnection'),
      name: 'a-1',
      input: '{"a":1}',
    }),
    states('DescribeExecution', { executionArn: EXECUTION_ARN }),
    states('ListExecutions', { stateMachineArn: MACHINE_ARN, statusFilter: 'RUNNING', nextToken: 'MQ' }),
    states('GetExecutionHistory', { executionArn: EXECUTION_ARN, maxResults: 10, nextToken: 'MQ' }),
    states('StopExecution', { executionArn: EXECUTION_ARN, error: 'E', cause: 'C' }),
    states('SendTaskSuccess', { taskToken: 'token', output: '{"seq":1}' }),
    states('SendTaskFailure', { taskToken: 'token', error: 'E', cause: 'C' }),
  ],
  eventBus: [
    awsJson('AWSEvents', 'PutEvents', {
      Entries: [
        {
          Source: 'stream-session-reconnection',
          DetailType: 'Stream Session Status Change',
          Detail: '{"version":"1","streamGroupId":"sg-local0001"}',
          EventBusName: service.rules[0]?.busName,
          Resources: ['arn:aws:x'],
          Time: 1_767_225_600,
        },
      ],
    }),
    { method: 'GET', target: '/_local/events?limit=10' },
    { method: 'GET', target: '/_local/dead-letters' },
    { method: 'GET', target: '/_local/queues/name' },
    {
      method: 'POST',
      target: '/_local/disturbances',
      headers: JSON_TYPE,
      body: { kind: 'duplicate', deliveries: 1 },
    },
  ],
  sqs: [
    awsJson('AmazonSQS', 'ChangeMessageVisibilityBatch', {
      QueueUrl: `https://sqs.us-west-2.amazonaws.com/123456789012/${service.queues[0]?.name}`,
      Entries: [{ Id: '0', ReceiptHandle: 'handle', VisibilityTimeout: 5 }],
    }),
  ],
  dynamoDb: [
    dynamo('PutItem', {
      TableName,
      Item: { ...key, n: { N: '1' }, l: { L: [{ S: 'x' }] }, m: { M: { a: { BOOL: true } } } },
    }),
    dynamo('GetItem', { TableName, Key: key, ConsistentRead: true }),
    dynamo('UpdateItem', {
      TableName,
      Key: key,
      UpdateExpression: 'SET #a = :one ADD #b :one',
      ConditionExpression: 'attribute_not_exists(#a) OR #a < :one',
      ExpressionAttributeNames: { '#a': 'a', '#b': 'b' },
      ExpressionAttributeValues: { ':one': { N: '1' } },
      ReturnValues: 'ALL_NEW',
    }),
    dynamo('Query', {
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'a' } },
    }),
    dynamo('BatchGetItem', { RequestItems: { [TableName]: { Keys: [key] } } }),
  ],
  api: [
    {
      method: 'POST',
      target: `${SESSION_PATH}/connections?a=b`,
      headers: [...JSON_TYPE, ['x-user-id', 'player-1']],
      body: { SignalRequest: anOffer(), ClientToken: VALID_CLIENT_TOKEN },
    },
    { method: 'POST', target: `${SESSION_PATH}/access`, headers: [['x-reason', 'a look']], body: {} },
    { method: 'GET', target: `${SESSION_PATH}/window?a=b&a=c` },
  ],
  web: [
    { method: 'GET', target: '/' },
    { method: 'GET', target: '/player?session=abc' },
    { method: 'GET', target: `/api${SESSION_PATH}/window` },
    {
      ...states('ListExecutions', { stateMachineArn: MACHINE_ARN }),
      target: '/step-functions/',
    },
    { ...states('GetExecutionHistory', { executionArn: EXECUTION_ARN }), target: '/step-functions' },
    player('POST', '', { signalRequest: anOffer(), connectionTimeoutSeconds: 120 }),
    player('GET', `/${SESSION_ID}`),
    player('GET', `/${SESSION_ID}/window`),
    player('POST', `/${SESSION_ID}/connections`, { signalRequest: anOffer() }),
    { method: 'GET', target: `/control/state?session=${SESSION_ID}` },
    { method: 'POST', target: '/control/mishaps', headers: JSON_TYPE, body: { kind: 'conflict', calls: 2 } },
    { method: 'DELETE', target: '/control/mishaps', headers: JSON_TYPE },
    // One player too many: a storm is minutes of real time.
    {
      method: 'POST',
      target: '/control/storm',
      headers: JSON_TYPE,
      body: { players: 501, connectionTimeoutSeconds: 5 },
    },
  ],
};

const line = hostileText.map((text) => text.replaceAll(/[\r\n]/g, ' ').slice(0, 4_000));
const targets = (target: string) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(target) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.nat(), line, fc.boolean()).map(([place, text, encoded]) => {
        const parts = target.split(/(?<=[/?&=])/);
        parts[place % parts.length] = encoded
          ? encodeURIComponent(text.toWellFormed())
          : text.replaceAll(' ', '');
        return parts.join('');
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '*',
        `//${MARKER}/`,
        `http://${MARKER}/`,
        `/../..${target}`,
        `${target}/`,
        `${target}?__proto__=1&constructor=2&${MARKER}`,
        `${target}#${MARKER}`,
        `${target}%`,
        `${target}%ff%00`,
        '/constructor',
        '/assets/__proto__',
        '/_control/__proto__',
        '/_control/stream-sessions/constructor',
        '/_local/queues/%',
        '/_local/events?limit=1e3',
        '/%5c%5c',
      ),
    },
  );

const headersFrom = (headers: Sample['headers'] = []) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant([...headers]) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom(
            'x-amz-target',
            'content-type',
            'authorization',
            'origin',
            'x-reason',
            'x-user-id',
            '__proto__',
            'constructor',
            'cookie',
            'x-forwarded-host',
            'content-encoding',
            'expect',
            'upgrade',
            'transfer-encoding',
          ),
          line,
        )
        .map((extra) => [...headers, extra] as const),
    },
    { weight: 1, arbitrary: fc.nat(headers.length).map((end) => headers.slice(0, end)) },
  );

function requestsLike(sample: Sample): fc.Arbitrary<RawRequest> {
  return fc.record({
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constant(sample.method) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'),
      },
    ),
    target: targets(sample.target),
    headers: headersFrom(sample.headers),
    body:
      sample.body === undefined
        ? fc.constantFrom('', '', MARKER, '{}')
        : fc.oneof(
            { weight: 8, arbitrary: nearlyText(sample.body) },
            { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)) },
          ),
  });
}

async function startServers() {
  const workflow = await startWorkflow({ adapter: 'loopback' });
  const playerBackend = startPlayerBackend(workflow, Math.random);
  const web = await startWebServer({ port: 0, endpoints: workflow.endpoints, playerBackend });
  onTestFinished(async () => {
    await web.close();
    await playerBackend.close();
  });
  const urls = { ...workflow.endpoints, web: web.url };
  const portOf = (name: keyof typeof urls) => Number(new URL(urls[name]).port);
  return { workflow, urls, portOf };
}

const SERVERS = Object.keys(SAMPLES).filter((name): name is keyof typeof SAMPLES => name in SAMPLES);

describe('the servers of the local stack', () => {
  it('have their bad input here, each of them, and listen on 127.0.0.1 alone', async () => {
    const listening = vi.spyOn(Server.prototype, 'listen');

    const { urls } = await startServers();

    expect(SERVERS.toSorted()).toEqual(Object.keys(urls).toSorted());
    const addresses = listening.mock.contexts.map((server) => server instanceof Server && server.address());
    expect(addresses).toHaveLength(SERVERS.length);
    expect(addresses).toEqual(
      SERVERS.map(() => ({ address: '127.0.0.1', family: 'IPv4', port: expect.any(Number) })),
    );
  });

  it.each(SERVERS)('%s refuses the names of other hosts, whatever is asked', async (name) => {
    const { portOf } = await startServers();
    const hosts = ['evil.example', `evil.example:${portOf(name)}`, '127.0.0.1.evil.example', '0.0.0.0', ''];

    const replies = await Promise.all(
      hosts.flatMap((host) =>
        SAMPLES[name].slice(0, 3).map(({ method, target, headers = [], body }) =>
          sendRaw(portOf(name), {
            method,
            target,
            headers: [['Host', host], ...headers],
            body: body === undefined ? '' : JSON.stringify(body),
          }),
        ),
      ),
    );

    expect(new Set(replies.map((reply) => reply?.status))).toEqual(new Set([421]));
  });
});

function holdsMarker({ body }: RawRequest, members: readonly string[]): boolean {
  try {
    const parsed: unknown = JSON.parse(String(body));
    return (
      typeof parsed === 'object' &&
      parsed !== null &&
      Object.entries(parsed).some(
        ([name, value]) => members.includes(name) && JSON.stringify(value).includes(MARKER),
      )
    );
  } catch {
    return false;
  }
}

/** A reply that a caller may have deserved: never the server's own failure, never what was sent. */
function assertHonest(name: string, reply: RawReply | undefined, { repeated }: Sample, request: RawRequest) {
  expect(reply, 'The connection was cut.').toBeDefined();
  if (reply === undefined) return;
  expect(reply.status).toBeLessThan(500);
  // What is stored is given back to whoever asks for it; the database's own errors are its makers'.
  if (reply.status < 400 || name === 'dynamoDb') return;
  if (repeated !== undefined && holdsMarker(request, repeated)) return;
  expect(`${reply.head}\n${reply.body}`).not.toContain(MARKER);
}

describe.each(SERVERS)('%s', (name) => {
  it(
    'answers whatever it is sent, repeats none of it, and goes on',
    async () => {
      const { workflow, portOf } = await startServers();
      const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => {});
      const port = portOf(name);
      let session = await workflow.session();
      const good = await workflow.inTime(() => sendRaw(port, { method: 'GET', target: '/' }));
      await fc.assert(
        fc.asyncProperty(
          fc
            .constantFrom(...SAMPLES[name])
            .chain((sample) => fc.tuple(fc.constant(sample), requestsLike(sample))),
          async ([sample, like]) => {
            const { streamSessionId } = session;
            const request = {
              ...like,
              target: like.target.replaceAll(SESSION_ID, streamSessionId),
              body:
                typeof like.body === 'string'
                  ? like.body.replaceAll(SESSION_ID, streamSessionId)
                  : (like.body ?? ''),
            };

            const reply = await workflow.inTime(() => sendRaw(port, request));

            assertHonest(name, reply, sample, request);
            expect(console).not.toHaveBeenCalled();
            if (name !== 'gameLiftStreams') return;
            await workflow.control.reset();
            session = await workflow.session();
          },
        ),
        runs(100),
      );
      const after = await workflow.inTime(() => sendRaw(port, { method: 'GET', target: '/' }));
      expect(after?.status).toBe(good?.status);
    },
    FUZZ_TIMEOUT_MS,
  );

  it('survives what is no HTTP', async () => {
    const { portOf } = await startServers();
    const whole = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          fc.nat(whole.length).map((length) => Buffer.from(whole.slice(0, length))),
          fc
            .constantFrom(
              'GET / HTTP/1.1\r\n\r\n',
              'CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
              `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
              `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
              'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
              'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nshort',
              'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n',
              'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
            )
            .map((text) => Buffer.from(text)),
        ),
        async (bytes) => {
          const reply = await sendBytes(portOf(name), bytes);

          if (reply !== undefined) expect(reply.status).toBeLessThan(500);
        },
      ),
      runs(15),
    );
    expect(await sendRaw(portOf(name), { method: 'GET', target: '/' })).toBeDefined();
  });
});

beforeEach(() => {
  vi.restoreAllMocks();
});
