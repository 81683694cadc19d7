import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  type StreamSessionStatus,
} from '@aws-sdk/client-gameliftstreams';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CreateConnectionInput,
  createConnection,
} from '../../../functions/create-connection/create-connection.ts';
import type { QuotaOperation } from '../../../functions/shared/contracts/quotas.ts';
import { delayNext, failNext } from '../../helpers/failing-table.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { QUOTED_INPUT, serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems, useTable } from '../../helpers/table.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const SIGNAL_REQUEST = '{"type":"offer","sdp":"the-offer"}';
const SIGNAL_RESPONSE = '{"type":"answer","sdp":"the-answer"}';
const CLIENT_TOKEN = 'client-token-0123456789abcdef0123';

beforeEach(() => {
  service.reset();
  service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: SIGNAL_RESPONSE });
});

function prepare({ connectionsPerSecond = 20, readsPerSecond = 20 } = {}) {
  const dependencies = {
    ...serviceDependencies(table()),
    settings: { CONNECTIONS_PER_SECOND: connectionsPerSecond, READS_PER_SECOND: readsPerSecond },
  };
  const { clock } = dependencies;
  const session = newSession();
  const create = (overrides: Partial<CreateConnectionInput> = {}) =>
    clock.track(() =>
      createConnection(
        {
          ...session,
          executionName: `${session.streamSessionId}-request`,
          signalRequest: SIGNAL_REQUEST,
          clientToken: CLIENT_TOKEN,
          deadlineMs: clock.nowMs() + 20_000,
          retryCount: 0,
          ...overrides,
        },
        dependencies,
      ),
    );
  /** Others have booked the operation's quota for so long. */
  const book = (operation: QuotaOperation, perSecond: number, durationMs: number) =>
    bookPermits(dependencies.table, { operation, perSecond }, clock.nowMs() + durationMs);
  return { ...dependencies, session, create, book };
}

const creations = () =>
  service.commandCalls(CreateStreamSessionConnectionCommand).map(({ args: [{ input }] }) => input);
const reads = () => service.commandCalls(GetStreamSessionCommand).map(({ args: [{ input }] }) => input);
const isSession = (
  status: StreamSessionStatus,
  StatusReason?: 'connectionTimeout' | 'invalidSignalRequest',
) =>
  service
    .on(GetStreamSessionCommand)
    .resolves({ Status: status, ...(StatusReason === undefined ? {} : { StatusReason }) });

