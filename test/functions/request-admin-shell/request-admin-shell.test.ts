import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CreateStreamSessionAdminShellCommand, GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient, StartSyncExecutionCommand } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAdminShellInputSchema } from '../../../functions/create-admin-shell/create-admin-shell.ts';
import { requestAdminShellRoute } from '../../../functions/request-admin-shell/request-admin-shell.ts';
import { adminShellAuditDetailSchema } from '../../../functions/shared/contracts/index.ts';
import type { SwitchState } from '../../../functions/shared/runtime/switch.ts';
import { adminShellRequestEvent } from '../../../scripts/api-request-samples.ts';
import { captureOutput, lambdaContext } from '../../helpers/lambda.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { QUOTED_INPUT, serviceErrors } from '../../helpers/service-errors.ts';
import { tableAt } from '../../helpers/table.ts';

const stepFunctions = mockClient(SFNClient);
const eventBridge = mockClient(EventBridgeClient);
const service = mockClient(GameLiftStreamsClient);
const items = mockClient(DynamoDBDocumentClient);
const NOW_MS = Date.UTC(2026, 2, 14, 18, 42, 23, 131);
const CREATE_ADMIN_SHELL_ARN = 'arn:aws:states:us-west-2:111122223333:stateMachine:create-admin-shell';
const CREDENTIALS = { SessionId: 'the-session', StreamUrl: 'wss://the-url', TokenValue: 'the-token' };
const created = {
  status: 'SUCCEEDED',
  output: JSON.stringify({
    result: 'ADMIN_SHELL_CREATED',
    sessionId: CREDENTIALS.SessionId,
    streamUrl: CREDENTIALS.StreamUrl,
    tokenValue: CREDENTIALS.TokenValue,
    createdAtMs: NOW_MS,
  }),
} as const;
const REQUEST_ID = adminShellRequestEvent().requestContext.requestId;
const WHO = {
  version: '1',
  requestId: REQUEST_ID,
  caller: 'arn:aws:sts::111122223333:assumed-role/game-operator/game-operator',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  sourceIp: '203.0.113.10',
  requestedAt: '2026-03-14T18:42:23.131Z',
  recordedAt: '2026-03-14T18:42:23.131Z',
};
const WHICH = {
  streamGroupId: 'sg-1AB2C3De4',
  streamSessionId: 'ABC123def4567',
  executionName: `ABC123def4567-${REQUEST_ID}`,
};
const reason = 'Incident 4711: black screen after the reconnection';

beforeEach(() => {
  service.reset();
  stepFunctions.reset();
  stepFunctions.on(StartSyncExecutionCommand).resolves(created);
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
});

function prepare(switchState: SwitchState = 'on') {
  const output = captureOutput();
  const clock = new VirtualClock(NOW_MS);
  items.on(GetCommand).resolves({ Item: { state: switchState } });
  const handler = requestAdminShellRoute.handler(
    {
      documents: tableAt('http://127.0.0.1:1').documents,
      stepFunctionsSingleAttempt: new SFNClient({ region: 'us-west-2' }),
      gameLiftStreams: new GameLiftStreamsClient({ region: 'us-west-2' }),
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    },
    {
      clock,
      environment: {
        AWS_REGION: 'us-west-2',
        TABLE_NAME: 'table',
        EVENT_BUS_NAME: 'bus',
        EVENT_SOURCE: 'stream-session-reconnection',
        CREATE_ADMIN_SHELL_ARN,
      },
    },
  );
  const request = (overrides: Partial<APIGatewayProxyEvent> = {}) =>
    handler({ ...adminShellRequestEvent(), ...overrides }, lambdaContext());
  return { output, clock, request };
}

const entries = () =>
  eventBridge.commandCalls(PutEventsCommand).flatMap(({ args: [{ input }] }) => input.Entries ?? []);
const records = () =>
  entries().map(({ Detail = '' }) => adminShellAuditDetailSchema.parse(JSON.parse(Detail)));
const executions = () =>
  stepFunctions.commandCalls(StartSyncExecutionCommand).map(({ args: [{ input }] }) => input);
const withHeaders = (headers: Record<string, string[]>) => ({ multiValueHeaders: headers });

