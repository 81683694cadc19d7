import {
  ExecutionDoesNotExist,
  SFNClient,
  SFNServiceException,
  StartSyncExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createConnectionInputSchema } from '../../../functions/create-connection/create-connection.ts';
import { requestConnection } from '../../../functions/request-connection/request-connection.ts';
import type { SessionKey } from '../../../functions/shared/contracts.ts';
import { VirtualClock } from '../../../local/shared/virtual-clock.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { newOffer, VALID_CLIENT_TOKEN } from '../../helpers/offers.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems, useTable } from '../../helpers/table.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
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
  stepFunctions.on(StartSyncExecutionCommand).resolves(created);
});

function prepare() {
  const log = memoryLog();
  const clock = new VirtualClock(NOW_MS);
  const request = (session: SessionKey, body: object, requestId = REQUEST_ID) =>
    requestConnection(
      { session, requestId, body: JSON.stringify(body) },
      {
        stepFunctions: new SFNClient({ region: 'us-west-2' }),
        table: table(),
        clock,
        log,
        random: () => 0.5,
        settings: {
          AWS_REGION: 'us-west-2',
          CREATE_CONNECTION_ARN,
          // No test here is about the quota, and all share one line.
          CONNECTIONS_PER_SECOND: 1000,
          DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
        },
      },
    );
  return { log, clock, request };
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