describe('a connection that the service creates', () => {
  it("is answered with the service's answer, of the offer and token that came in", async () => {
    const { create, session, clock } = prepare();

    const result = await create();

    expect(result).toEqual({
      result: 'CONNECTION_CREATED',
      signalResponse: SIGNAL_RESPONSE,
      connectionCreatedAtMs: clock.nowMs(),
      connectionAttempts: 1,
    });
    expect(creations()).toEqual([
      {
        Identifier: session.streamGroupId,
        StreamSessionIdentifier: session.streamSessionId,
        SignalRequest: SIGNAL_REQUEST,
        ClientToken: CLIENT_TOKEN,
      },
    ]);
  });

  it('is counted, and so is the wait for its permit', async () => {
    const { create, metrics } = prepare();

    await create();

    expect(metrics.values).toEqual([
      { name: 'PermitWait', value: 0, operation: 'CreateStreamSessionConnection' },
      { name: 'ConnectionsCreated', value: 1 },
    ]);
  });

  it('is asked for without a read before it', async () => {
    await prepare().create();

    expect(reads()).toEqual([]);
  });

  it('counts the attempts before it', async () => {
    expect(await prepare().create({ retryCount: 4 })).toMatchObject({ connectionAttempts: 5 });
  });

  it('was created when its reply came, not when it was asked for', async () => {
    const { create, clock } = prepare();
    const startMs = clock.nowMs();
    service.on(CreateStreamSessionConnectionCommand).callsFake(async () => {
      await clock.sleep(700);
      return { SignalResponse: SIGNAL_RESPONSE };
    });

    const creation = create();
    await clock.advance(1000);

    expect(await creation).toMatchObject({ connectionCreatedAtMs: startMs + 700 });
  });

  it('is given up after twelve seconds', async () => {
    const { create, clock } = prepare();
    service.on(CreateStreamSessionConnectionCommand).callsFake(async () => {
      await clock.sleep(12_000);
      return { SignalResponse: SIGNAL_RESPONSE };
    });

    const creation = create();
    await clock.advance(12_000);
    await creation;

    const [call] = service.commandCalls(CreateStreamSessionConnectionCommand);
    expect(call?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it('is the same request when it is repeated after a failure', async () => {
    const { create } = prepare();
    service
      .on(CreateStreamSessionConnectionCommand)
      .rejectsOnce(serviceErrors.internalServer())
      .resolves({ SignalResponse: SIGNAL_RESPONSE });

    await expect(create()).rejects.toMatchObject({ name: 'InternalServerException' });
    await create({ retryCount: 1 });

    expect(creations()).toHaveLength(2);
    expect(creations()[1]).toEqual(creations()[0]);
  });

  it.each([{}, { SignalResponse: '' }])(
    'is worth nothing without an answer, which a retry may bring: %j',
    async (reply) => {
      service.on(CreateStreamSessionConnectionCommand).resolves(reply);

      await expect(prepare().create()).rejects.toMatchObject({ name: 'InternalServerException' });
    },
  );

  it('leaves neither offer, answer nor token in the log or the table', async () => {
    const { create, log } = prepare();

    await create();

    const kept = JSON.stringify([log.lines, await allItems(table())]);
    for (const secret of ['the-offer', 'the-answer', CLIENT_TOKEN]) expect(kept).not.toContain(secret);
    expect(log.lines).toEqual([{ event: 'ConnectionCreated', fields: { connectionAttempts: 1 } }]);
  });
});

describe('the deadline of the caller', () => {
  it.each([0, -1, -60_000])('lets nothing be called %i ms from it', async (offsetMs) => {
    const { create, clock } = prepare();

    expect(await create({ deadlineMs: clock.nowMs() + offsetMs })).toEqual({ result: 'DEADLINE_PASSED' });

    expect(service.calls()).toHaveLength(0);
  });

  it('lets a call be made in the last millisecond', async () => {
    const { create, clock } = prepare();

    expect(await create({ deadlineMs: clock.nowMs() + 1 })).toMatchObject({ result: 'CONNECTION_CREATED' });
  });

  it('lets nothing be called when it passes while the permit is taken', async () => {
    const { create, clock } = prepare();
    const deadlineMs = clock.nowMs() + 100;
    delayNext(table(), 'UpdateItemCommand', () => clock.sleep(100));

    const creation = create({ deadlineMs });
    const [thrown] = await Promise.all([creation.catch((reason: unknown) => reason), clock.advance(1000)]);

    expect(thrown).toMatchObject({ name: 'PermitNotAvailableException' });
    expect(service.calls()).toHaveLength(0);
  });
});

describe('the quota', () => {
  it('lets no call be made without a permit, and the refusal is retryable', async () => {
    const { create, book, clock } = prepare({ connectionsPerSecond: 2 });
    await book('CreateStreamSessionConnection', 2, 1000);

    await expect(create({ deadlineMs: clock.nowMs() + 900 })).rejects.toMatchObject({
      name: 'PermitNotAvailableException',
    });

    expect(service.calls()).toHaveLength(0);
  });

  it('is waited for, three seconds at most', async () => {
    const { create, clock, book } = prepare();
    const startMs = clock.nowMs();
    await book('CreateStreamSessionConnection', 20, 3000);
    let endedAtMs = 0;

    const ending = create().finally(() => {
      endedAtMs = clock.nowMs();
    });
    await clock.advance(10_000);

    expect(await ending).toMatchObject({ result: 'CONNECTION_CREATED' });
    expect(endedAtMs - startMs).toBe(3000);
    expect(service.calls()).toHaveLength(1);
  });

  it('that is booked for longer is not waited for at all', async () => {
    const { create, clock, book } = prepare();
    const startMs = clock.nowMs();
    await book('CreateStreamSessionConnection', 20, 3001);

    await expect(create()).rejects.toMatchObject({ name: 'PermitNotAvailableException' });

    expect(clock.nowMs()).toBe(startMs);
    expect(service.calls()).toHaveLength(0);
  });

  it.each(['throttling', 'throttlingAs400', 'unnamed429'] as const)(
    'has nothing saved up when the service says that it is used up, for every caller: %s',
    async (error) => {
      const { create, clock, log } = prepare();
      service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors[error]());
      await expect(create()).rejects.toMatchObject({ name: 'ThrottlingException' });
      expect(log.lines).toEqual([
        { event: 'CallThrottled', fields: { operation: 'CreateStreamSessionConnection' } },
      ]);
      service.reset();
      service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: SIGNAL_RESPONSE });

      // A tenth slower than 20 a second: the next call may go out in 1000 / 18 ms.
      await expect(create({ deadlineMs: clock.nowMs() + 55 })).rejects.toMatchObject({
        name: 'PermitNotAvailableException',
      });
      expect(creations()).toEqual([]);
      await clock.advance(56);

      expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });
    },
  );

  it('of the reads is asked before the read that explains a refusal', async () => {
    const { create, book, clock } = prepare({ readsPerSecond: 1 });
    await book('GetStreamSession', 1, 1000);
    service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.conflict());

    expect(await create({ deadlineMs: clock.nowMs() + 900 })).toEqual({
      result: 'REFUSED',
      fault: 'CONFLICT',
    });

    expect(reads()).toEqual([]);
  });
});

