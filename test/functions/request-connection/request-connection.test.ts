import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  ListStreamSessionsCommand,
} from '@aws-sdk/client-gameliftstreams';
import {
  ExecutionDoesNotExist,
  SFNClient,
  SFNServiceException,
  StartSyncExecutionCommand,
} from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { createConnectionInputSchema } from '../../../functions/create-connection/create-connection.ts';
import { deterministicClientToken } from '../../../functions/request-connection/offer.ts';
import { requestConnection } from '../../../functions/request-connection/request-connection.ts';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import type { SwitchState } from '../../../functions/shared/runtime/switch.ts';
import { newOffer, VALID_CLIENT_TOKEN } from '../../../local/simulation/offers.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { QUOTED_INPUT, serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems, useTable } from '../../helpers/table.ts';
import { givenOpenWindow } from '../../helpers/windows.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
const service = mockClient(GameLiftStreamsClient);
const NOW_MS = Date.UTC(2026, 0, 1, 12);
const CREATE_CONNECTION_ARN = 'arn:aws:states:us-west-2:111122223333:stateMachine:create-connection';
const REQUEST_ID = '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101';
const ANSWER = '{"type":"answer","sdp":"the-answer"}';
const created = {
  status: 'SUCCEEDED',
  output: JSON.stringify({ result: 'CONNECTION_CREATED', signalResponse: ANSWER }),
} as const;

beforeEach(() => {
  stepFunctions.reset();
  service.reset();
  stepFunctions.on(StartSyncExecutionCommand).resolves(created);
});

/** One whose quota is spoken for; the other tests share theirs. */
const busyTable = useTable();

interface PrepareOptions {
  readonly switchState?: SwitchState;
  readonly userIdCheck?: boolean;
  readonly nowMs?: number;
  readonly atTable?: typeof table;
}

function prepare({
  switchState = 'on',
  userIdCheck = false,
  nowMs = NOW_MS,
  atTable = table,
}: PrepareOptions = {}) {
  const log = memoryLog();
  const metrics = memoryMetrics();
  const clock = new VirtualClock(nowMs);
  const request = (
    session: SessionKey,
    body: object,
    requestId = REQUEST_ID,
    userIds: readonly string[] = [],
  ) =>
    requestConnection(
      { session, requestId, body: JSON.stringify(body) },
      {
        stepFunctions: new SFNClient({ region: 'us-west-2' }),
        gameLiftStreams: new GameLiftStreamsClient({ region: 'us-west-2' }),
        table: atTable(),
        readSwitch: async () => switchState,
        clock,
        log,
        metrics,
        random: () => 0.5,
        settings: {
          AWS_REGION: 'us-west-2',
          CREATE_CONNECTION_ARN,
          // No test here is about the quota, and all share one line.
          CONNECTIONS_PER_SECOND: 1000,
          READS_PER_SECOND: 20,
          LISTS_PER_SECOND: 20,
          USER_ID_CHECK: userIdCheck,
          DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
        },
      },
      {
        headers: new Map(userIds.length === 0 ? [] : [['x-user-id', userIds]]),
        caller: { name: 'arn:aws:iam::111122223333:user/backend', accessKeyId: null, sourceIp: null },
      },
    );
  return { log, metrics, clock, request };
}

const executions = () =>
  stepFunctions.commandCalls(StartSyncExecutionCommand).map(({ args: [{ input }] }) => ({
    ...input,
    input: JSON.parse(input.input ?? 'null'),
  }));