describe('a request for an admin shell', () => {
  it('is answered with the credentials of one execution, which gets the session and a deadline', async () => {
    const { request } = prepare();

    const reply = await request();

    expect(reply).toEqual({
      statusCode: 200,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-expires-in-seconds': '60',
      },
      body: JSON.stringify(CREDENTIALS),
    });
    const [{ input = '', ...execution } = {}] = executions();
    expect(execution).toEqual({ stateMachineArn: CREATE_ADMIN_SHELL_ARN, name: WHICH.executionName });
    const { streamGroupId, streamSessionId } = WHICH;
    expect(JSON.parse(input)).toEqual({ streamGroupId, streamSessionId, deadlineMs: NOW_MS + 20_000 });
    const taskInput = { ...JSON.parse(input), executionName: WHICH.executionName };
    expect(createAdminShellInputSchema.safeParse(taskInput).success).toBe(true);
  });

  it('is on record as event and log line, before the service is asked and when it has answered', async () => {
    const { request, output } = prepare();
    let recordsBefore: unknown;
    stepFunctions.on(StartSyncExecutionCommand).callsFake(() => {
      recordsBefore = records();
      return created;
    });

    await request();

    const requested = { ...WHO, ...WHICH, reason, result: 'REQUESTED', refusal: null, sessionStatus: null };
    expect(recordsBefore).toEqual([requested]);
    expect(records()).toEqual([requested, { ...requested, result: 'GRANTED' }]);
    for (const entry of entries()) {
      expect(entry).toMatchObject({
        EventBusName: 'bus',
        Source: 'stream-session-reconnection',
        DetailType: 'Stream Session Admin Shell Audit',
      });
    }
    // The logger leaves out what is null.
    const { version: _, refusal: __, sessionStatus: ___, ...fields } = requested;
    expect(output.lines()).toMatchObject([
      { level: 'INFO', message: 'AdminShellRequested', ...fields },
      { level: 'INFO', message: 'AdminShellGranted', ...fields, result: 'GRANTED' },
    ]);
    expect(output.metrics()).toMatchObject([{ AdminShellsGranted: 1 }]);
    expect(output.metrics()[0]).not.toHaveProperty('AdminShellsRefused');
  });

  it.each([
    ['a session in a wrong status', { result: 'STATUS_WITHOUT_ADMIN_SHELL', status: 'ERROR' }, 400, 'ERROR'],
    ['a session that nobody knows', { result: 'NOT_FOUND' }, 404, null],
  ])(
    'that is refused is on record with the reason for it: %s',
    async (_, result, statusCode, sessionStatus) => {
      stepFunctions
        .on(StartSyncExecutionCommand)
        .resolves({ status: 'SUCCEEDED', output: JSON.stringify(result) });
      const { request, output } = prepare();

      expect(await request()).toMatchObject({ statusCode });

      expect(records().map((record) => record.result)).toEqual(['REQUESTED', 'REFUSED']);
      expect(records()[1]).toMatchObject({ ...WHO, ...WHICH, reason, refusal: result.result, sessionStatus });
      expect(output.metrics()).toMatchObject([{ AdminShellsRefused: 1 }]);
    },
  );

  it('that fails is on record with the error', async () => {
    stepFunctions
      .on(StartSyncExecutionCommand)
      .resolves({ status: 'FAILED', error: 'ThrottlingException', cause: 'cause' });

    expect(await prepare().request()).toMatchObject({ statusCode: 429 });

    expect(records()[1]).toMatchObject({ result: 'REFUSED', refusal: 'ThrottlingException' });
  });

  it('without a reason is taken, with the default on record', async () => {
    await prepare().request(withHeaders({}));

    expect(records().map((record) => record.reason)).toEqual(['none given', 'none given']);
  });

  it('names its reason under the header in any case', async () => {
    await prepare().request(withHeaders({ 'X-Reason': ['incident 1'] }));

    expect(records()[0]?.reason).toBe('incident 1');
  });

  it.each([
    ['userArn', WHO.caller],
    ['caller', 'AROAIOSFODNN7EXAMPLE:game-operator'],
    ['accessKey', 'ASIAIOSFODNN7EXAMPLE'],
    ['nothing', 'unsigned'],
  ])('is of whoever API Gateway names best, down to the %s', async (member, caller) => {
    const event = adminShellRequestEvent();
    const order = ['userArn', 'caller', 'accessKey', 'nothing'];
    const unknown = order.slice(0, order.indexOf(member)).map((name) => [name, null]);
    const identity = { ...event.requestContext.identity, ...Object.fromEntries(unknown) };

    await prepare().request({ requestContext: { ...event.requestContext, identity } });

    expect(records()[0]?.caller).toBe(caller);
  });
});

