import {
  CreateStreamSessionAdminShellCommand,
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  StreamSessionAccessNotReadyException,
  type StreamSessionStatus,
} from '@aws-sdk/client-gameliftstreams';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CreateAdminShellInput,
  createAdminShell,
  createAdminShellInputSchema,
} from '../../../functions/create-admin-shell/create-admin-shell.ts';
import type { QuotaOperation } from '../../../functions/shared/contracts/quotas.ts';
import { takePermit } from '../../../functions/shared/quota/permits.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { QUOTED_INPUT, serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems, useTable } from '../../helpers/table.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const CREDENTIALS = { SessionId: 'the-session', StreamUrl: 'wss://the-url', TokenValue: 'the-token' };
const SHELL_STATUSES = ['ACTIVE', 'CONNECTED', 'PENDING_CLIENT_RECONNECTION', 'RECONNECTING'] as const;
const OTHER_STATUSES = ['ACTIVATING', 'TERMINATING', 'TERMINATED', 'ERROR'] as const;

beforeEach(() => {
  service.reset();
  service.on(GetStreamSessionCommand).resolves({ Status: 'CONNECTED' });
  service.on(CreateStreamSessionAdminShellCommand).resolves(CREDENTIALS);
});

function prepare() {
  const dependencies = {
    ...serviceDependencies(table()),
    settings: { ADMIN_SHELLS_PER_SECOND: 1, READS_PER_SECOND: 20 },
  };
  const { clock } = dependencies;
  const session = newSession();
  const create = (overrides: Partial<CreateAdminShellInput> = {}) => {
    const executionName = `${session.streamSessionId}-request`;
    const input = { ...session, executionName, deadlineMs: clock.nowMs() + 20_000, ...overrides };
    return clock.track(() => createAdminShell(createAdminShellInputSchema.parse(input), dependencies));
  };
  /** Others are in line for all the permits of the next four seconds. */
  const takeAll = async (operation: QuotaOperation, perSecond: number) => {
    const latestMs = clock.nowMs() + 4000;
    const others = Array.from({ length: perSecond * 6 }, () =>
      clock.track(() => takePermit({ operation, perSecond, latestMs }, dependencies)),
    );
    await clock.idle();
    return others;
  };
  /** Moves time on until the attempt has ended. */
  const inTime = async <Result>(attempt: Promise<Result>): Promise<Result> => {
    let done = false;
    const ended = attempt.finally(() => {
      done = true;
    });
    ended.catch(() => {});
    while (!done) await clock.advance(50);
    return ended;
  };
  return { ...dependencies, session, create, takeAll, inTime };
}

const shells = () => service.commandCalls(CreateStreamSessionAdminShellCommand);
const reads = () => service.commandCalls(GetStreamSessionCommand);
const isSession = (...statuses: StreamSessionStatus[]) => {
  const reply = service.on(GetStreamSessionCommand);
  for (const Status of statuses) reply.resolvesOnce({ Status });
};
const notReady = () =>
  new StreamSessionAccessNotReadyException({
    message: `The service says ${QUOTED_INPUT}`,
    Message: `The service says ${QUOTED_INPUT}`,
    $metadata: { httpStatusCode: 409 },
  });