describe('a request for a connection', () => {
  it('is answered by one execution, which gets the offer, the token and the deadline', async () => {
    const session = newSession();
    const SignalRequest = newOffer();
    const { request } = prepare();

    const reply = await request(session, { SignalRequest, ClientToken: VALID_CLIENT_TOKEN });

    expect(reply).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: JSON.stringify({ SignalResponse: ANSWER }),
    });
    expect(executions()).toEqual([
      {
        stateMachineArn: CREATE_CONNECTION_ARN,
        name: `${session.streamSessionId}-${REQUEST_ID}`,
        input: {
          ...session,
          signalRequest: SignalRequest,
          clientToken: VALID_CLIENT_TOKEN,
          deadlineMs: NOW_MS + 20_000,
        },
      },
    ]);
  });

  it('starts an execution whose input the task takes', async () => {
    const { request } = prepare();

    await request(newSession(), { SignalRequest: newOffer() });

    const [execution] = executions();
    const input = { ...execution?.input, executionName: execution?.name, retryCount: 0 };
    expect(createConnectionInputSchema.safeParse(input).success).toBe(true);
  });

  it.each([1, 36, 43, 44, 68])(
    'has an execution whose name begins with the session, in 80 characters: an id of %i',
    async (length) => {
      const session = { ...newSession(), streamSessionId: 's'.repeat(length) };
      const { request } = prepare();

      await request(session, { SignalRequest: newOffer() });

      const name = executions()[0]?.name ?? '';
      expect(name.length).toBeLessThanOrEqual(80);
      expect(name.endsWith(`-${REQUEST_ID}`)).toBe(true);
      expect(session.streamSessionId.startsWith(name.slice(0, -REQUEST_ID.length - 1))).toBe(true);
      expect(name.startsWith('s'.repeat(Math.min(length, 43)))).toBe(true);
    },
  );

  it('leaves neither the offer nor the token nor the answer in the table or the log', async () => {
    const session = newSession();
    const offer = newOffer();
    const { request, log } = prepare();

    await request(session, { SignalRequest: offer, ClientToken: VALID_CLIENT_TOKEN });

    const items = await allItems(table());
    expect(items.some(({ pk }) => String(pk).endsWith(session.streamSessionId))).toBe(true);
    const kept = JSON.stringify([items, log.lines]);
    for (const secret of ['ice-pwd', 'the-answer', VALID_CLIENT_TOKEN]) expect(kept).not.toContain(secret);
  });

  it('is logged when it comes and when it is answered', async () => {
    const session = newSession();
    const { request, log, clock } = prepare();
    stepFunctions.on(StartSyncExecutionCommand).callsFake(async () => {
      await clock.sleep(650);
      return created;
    });

    const answering = clock.track(() => request(session, { SignalRequest: newOffer() }));
    await clock.advance(1000);
    await answering;

    const executionName = `${session.streamSessionId}-${REQUEST_ID}`;
    expect(log.lines).toEqual([
      { event: 'ConnectionRequested', fields: { executionName } },
      {
        event: 'ConnectionAnswered',
        fields: { executionName, result: 'CONNECTION_CREATED', statusCode: 200, durationMs: 650 },
      },
    ]);
  });

  it('is answered as its execution ends', async () => {
    stepFunctions
      .on(StartSyncExecutionCommand)
      .resolves({ status: 'FAILED', error: 'ThrottlingException', cause: 'cause' });
    const { request, log } = prepare();

    const reply = await request(newSession(), { SignalRequest: newOffer() });

    expect(reply).toMatchObject({ statusCode: 429, headers: { 'retry-after': '2' } });
    expect(log.lines[1]?.fields).toMatchObject({ result: 'ThrottlingException', statusCode: 429 });
  });

  it('is refused before anything starts when its body breaks a rule', async () => {
    const session = newSession();
    const { request } = prepare();

    await expect(request(session, { SignalRequest: 'v=0' })).rejects.toMatchObject({
      name: 'InvalidRequestError',
    });

    expect(executions()).toEqual([]);
    const items = await allItems(table());
    expect(items.some(({ pk }) => String(pk).endsWith(session.streamSessionId))).toBe(false);
  });
});

describe('a request whose turn is not now', () => {
  it.each([
    ['far', 120, 'RequestsPutOff'],
    ['too late', 4, 'RequestsNotInTime'],
  ] as const)('is answered with 429 and counted: %s', async (_, connectionTimeoutSeconds, name) => {
    const quota = { operation: 'CreateStreamSessionConnection', perSecond: 1000 } as const;
    await bookPermits(busyTable(), quota, NOW_MS + 5000);
    const session = newSession();
    await givenOpenWindow(busyTable(), session, { disconnectedAtMs: NOW_MS, connectionTimeoutSeconds });
    const { request, metrics } = prepare({ atTable: busyTable });

    expect(await request(session, { SignalRequest: newOffer() })).toMatchObject({ statusCode: 429 });

    expect(metrics.values).toEqual([{ name, value: 1 }]);
    expect(executions()).toEqual([]);
  });
});