describe('a request that breaks a rule', () => {
  it('of the header asks nobody, and is on record without its reason', async () => {
    const { request, output } = prepare();

    const reply = await request(withHeaders({ 'x-reason': ['SECRET für alle'] }));

    expect(reply).toMatchObject({
      statusCode: 400,
      headers: { 'x-amzn-errortype': 'ValidationException' },
      body: expect.stringContaining('x-reason'),
    });
    expect(executions()).toEqual([]);
    expect(records()).toEqual([
      { ...WHO, ...WHICH, result: 'REFUSED', reason: null, refusal: 'INVALID_REASON', sessionStatus: null },
    ]);
    expect(output.metrics()).toMatchObject([{ AdminShellsRefused: 1 }]);
    expect(output.metrics()[0]).not.toHaveProperty('AdminShellsGranted');
    expect(JSON.stringify([reply, records(), output.text()])).not.toContain('SECRET');
  });

  it('of the path asks nobody, and is on record without a session', async () => {
    const { request, output } = prepare();
    const pathParameters = { Identifier: 'sg-1AB2C3De4', StreamSessionIdentifier: 'SECRET%20' };

    expect(await request({ pathParameters })).toMatchObject({ statusCode: 400 });

    expect(executions()).toEqual([]);
    expect(records()).toEqual([
      {
        ...WHO,
        streamGroupId: null,
        streamSessionId: null,
        executionName: null,
        result: 'REFUSED',
        reason: null,
        refusal: 'INVALID_PATH',
        sessionStatus: null,
      },
    ]);
    expect(output.text()).not.toContain('SECRET');
  });
});

describe('a bus that fails', () => {
  it.each([
    ['answers that it took nothing', { FailedEntryCount: 1 }],
    ['does not answer', new Error('socket hang up')],
  ])('lets nobody have a shell that is not on record: it %s', async (_, answer) => {
    if (answer instanceof Error) eventBridge.on(PutEventsCommand).rejects(answer);
    else eventBridge.on(PutEventsCommand).resolves(answer);
    const { request, output } = prepare();

    const reply = await request();

    expect(reply).toMatchObject({ statusCode: 500, headers: { 'retry-after': '1' } });
    expect(executions()).toEqual([]);
    expect(output.lines().map(({ message, refusal }) => [message, refusal])).toEqual([
      ['AdminShellRequested', undefined],
      ['AdminShellRefused', 'NOT_RECORDED'],
      ['AuditNotPublished', undefined],
      ['RequestFailed', undefined],
    ]);
  });

  it('once the shell is there withholds nothing: the log has the result', async () => {
    eventBridge
      .on(PutEventsCommand)
      .resolvesOnce({ FailedEntryCount: 0 })
      .rejects(new Error('socket hang up'));
    const { request, output } = prepare();

    expect(await request()).toMatchObject({ statusCode: 200, body: JSON.stringify(CREDENTIALS) });

    expect(output.lines().map(({ message, result }) => [message, result])).toEqual([
      ['AdminShellRequested', 'REQUESTED'],
      ['AdminShellGranted', 'GRANTED'],
      ['AuditNotPublished', 'GRANTED'],
    ]);
  });
});