describe('an admin shell', () => {
  it.each(SHELL_STATUSES)("is the service's three credentials, in status %s", async (status) => {
    isSession(status);
    const { create, session, clock } = prepare();

    const result = await create();

    expect(result).toEqual({
      result: 'ADMIN_SHELL_CREATED',
      sessionId: 'the-session',
      streamUrl: 'wss://the-url',
      tokenValue: 'the-token',
      createdAtMs: clock.nowMs(),
    });
    expect(shells().map(({ args: [{ input }] }) => input)).toEqual([
      { Identifier: session.streamGroupId, StreamSessionIdentifier: session.streamSessionId },
    ]);
  });

  it.each(OTHER_STATUSES)('is not asked for in status %s, and takes no permit', async (status) => {
    isSession(status);
    const { create, clock, log } = prepare();

    expect(await create()).toEqual({ result: 'STATUS_WITHOUT_ADMIN_SHELL', status });

    expect(log.lines).toEqual([
      { event: 'AdminShellNotCreated', fields: { result: 'STATUS_WITHOUT_ADMIN_SHELL', status } },
    ]);

    expect(shells()).toEqual([]);
    const permits = (await allItems(table())).map(({ pk }) => String(pk));
    const second = Math.floor(clock.nowMs() / 1000);
    expect(permits).not.toContain(`permit#CreateStreamSessionAdminShell#${second}`);
  });

  it('is not asked for of a session that nobody knows', async () => {
    service.on(GetStreamSessionCommand).rejects(serviceErrors.resourceNotFound());

    expect(await prepare().create()).toEqual({ result: 'NOT_FOUND' });
    expect(shells()).toEqual([]);
  });

  it('was created when its reply came: its 60 s run from there', async () => {
    const { create, clock, inTime } = prepare();
    const startMs = clock.nowMs();
    service.on(CreateStreamSessionAdminShellCommand).callsFake(async () => {
      await clock.sleep(700);
      return CREDENTIALS;
    });

    expect(await inTime(create())).toMatchObject({ createdAtMs: startMs + 700 });
  });

  it('is given up after five seconds', async () => {
    const { create, clock, inTime } = prepare();
    service.on(CreateStreamSessionAdminShellCommand).callsFake(async () => {
      await clock.sleep(5000);
      return CREDENTIALS;
    });

    await inTime(create());

    expect(shells()[0]?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it.each(['SessionId', 'StreamUrl', 'TokenValue'])('is worth nothing without its %s', async (member) => {
    service.on(CreateStreamSessionAdminShellCommand).resolves({ ...CREDENTIALS, [member]: undefined });

    await expect(prepare().create()).rejects.toMatchObject({ name: 'InternalServerException' });
  });

  it('leaves its credentials neither in the log nor in the table', async () => {
    const { create, log } = prepare();

    await create();

    const kept = JSON.stringify([log.lines, await allItems(table())]);
    for (const secret of Object.values(CREDENTIALS)) expect(kept).not.toContain(secret);
    expect(log.lines).toEqual([{ event: 'AdminShellCreated', fields: {} }]);
  });
});

describe('a shell that the service refuses', () => {
  it.each([
    ['400', serviceErrors.validation],
    ['404', serviceErrors.resourceNotFound],
    ['409', serviceErrors.conflict],
  ])('with a %s names the status that the session has come to meanwhile', async (_, error) => {
    isSession('CONNECTED', 'TERMINATED');
    service.on(CreateStreamSessionAdminShellCommand).rejects(error());

    expect(await prepare().create()).toEqual({ result: 'STATUS_WITHOUT_ADMIN_SHELL', status: 'TERMINATED' });
  });

  it('in a status that can have one is refused by the service itself', async () => {
    service.on(CreateStreamSessionAdminShellCommand).rejects(serviceErrors.validation());

    expect(await prepare().create()).toEqual({ result: 'REJECTED_BY_SERVICE', status: 'CONNECTED' });
  });

  it('of a session that is gone meanwhile is not found', async () => {
    service
      .on(GetStreamSessionCommand)
      .resolvesOnce({ Status: 'CONNECTED' })
      .rejects(serviceErrors.resourceNotFound());
    service.on(CreateStreamSessionAdminShellCommand).rejects(serviceErrors.resourceNotFound());

    expect(await prepare().create()).toEqual({ result: 'NOT_FOUND' });
  });
});

describe('a failure', () => {
  it.each([
    ['StreamSessionAccessNotReadyException', notReady],
    ['ThrottlingException', serviceErrors.throttling],
    ['ThrottlingException', serviceErrors.throttlingAs400],
    ['InternalServerException', serviceErrors.internalServer],
    ['InternalServerException', serviceErrors.unnamed503],
    ['InternalServerException', serviceErrors.connectionReset],
    ['ServiceAccessDeniedException', serviceErrors.accessDenied],
    ['UnexpectedError', serviceErrors.serviceQuotaExceeded],
  ])('of the service leaves as %s, quoting nothing', async (name, error) => {
    service.on(CreateStreamSessionAdminShellCommand).rejects(error());

    const failure: unknown = await prepare()
      .create()
      .catch((thrown: unknown) => thrown);

    expect(failure).toMatchObject({ name });
    expect(String(failure)).not.toContain(QUOTED_INPUT);
    expect(shells()).toHaveLength(1);
  });

  it('of the table is one that a retry may mend, and nothing was called', async () => {
    const { create } = prepare();
    isSession('CONNECTED');
    failNext(table(), 'UpdateItemCommand', 'BEFORE');
    // The first permit is the read's, which an operator does not wait for; the second is the shell's.
    await expect(create()).resolves.toMatchObject({ result: 'ADMIN_SHELL_CREATED' });

    service.resetHistory();
    const { create: createAgain } = prepare();
    service.on(GetStreamSessionCommand).callsFake(async () => {
      failNext(table(), 'UpdateItemCommand', 'BEFORE');
      return { Status: 'CONNECTED' };
    });
    await expect(createAgain()).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
    expect(shells()).toEqual([]);
  });
});

describe('a status that cannot be read', () => {
  it.each([
    [
      'because the quota is used up for 2 s',
      async ({ takeAll }: ReturnType<typeof prepare>) => {
        await takeAll('GetStreamSession', 20);
      },
    ],
    [
      'because the service throttles reads',
      async () => {
        service.on(GetStreamSessionCommand).rejects(serviceErrors.throttling());
      },
    ],
    [
      'because the service fails',
      async () => {
        service.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());
      },
    ],
  ] as const)('keeps no operator from a shell: %s', async (_, spoil) => {
    const prepared = prepare();
    await spoil(prepared);
    const { create, inTime } = prepared;

    expect(await inTime(create())).toMatchObject({ result: 'ADMIN_SHELL_CREATED' });
  });

  it.each([
    [1999, 1999, 1],
    [2001, 0, 0],
  ])(
    'is waited for no longer than two seconds: its permit is %i ms away',
    async (awayMs, waitedMs, readCount) => {
      const { create, clock, inTime, ...dependencies } = prepare();
      const startMs = clock.nowMs();
      const quota = { operation: 'GetStreamSession', perSecond: 20 } as const;
      await bookPermits(dependencies.table, quota, startMs + awayMs);

      expect(await inTime(create())).toMatchObject({
        result: 'ADMIN_SHELL_CREATED',
        createdAtMs: startMs + waitedMs,
      });
      expect(reads()).toHaveLength(readCount);
    },
  );

  it('because the function may not read it is a failure that somebody must mend', async () => {
    service.on(GetStreamSessionCommand).rejects(serviceErrors.accessDenied());

    await expect(prepare().create()).rejects.toMatchObject({ name: 'ServiceAccessDeniedException' });
    expect(shells()).toEqual([]);
  });
});

describe('the quota of one a second', () => {
  it('gives the second of two who ask at once a shell a second after the first', async () => {
    const { create, clock, inTime } = prepare();
    const askedAtMs: number[] = [];
    service.on(CreateStreamSessionAdminShellCommand).callsFake(async () => {
      askedAtMs.push(clock.nowMs());
      return CREDENTIALS;
    });

    const results = await inTime(Promise.all([create(), create()]));

    expect(results.map(({ result }) => result)).toEqual(['ADMIN_SHELL_CREATED', 'ADMIN_SHELL_CREATED']);
    expect((askedAtMs[1] ?? 0) - (askedAtMs[0] ?? 0)).toBe(1000);
  });

  it('lets nobody wait longer than 3 s for a permit', async () => {
    const { create, takeAll, inTime, clock } = prepare();
    const startMs = clock.nowMs();
    await takeAll('CreateStreamSessionAdminShell', 1);

    await expect(inTime(create())).rejects.toMatchObject({ name: 'PermitNotAvailableException' });

    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(3050);
    expect(shells()).toEqual([]);
  });
});

describe('the deadline of the caller', () => {
  it.each([4999, 0, -60_000])('lets nothing be called %i ms before it', async (remainingMs) => {
    const { create, clock } = prepare();

    expect(await create({ deadlineMs: clock.nowMs() + remainingMs })).toEqual({ result: 'DEADLINE_PASSED' });
    expect(reads()).toEqual([]);
    expect(shells()).toEqual([]);
  });

  it('lets an attempt begin 5 s before it', async () => {
    const { create, clock } = prepare();

    expect(await create({ deadlineMs: clock.nowMs() + 5000 })).toMatchObject({
      result: 'ADMIN_SHELL_CREATED',
    });
  });

  it.each([
    ['StreamSessionAccessNotReadyException', notReady],
    ['ThrottlingException', serviceErrors.throttling],
    ['InternalServerException', serviceErrors.internalServer],
  ])(
    'ends the attempts with the name of the last error when the next would be too late: %s',
    async (error, make) => {
      service.on(CreateStreamSessionAdminShellCommand).rejects(make());
      const { create, clock, log, inTime } = prepare();

      expect(await create({ deadlineMs: clock.nowMs() + 8999 })).toEqual({ result: 'OUT_OF_TIME', error });
      expect(log.lines.at(-1)).toMatchObject({ event: 'TaskFailed', fields: { errorName: error } });

      // With the second that the next permit is away.
      await clock.advance(5000);
      await expect(inTime(create({ deadlineMs: clock.nowMs() + 12_000 }))).rejects.toMatchObject({
        name: error,
      });
    },
  );

  it('lets a next attempt follow as long as it can begin 5 s before it', async () => {
    service.on(CreateStreamSessionAdminShellCommand).rejects(serviceErrors.internalServer());
    const { create, clock } = prepare();

    await expect(create({ deadlineMs: clock.nowMs() + 9000 })).rejects.toMatchObject({
      name: 'InternalServerException',
    });
  });

  it('changes nothing for an error that no retry can mend', async () => {
    service.on(CreateStreamSessionAdminShellCommand).rejects(serviceErrors.accessDenied());
    const { create, clock } = prepare();

    await expect(create({ deadlineMs: clock.nowMs() + 6000 })).rejects.toMatchObject({
      name: 'ServiceAccessDeniedException',
    });
  });
});