describe('a ClientToken of the caller', () => {
  it('may come with its offer again: the repeat is the same request', async () => {
    const session = newSession();
    const body = { SignalRequest: newOffer(), ClientToken: VALID_CLIENT_TOKEN };
    const { request } = prepare();

    await request(session, body);
    expect(await request(session, body, 'another-request')).toMatchObject({ statusCode: 200 });

    const [first, second] = executions();
    expect(second?.input).toEqual(first?.input);
  });

  it('is refused with another offer, by the name of the field, before anything starts', async () => {
    const session = newSession();
    const { request } = prepare();
    await request(session, { SignalRequest: newOffer(), ClientToken: VALID_CLIENT_TOKEN });

    const repeat = request(session, { SignalRequest: newOffer(), ClientToken: VALID_CLIENT_TOKEN });

    await expect(repeat).rejects.toMatchObject({
      name: 'InvalidRequestError',
      message: 'ClientToken was used with another SignalRequest before; a new offer needs a new one.',
    });
    expect(executions()).toHaveLength(1);
  });

  it('of one session is free for another', async () => {
    const { request } = prepare();
    await request(newSession(), { SignalRequest: newOffer(), ClientToken: VALID_CLIENT_TOKEN });

    const reply = await request(newSession(), { SignalRequest: newOffer(), ClientToken: VALID_CLIENT_TOKEN });

    expect(reply.statusCode).toBe(200);
  });

  it('lets nothing start when the table cannot bind it', async () => {
    const { request } = prepare();
    failNext(table(), 'PutItemCommand', 'BEFORE');

    await expect(
      request(newSession(), { SignalRequest: newOffer(), ClientToken: VALID_CLIENT_TOKEN }),
    ).rejects.toMatchObject({ name: 'DependencyUnavailableException' });

    expect(executions()).toEqual([]);
  });
});

describe('the token of a request whose caller gave none', () => {
  const tokenOf = async (session: SessionKey, SignalRequest: string): Promise<unknown> => {
    stepFunctions.resetHistory();
    await prepare().request(session, { SignalRequest });
    return executions()[0]?.input.clientToken;
  };

  it('is the same for every repeat, and another for another offer or session', async () => {
    const [session, other] = [newSession(), newSession()];
    const [offer, otherOffer] = [newOffer(), newOffer()];

    const token = await tokenOf(session, offer);

    expect(token).toMatch(/^[\x21-\x7E]{32,128}$/);
    expect(await tokenOf(session, offer)).toBe(token);
    expect(await tokenOf(session, otherOffer)).not.toBe(token);
    expect(await tokenOf(other, offer)).not.toBe(token);
    expect(await tokenOf({ ...session, streamGroupId: 'sg-2' }, offer)).not.toBe(token);
  });
});

describe('Step Functions that fails', () => {
  it.each([
    [new Error('socket hang up'), 'DependencyUnavailableException'],
    [
      new SFNServiceException({
        name: 'ThrottlingException',
        $fault: 'client',
        message: 'Rate exceeded',
        $metadata: { httpStatusCode: 400 },
      }),
      'DependencyUnavailableException',
    ],
    [new ExecutionDoesNotExist({ message: '', $metadata: { httpStatusCode: 400 } }), 'UnexpectedError'],
  ])('is no answer to the offer: %s', async (error, name) => {
    stepFunctions.on(StartSyncExecutionCommand).rejects(error);

    await expect(prepare().request(newSession(), { SignalRequest: newOffer() })).rejects.toMatchObject({
      name,
    });
  });
});