describe('a refusal of the service', () => {
  it('that names no session is final, without a read', async () => {
    service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.resourceNotFound());
    const { create, log } = prepare();

    expect(await create()).toEqual({ result: 'NOT_FOUND' });

    expect(reads()).toEqual([]);
    expect(log.lines).toEqual([{ event: 'ConnectionRefused', fields: { result: 'NOT_FOUND' } }]);
  });

  it.each(['PENDING_CLIENT_RECONNECTION', 'ACTIVE'] as const)(
    'is a refusal of the offer when it is a 400 and the session waits: %s',
    async (status) => {
      service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.validation());
      isSession(status);

      expect(await prepare().create()).toEqual({ result: 'OFFER_REJECTED' });
    },
  );

  it('says that an answer is lost when it is a 409 and the session is ACTIVE', async () => {
    service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.conflict());
    isSession('ACTIVE');

    await expect(prepare().create()).rejects.toMatchObject({ name: 'SessionAnsweredException' });
  });

  it.each(['PENDING_CLIENT_RECONNECTION', 'RECONNECTING'] as const)(
    'is a matter of time when it is a 409 and the session is %s',
    async (status) => {
      service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.conflict());
      isSession(status);

      await expect(prepare().create()).rejects.toMatchObject({ name: 'ConflictException' });
    },
  );

  it.each(['resourceNotFound', 'validation'] as const)(
    'says that there is no session when it is a 400 and the read is refused: %s',
    async (error) => {
      service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.validation());
      service.on(GetStreamSessionCommand).rejects(serviceErrors[error]());

      expect(await prepare().create()).toEqual({ result: 'NOT_FOUND' });
    },
  );

  it.each(['resourceNotFound', 'validation'] as const)(
    'is a matter of time when it is a 409 and the read knows no session: %s',
    async (error) => {
      service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.conflict());
      service.on(GetStreamSessionCommand).rejects(serviceErrors[error]());

      await expect(prepare().create()).rejects.toMatchObject({ name: 'ConflictException' });
    },
  );

  it('is a matter of time when it is a 400 while somebody else reconnects', async () => {
    service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.validation());
    isSession('RECONNECTING');

    await expect(prepare().create()).rejects.toMatchObject({ name: 'ConflictException' });
  });

  describe.each(['conflict', 'validation'] as const)('of the kind %s', (refusal) => {
    beforeEach(() => {
      service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors[refusal]());
    });

    it('says that somebody is connected', async () => {
      isSession('CONNECTED');

      expect(await prepare().create()).toEqual({ result: 'ALREADY_CONNECTED' });
    });

    it.each([
      ['TERMINATING', 'TERMINATED'],
      ['TERMINATED', 'TERMINATED'],
      ['ERROR', 'ERRORED'],
    ] as const)('says that the session has ended: %s', async (status, outcome) => {
      isSession(status, 'connectionTimeout');

      expect(await prepare().create()).toEqual({
        result: 'SESSION_ENDED',
        outcome,
        statusReason: 'connectionTimeout',
        cause: outcome === 'ERRORED' ? 'SERVICE' : 'TIMED_OUT',
      });
    });

    it('says so without a reason where the service gives none', async () => {
      isSession('TERMINATED');

      expect(await prepare().create()).toMatchObject({ statusReason: null });
    });

    it('says that nobody can reconnect yet', async () => {
      isSession('ACTIVATING');

      expect(await prepare().create()).toEqual({ result: 'NOT_RECONNECTABLE', status: 'ACTIVATING' });
    });

    it('says so of a status that the service has not had before, and of none', async () => {
      service
        .on(GetStreamSessionCommand)
        .callsFakeOnce(() => ({ Status: 'HIBERNATING' }))
        .resolves({});
      const { create } = prepare();

      expect(await create()).toEqual({ result: 'NOT_RECONNECTABLE', status: 'HIBERNATING' });
      expect(await create()).toEqual({ result: 'NOT_RECONNECTABLE', status: 'NONE' });
    });

    it('is explained by one read of the same session', async () => {
      isSession('CONNECTED');
      const { create, session } = prepare();

      await create();

      expect(creations()).toHaveLength(1);
      expect(reads()).toEqual([
        { Identifier: session.streamGroupId, StreamSessionIdentifier: session.streamSessionId },
      ]);
    });

    it('takes nothing but status and reason out of the read', async () => {
      service.on(GetStreamSessionCommand).resolves({
        Status: 'ERROR',
        StatusReason: 'invalidSignalRequest',
        SignalRequest: 'offer-of-the-read',
        SignalResponse: 'answer-of-the-read',
        AdditionalEnvironmentVariables: { KEY: 'environment-of-the-read' },
      });
      const { create, log } = prepare();

      const result = await create();

      expect(JSON.stringify([result, log.lines])).not.toContain('of-the-read');
    });
  });
});