describe('Step Functions that fails', () => {
  it.each([
    ['does not answer', () => stepFunctions.on(StartSyncExecutionCommand).rejects(new Error('the-token'))],
    [
      'answers with an output that nobody knows',
      () =>
        stepFunctions
          .on(StartSyncExecutionCommand)
          .resolves({ status: 'SUCCEEDED', output: '{"result":"the-token"}' }),
    ],
    [
      'answers with an output that is cut off',
      () =>
        stepFunctions
          .on(StartSyncExecutionCommand)
          .resolves({ status: 'SUCCEEDED', output: created.output.slice(0, -20) }),
    ],
  ])('is a 500 and on record, and nothing of it is quoted: it %s', async (_, fail) => {
    fail();
    const { request, output } = prepare();

    const reply = await request();

    expect(reply).toMatchObject({ statusCode: 500 });
    expect(records()[1]).toMatchObject({ result: 'REFUSED', refusal: 'NO_ANSWER' });
    const written = JSON.stringify([reply, entries(), output.text()]);
    for (const secret of Object.values(CREDENTIALS)) expect(written).not.toContain(secret);
  });
});

it('the credentials are in the reply, and in no record and no log line', async () => {
  const { request, output } = prepare();

  await request();

  const written = JSON.stringify([entries(), output.text()]);
  for (const secret of Object.values(CREDENTIALS)) expect(written).not.toContain(secret);
});

describe('a request for an admin shell while the service is switched off', () => {
  const { executionName: _, ...session } = WHICH;
  const recorded = { ...WHO, ...session, reason, executionName: null, sessionStatus: null };

  it('goes to the service once, past the state machine, with both records: passThrough', async () => {
    const { request, output } = prepare('passThrough');
    service.on(CreateStreamSessionAdminShellCommand).resolves(CREDENTIALS);

    const reply = await request();

    expect(reply).toMatchObject({
      statusCode: 200,
      headers: { 'cache-control': 'no-store', 'x-expires-in-seconds': '60' },
      body: JSON.stringify(CREDENTIALS),
    });
    expect(service.calls().map(({ args: [{ input }] }) => input)).toEqual([
      { Identifier: WHICH.streamGroupId, StreamSessionIdentifier: WHICH.streamSessionId },
    ]);
    expect(executions()).toEqual([]);
    expect(records()).toEqual([
      { ...recorded, result: 'REQUESTED', refusal: null },
      { ...recorded, result: 'GRANTED', refusal: null },
    ]);
    const written = JSON.stringify([output.lines(), entries()]);
    for (const credential of Object.values(CREDENTIALS)) expect(written).not.toContain(credential);
  });

  it('is given up after twenty seconds: passThrough', async () => {
    const { request, clock } = prepare('passThrough');
    service.on(CreateStreamSessionAdminShellCommand).callsFake(async () => {
      await clock.sleep(20_000);
      return CREDENTIALS;
    });

    const asked = request();
    await vi.waitFor(() => expect(service.calls()).toHaveLength(1));
    await clock.advance(20_000);
    await asked;

    const [call] = service.commandCalls(CreateStreamSessionAdminShellCommand);
    expect(call?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it('mints no shell that is not on record: passThrough', async () => {
    const { request } = prepare('passThrough');
    eventBridge.on(PutEventsCommand).rejects(new Error('socket hang up'));

    expect(await request()).toMatchObject({ statusCode: 500 });

    expect(service.calls()).toEqual([]);
  });

  it('gets the error of the one attempt, on record by its name: passThrough', async () => {
    const { request } = prepare('passThrough');
    service.on(CreateStreamSessionAdminShellCommand).rejects(serviceErrors.throttling());

    const { statusCode, headers, body } = await request();

    expect(statusCode).toBe(429);
    expect(headers?.['x-amzn-errortype']).toBe('ThrottlingException');
    expect(body).not.toContain(QUOTED_INPUT);
    expect(service.calls()).toHaveLength(1);
    expect(records()[1]).toMatchObject({ result: 'REFUSED', refusal: 'ThrottlingException' });
  });

  it('is a 503, and on record: refuse', async () => {
    const { request } = prepare('refuse');

    const { statusCode, headers } = await request();

    expect(statusCode).toBe(503);
    expect(headers).toMatchObject({ 'x-amzn-errortype': 'ServiceUnavailableException', 'retry-after': '10' });
    expect([...service.calls(), ...executions()]).toEqual([]);
    expect(records()).toEqual([{ ...recorded, result: 'REFUSED', refusal: 'SWITCHED_OFF' }]);
  });
});