describe('a request while the service is passed through', () => {
  const calls = () =>
    service.commandCalls(CreateStreamSessionConnectionCommand).map(({ args: [{ input }] }) => input);
  const passThrough = () => prepare({ switchState: 'passThrough' });

  it('is one call of the service, past line, table and execution', async () => {
    const session = newSession();
    const SignalRequest = newOffer();
    const { request, log, metrics } = passThrough();
    service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: ANSWER });

    const reply = await request(session, { SignalRequest, ClientToken: VALID_CLIENT_TOKEN });

    expect(reply).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: JSON.stringify({ SignalResponse: ANSWER }),
    });
    expect(calls()).toEqual([
      {
        Identifier: session.streamGroupId,
        StreamSessionIdentifier: session.streamSessionId,
        SignalRequest,
        ClientToken: VALID_CLIENT_TOKEN,
      },
    ]);
    expect(service.calls()).toHaveLength(1);
    expect(executions()).toEqual([]);
    const items = await allItems(table());
    expect(items.some(({ pk }) => String(pk).endsWith(session.streamSessionId))).toBe(false);
    expect(log.lines).toEqual([
      {
        event: 'ConnectionAnswered',
        fields: { switch: 'passThrough', result: 'CONNECTION_CREATED', statusCode: 200, durationMs: 0 },
      },
    ]);
    expect(metrics.values).toEqual([{ name: 'ConnectionsCreated', value: 1 }]);
  });

  it('is given up after twenty seconds', async () => {
    const { request, clock } = passThrough();
    service.on(CreateStreamSessionConnectionCommand).callsFake(async () => {
      await clock.sleep(20_000);
      return { SignalResponse: ANSWER };
    });

    const asked = clock.track(() => request(newSession(), { SignalRequest: newOffer() }));
    await clock.advance(20_000);
    await asked;

    const [call] = service.commandCalls(CreateStreamSessionConnectionCommand);
    expect(call?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it('has the token that it would have had, so that a repeat is the same request', async () => {
    const session = newSession();
    const SignalRequest = newOffer();
    service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: ANSWER });

    await passThrough().request(session, { SignalRequest });

    expect(calls()[0]?.ClientToken).toBe(deterministicClientToken(session, SignalRequest));
  });

  it('is not held up by rules of ours: an offer of another form goes to the service', async () => {
    service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: ANSWER });

    const { statusCode } = await passThrough().request(newSession(), { SignalRequest: 'v=1', NewMember: 1 });

    expect(statusCode).toBe(200);
    expect(calls()[0]?.SignalRequest).toBe('v=1');
  });

  it.each([[{}], [{ SignalRequest: '' }], [{ SignalRequest: 1 }]])(
    'is refused when it has no offer at all: %o',
    async (body) => {
      await expect(passThrough().request(newSession(), body)).rejects.toMatchObject({
        name: 'InvalidRequestError',
        message: 'The body must be a JSON object with the member SignalRequest.',
      });
      expect(service.calls()).toEqual([]);
    },
  );

  it('keeps a name that is none out of the log: an error is called what the reply says', async () => {
    const { request, log } = passThrough();
    service
      .on(CreateStreamSessionConnectionCommand)
      .rejects(Object.assign(new Error('refused'), { name: 'v=0 o=- a=ice-pwd:secret' }));

    await request(newSession(), { SignalRequest: newOffer() });

    expect(JSON.stringify(log.lines)).not.toContain('secret');
    expect(log.lines.at(-1)?.fields).toMatchObject({ result: 'Error', statusCode: 500 });
  });

  it.each([
    ['throttling', 429, 'ThrottlingException'],
    ['conflict', 409, 'ConflictException'],
    ['resourceNotFound', 404, 'ResourceNotFoundException'],
    ['validation', 400, 'ValidationException'],
    ['internalServer', 500, 'InternalServerException'],
    ['unnamed503', 500, 'InternalServerException'],
    ['connectionReset', 500, 'InternalServerException'],
    ['accessDenied', 403, 'AccessDeniedException'],
    ['serviceQuotaExceeded', 500, 'InternalServerException'],
  ] as const)('gets the error of the one attempt, without its message: %s', async (error, status, type) => {
    service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors[error]());
    const { request, log } = passThrough();

    const { statusCode, headers, body } = await request(newSession(), { SignalRequest: newOffer() });

    expect(statusCode).toBe(status);
    expect(headers?.['x-amzn-errortype']).toBe(type);
    expect(service.calls()).toHaveLength(1);
    expect(body + JSON.stringify(log.lines)).not.toContain(QUOTED_INPUT);
    const isForSomebodysEyes = log.lines.some(({ event }) => event === 'RequestFailed');
    expect(isForSomebodysEyes).toBe(error === 'serviceQuotaExceeded');
  });
});

describe('a request while the service refuses', () => {
  it('is a 503 in the shape of the service with Retry-After, and comes no further', async () => {
    const { request, log } = prepare({ switchState: 'refuse' });
    const session = newSession();

    const reply = await request(session, { SignalRequest: 'not even an offer' });

    expect(reply).toEqual({
      statusCode: 503,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-amzn-errortype': 'ServiceUnavailableException',
        'x-reconnection-code': 'SWITCHED_OFF',
        'retry-after': '10',
      },
      body: JSON.stringify({ Message: 'The service is switched off for now. Ask again later.' }),
    });
    expect(service.calls()).toEqual([]);
    expect(executions()).toEqual([]);
    expect(log.lines).toMatchObject([
      { event: 'ConnectionAnswered', fields: { switch: 'refuse', result: 'SWITCHED_OFF', statusCode: 503 } },
    ]);
  });
});