describe('a failure of the service', () => {
  it.each([
    ['internalServer', 'InternalServerException'],
    ['unnamed503', 'InternalServerException'],
    ['connectionReset', 'InternalServerException'],
    ['invalidSignature', 'InternalServerException'],
    ['requestExpired', 'InternalServerException'],
    ['expiredToken', 'InternalServerException'],
    ['accessDenied', 'ServiceAccessDeniedException'],
    ['serviceQuotaExceeded', 'UnexpectedError'],
  ] as const)('is thrown as what it means for a retry: %s', async (error, name) => {
    service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors[error]());

    const thrown: unknown = await prepare()
      .create()
      .catch((reason: unknown) => reason);

    expect(thrown).toMatchObject({ name, cause: expect.any(Error) });
    expect(String(thrown)).not.toContain(QUOTED_INPUT);
    expect(reads()).toEqual([]);
  });

  it.each([
    ['accessDenied', 'ServiceAccessDeniedException'],
    ['serviceQuotaExceeded', 'UnexpectedError'],
  ] as const)('is thrown on when it hits the read that explains a refusal: %s', async (error, name) => {
    service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.conflict());
    service.on(GetStreamSessionCommand).rejects(serviceErrors[error]());

    await expect(prepare().create()).rejects.toMatchObject({ name });
  });

  it.each(['BEFORE', 'AFTER'] as const)(
    'of the table, %s its write, lets nothing be called',
    async (when) => {
      failNext(table(), 'UpdateItemCommand', when);

      await expect(prepare().create()).rejects.toMatchObject({ name: 'DependencyUnavailableException' });

      expect(service.calls()).toHaveLength(0);
    },
  );
});