describe('the check of the user id', () => {
  const OWNER = 'player-1/=+_';
  let nowMs = NOW_MS;
  /** Reads share one quota, so each test has a time of its own. */
  const checked = (switchState: SwitchState = 'on') => {
    nowMs += 3_600_000;
    return prepare({ userIdCheck: true, switchState, nowMs });
  };
  const ask = ({ request }: ReturnType<typeof prepare>, ...userIds: string[]) =>
    request(newSession(), { SignalRequest: newOffer() }, REQUEST_ID, userIds);

  it.each(['on', 'passThrough'] as const)(
    'lets the user through whose session it is, at the price of one read: %s',
    async (state) => {
      service.on(GetStreamSessionCommand).resolves({ UserId: OWNER, Status: 'PENDING_CLIENT_RECONNECTION' });
      service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: ANSWER });

      const { statusCode, body } = await ask(checked(state), OWNER);

      expect({ statusCode, body }).toEqual({
        statusCode: 200,
        body: JSON.stringify({ SignalResponse: ANSWER }),
      });
      expect(service.commandCalls(GetStreamSessionCommand)).toHaveLength(1);
    },
  );

  it.each([
    ['of another user', 'on', 'player-2'],
    ['of another user', 'passThrough', 'player-2'],
    ['of nobody', 'on', undefined],
    ['of nobody', 'passThrough', undefined],
    ['of a user with an empty name', 'on', ''],
    ['of a user who is written otherwise', 'on', OWNER.toUpperCase()],
  ] as const)('refuses whoever asks for a session %s (%s)', async (_, state, owner) => {
    service.on(GetStreamSessionCommand).resolves(owner === undefined ? {} : { UserId: owner });
    const run = checked(state);

    const reply = await ask(run, OWNER);

    expect(reply.statusCode).toBe(403);
    expect(reply.headers?.['x-amzn-errortype']).toBe('AccessDeniedException');
    expect(JSON.parse(reply.body)).toEqual({
      Message: 'The stream session does not belong to the user in x-user-id.',
    });
    expect(service.commandCalls(CreateStreamSessionConnectionCommand)).toEqual([]);
    expect(executions()).toEqual([]);
    const written = JSON.stringify([run.log.lines, await allItems(table())]);
    for (const id of [OWNER, 'player-2']) expect(written).not.toContain(id);
    expect(run.log.lines.at(-1)).toMatchObject({
      event: 'ConnectionAnswered',
      fields: { result: 'NOT_THE_USERS_SESSION', statusCode: 403 },
    });
  });

  it('keeps a stranger’s offer out of the line, where the latest offer would win', async () => {
    service.on(GetStreamSessionCommand).resolves({ UserId: OWNER });
    const session = newSession();
    const { request } = checked();

    await request(session, { SignalRequest: newOffer() }, REQUEST_ID, ['player-2']);

    const items = await allItems(table());
    expect(items.some(({ pk }) => String(pk).endsWith(session.streamSessionId))).toBe(false);
  });

  it.each([[[]], [[OWNER, OWNER]], [['']], [['player 1']], [['x'.repeat(1025)]]])(
    'wants the header once, as the service takes a UserId: %j',
    async (userIds) => {
      const run = checked();

      await expect(ask(run, ...userIds)).rejects.toMatchObject({
        name: 'InvalidRequestError',
        message: 'The header x-user-id must be there once, with 1 to 1024 letters, digits and -_/=+.',
      });

      expect(service.calls()).toEqual([]);
    },
  );

  it.each([
    ['on', 5000],
    ['passThrough', 20_000],
  ] as const)('gives the read up in the end: %s, after %i ms', async (state, afterMs) => {
    const run = checked(state);
    service.on(GetStreamSessionCommand).callsFake(async () => {
      await run.clock.sleep(afterMs);
      return {};
    });

    const asked = run.clock.track(() => ask(run, OWNER));
    await run.clock.advance(afterMs);
    await asked;

    const [call] = service.commandCalls(GetStreamSessionCommand);
    expect(call?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it('is left out where it is off, whatever the header says', async () => {
    const { statusCode } = await ask(prepare(), 'player-2', 'not a user id');

    expect(statusCode).toBe(200);
    expect(service.calls()).toEqual([]);
  });

  describe('after a read', () => {
    const askFor = ({ request }: ReturnType<typeof prepare>, session: SessionKey, userId: string) =>
      request(session, { SignalRequest: newOffer() }, REQUEST_ID, [userId]);

    it('needs no other one for a minute: a hundred strangers a second leave the reads to the owner', async () => {
      service.on(GetStreamSessionCommand).resolves({ UserId: OWNER });
      const run = checked();
      const session = newSession();

      for (let stranger = 0; stranger < 50; stranger++) {
        expect((await askFor(run, session, `stranger-${stranger}`)).statusCode).toBe(403);
      }

      expect((await askFor(run, session, OWNER)).statusCode).toBe(200);
      expect(service.commandCalls(GetStreamSessionCommand)).toHaveLength(1);
      await run.clock.advance(60_000);
      await askFor(run, session, 'stranger');
      expect(service.commandCalls(GetStreamSessionCommand)).toHaveLength(2);
    });

    it('keeps no user id, and another hash of the same one for each session', async () => {
      service.on(GetStreamSessionCommand).resolves({ UserId: OWNER });
      const run = checked();
      const sessions = [newSession(), newSession()];
      for (const session of sessions) await askFor(run, session, OWNER);

      const items = (await allItems(table())).filter(
        ({ pk, sk }) =>
          sk === 'owner' && sessions.some(({ streamSessionId }) => String(pk).includes(streamSessionId)),
      );

      expect(new Set(items.map(({ ownerHash }) => ownerHash)).size).toBe(2);
      expect(JSON.stringify(items)).not.toContain(OWNER);
    });

    it('knows for five seconds that there is no such session', async () => {
      service.on(GetStreamSessionCommand).rejects(serviceErrors.resourceNotFound());
      const run = checked();
      const session = newSession();

      for (const _ of [1, 2, 3]) expect((await askFor(run, session, OWNER)).statusCode).toBe(404);
      expect(service.commandCalls(GetStreamSessionCommand)).toHaveLength(1);

      await run.clock.advance(5000);
      await askFor(run, session, OWNER);
      expect(service.commandCalls(GetStreamSessionCommand)).toHaveLength(2);
    });

    it('leaves a part of the reads to sessions that the service waits for', async () => {
      service.on(GetStreamSessionCommand).resolves({ UserId: OWNER });
      const run = checked();
      const known = newSession();
      const forged = newSession();
      await givenOpenWindow(table(), forged, { disconnectedAtMs: run.clock.nowMs() });
      service.on(ListStreamSessionsCommand).resolves({ Items: [{ Arn: `arn/${known.streamSessionId}` }] });
      const reads = { operation: 'GetStreamSession', perSecond: 15 } as const;
      await bookPermits(table(), reads, run.clock.nowMs() + 7000, '#low');

      const askInTime = async (session: SessionKey) => {
        const asked = run.clock.track(() => askFor(run, session, OWNER));
        await run.clock.advance(1000);
        return asked;
      };
      expect((await askInTime(newSession())).statusCode).toBe(429);
      expect((await askInTime(forged)).statusCode).toBe(429);
      expect((await askInTime(known)).statusCode).toBe(200);
    });
  });

  it.each([
    ['resourceNotFound', 404, 'ResourceNotFoundException'],
    ['validation', 404, 'ResourceNotFoundException'],
    ['throttling', 429, 'ThrottlingException'],
    ['internalServer', 500, 'InternalServerException'],
  ] as const)('lets nobody through when the read fails: %s', async (error, status, type) => {
    service.on(GetStreamSessionCommand).rejects(serviceErrors[error]());

    const { statusCode, headers } = await ask(checked(), OWNER);

    expect(statusCode).toBe(status);
    expect(headers?.['x-amzn-errortype']).toBe(type);
    expect(executions()).toEqual([]);
  });

  it('lets no request through without the permission to read, and says that it is ours to fix', async () => {
    service.on(GetStreamSessionCommand).rejects(serviceErrors.accessDenied());

    const { statusCode, headers } = await ask(checked(), OWNER);

    expect(statusCode).toBe(403);
    expect(headers).toMatchObject({ 'x-reconnection-code': 'SERVICE_ACCESS_DENIED' });

    expect(executions()).toEqual([]);
  });

  it('reads under the quota: without a permit in time the caller is told to come back', async () => {
    service.on(GetStreamSessionCommand).resolves({ UserId: OWNER });
    const run = checked();
    service.on(ListStreamSessionsCommand).resolves({ Items: [] });
    await bookPermits(table(), { operation: 'GetStreamSession', perSecond: 20 }, run.clock.nowMs() + 4000);

    const asked = run.clock.track(() => ask(run, OWNER));
    await run.clock.advance(1000);
    const { statusCode, headers } = await asked;

    expect(statusCode).toBe(429);
    expect(headers?.['retry-after']).toBe('2');
    expect(service.commandCalls(GetStreamSessionCommand)).toEqual([]);
  });
});
