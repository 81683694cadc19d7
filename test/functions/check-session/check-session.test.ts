import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  type GetStreamSessionCommandOutput,
  StreamSessionStatus,
} from '@aws-sdk/client-gameliftstreams';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { type CheckSessionInput, checkSession } from '../../../functions/check-session/check-session.ts';
import type { ListedSession } from '../../../functions/shared/service/list-sessions.ts';
import { noteLoss } from '../../../functions/shared/window/mailbox.ts';
import { listOpenWindows } from '../../../functions/shared/window/read-windows.ts';
import type { Listings } from '../../../functions/watch-sessions/judge-window.ts';
import { markWaiting } from '../../../functions/watch-sessions/mark-waiting.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import { givenClosedWindow, givenRunningWindow, windowOf } from '../../helpers/windows.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const eventBridge = mockClient(EventBridgeClient);
const MARGIN_SECONDS = 2;

const listingsOf = (pending: readonly ListedSession[]): Listings => {
  const none = { sessions: new Map(), complete: true };
  const sessions = new Map(pending.map((one) => [one.session.streamSessionId, one]));
  return { PENDING_CLIENT_RECONNECTION: { sessions, complete: true }, RECONNECTING: none, ACTIVE: none };
};

beforeEach(() => {
  service.reset();
});

/** The clock stands at the check; the disconnect was ten seconds before. */
function prepare(input: Partial<CheckSessionInput> = {}) {
  const dependencies = { ...serviceDependencies(table()), settings: { READS_PER_SECOND: 20 } };
  const { clock } = dependencies;
  const nowMs = clock.nowMs();
  const session = newSession();
  const disconnectedAtMs = nowMs - 10_000;
  const check = (overrides: Partial<CheckSessionInput> = {}) =>
    checkSession(
      {
        ...session,
        executionName: `${session.streamSessionId}-1`,
        pendingSinceMs: disconnectedAtMs,
        connectionCreatedAtMs: 0,
        connectionTimeoutSeconds: 120,
        marginSeconds: MARGIN_SECONDS,
        ...input,
        ...overrides,
      },
      dependencies,
    );
  return { ...dependencies, session, nowMs, disconnectedAtMs, check };
}

/** What GetStreamSession says, with everything that must not leave the read. */
const reply = (overrides: Partial<GetStreamSessionCommandOutput>) =>
  service.on(GetStreamSessionCommand).resolves({
    Arn: 'arn:of-the-read',
    UserId: 'user-of-the-read',
    SignalRequest: 'offer-of-the-read',
    SignalResponse: 'answer-of-the-read',
    WebSdkProtocolUrl: 'url-of-the-read',
    AdditionalEnvironmentVariables: { KEY: 'environment-of-the-read' },
    AdditionalLaunchArgs: ['argument-of-the-read'],
    ...overrides,
  });

describe('a check', () => {
  it.each(Object.values(StreamSessionStatus))(
    'tells the status as the service says it: %s',
    async (Status) => {
      const { check, nowMs, session, log } = prepare();
      reply({ Status, StatusReason: 'internalError', LastUpdatedAt: new Date(nowMs - 1500) });

      expect(await check()).toMatchObject({
        status: Status,
        statusReason: 'internalError',
        statusChangedAtMs: nowMs - 1500,
        overdue: false,
      });

      expect(service.commandCalls(GetStreamSessionCommand).map(({ args: [{ input }] }) => input)).toEqual([
        { Identifier: session.streamGroupId, StreamSessionIdentifier: session.streamSessionId },
      ]);
      expect(log.lines).toEqual([{ event: 'SessionChecked', fields: { status: Status, overdue: false } }]);
    },
  );

  it.each([
    ['an empty one', '', null],
    ['one of 1,000 characters', 'a'.repeat(1000), 'a'.repeat(256)],
    ['one with control characters', 'lost\r\nclient', 'lost client'],
  ])('tells a reason in the form of our events: %s', async (_, given, statusReason) => {
    const { check } = prepare();
    // The service's model has 11 values; an answer may hold any text.
    service
      .on(GetStreamSessionCommand)
      .callsFake(async () => ({ Status: 'TERMINATED', StatusReason: given }));

    expect(await check()).toMatchObject({ statusReason });
  });

  it('lets nothing else out of the read, for its result enters the history', async () => {
    const { check, nowMs, log } = prepare();
    reply({ Status: 'CONNECTED', LastUpdatedAt: new Date(nowMs) });

    const result = await check();

    expect(Object.keys(result).sort()).toEqual([
      'applicationArn',
      'beforeLoss',
      'connectionTimeoutSeconds',
      'deadlineMs',
      'isUnconfirmed',
      'location',
      'overdue',
      'pendingSinceMs',
      'seenWaitingAtMs',
      'status',
      'statusChangedAtMs',
      'statusReason',
    ]);
    expect(JSON.stringify([result, log.lines])).not.toContain('of-the-read');
  });

  it.each(['resourceNotFound', 'validation', 'conflict'] as const)(
    'tells that the service has no such session: %s',
    async (error) => {
      const { check, nowMs } = prepare();
      service.on(GetStreamSessionCommand).rejects(serviceErrors[error]());

      expect(await check()).toMatchObject({
        status: 'NOT_FOUND',
        statusReason: null,
        statusChangedAtMs: nowMs,
        connectionTimeoutSeconds: 120,
        overdue: false,
      });
    },
  );

  it.each([
    ['was seen waiting, after its deadline', -1, 1, 'TERMINATED'],
    ['was seen waiting, before its deadline', 1000, 1, 'NOT_FOUND'],
    ['nobody has seen, after its deadline', -1, 0, 'NOT_FOUND'],
  ])('tells of a session that is gone and %s', async (_, leftMs, seenWaitingAtMs, status) => {
    const { check, nowMs } = prepare();
    service.on(GetStreamSessionCommand).rejects(serviceErrors.resourceNotFound());

    expect(await check({ deadlineMs: nowMs + leftMs, seenWaitingAtMs })).toMatchObject({
      status,
      statusReason: null,
    });
  });

  it.each([
    ['the first', 0, -1, true],
    ['one less than ten seconds after the first', 9999, -1, true],
    ['one ten seconds after the first', 10_000, -1, false],
    ['the first before the deadline', 0, 60_000, true],
  ])('has a 404 confirmed: %s', async (_, sinceAgoMs, leftMs, isUnconfirmed) => {
    const { check, nowMs } = prepare();
    service.on(GetStreamSessionCommand).rejects(serviceErrors.resourceNotFound());
    const deadlineMs = nowMs + leftMs;

    const result = await check({
      deadlineMs,
      seenWaitingAtMs: 1,
      notFoundSinceMs: sinceAgoMs === 0 ? 0 : nowMs - sinceAgoMs,
    });

    expect(result).toMatchObject(
      isUnconfirmed
        ? { status: 'NOT_FOUND', isUnconfirmed, deadlineMs, overdue: false }
        : { status: 'TERMINATED', isUnconfirmed },
    );
  });

  it('tells which application the session runs, and where', async () => {
    const { check } = prepare();
    const ApplicationArn = 'arn:aws:gameliftstreams:us-west-2:111122223333:application/a-9ZY8X7Wv6';
    reply({ Status: 'CONNECTED', ApplicationArn, Location: 'eu-central-1' });

    expect(await check()).toMatchObject({ applicationArn: ApplicationArn, location: 'eu-central-1' });
  });

  it('leaves out an application or a location that is in no known form', async () => {
    const { check } = prepare();
    reply({ Status: 'CONNECTED', ApplicationArn: 'a game\n', Location: 'somewhere else' });

    expect(await check()).toMatchObject({ applicationArn: null, location: null });
  });

  it('makes do without the members that the service may leave out', async () => {
    const { check, nowMs, disconnectedAtMs } = prepare();
    service.on(GetStreamSessionCommand).resolves({ Status: 'PENDING_CLIENT_RECONNECTION' });

    expect(await check()).toEqual({
      status: 'PENDING_CLIENT_RECONNECTION',
      statusReason: null,
      statusChangedAtMs: nowMs,
      applicationArn: null,
      location: null,
      pendingSinceMs: disconnectedAtMs,
      connectionTimeoutSeconds: 120,
      deadlineMs: disconnectedAtMs + 120_000,
      seenWaitingAtMs: nowMs,
      beforeLoss: false,
      overdue: false,
      isUnconfirmed: false,
    });
  });

  it.each([
    ['internalServer', 'InternalServerException'],
    ['throttling', 'ThrottlingException'],
    ['accessDenied', 'ServiceAccessDeniedException'],
  ] as const)('fails as the read fails: %s', async (error, name) => {
    service.on(GetStreamSessionCommand).rejects(serviceErrors[error]());

    await expect(prepare().check()).rejects.toMatchObject({ name });
  });

  it('is given up after five seconds', async () => {
    const { check, clock } = prepare();
    service.on(GetStreamSessionCommand).callsFake(async () => {
      await clock.sleep(5000);
      return {};
    });

    const checking = clock.track(() => check());
    await clock.advance(5000);
    await checking;

    const [call] = service.commandCalls(GetStreamSessionCommand);
    expect(call?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it('takes its turn in the quota of the reads', async () => {
    const { check, clock, nowMs, ...dependencies } = prepare();
    reply({ Status: 'CONNECTED' });
    await bookPermits(dependencies.table, { operation: 'GetStreamSession', perSecond: 20 }, nowMs + 1000);

    const checking = clock.track(() => check());
    await clock.advance(0);
    expect(service.calls()).toHaveLength(0);
    await clock.advance(1000);

    expect(await checking).toMatchObject({ status: 'CONNECTED', statusChangedAtMs: nowMs + 1000 });
  });
});

describe('the deadline of a session that waits for a reconnection', () => {
  const Status = 'PENDING_CLIENT_RECONNECTION';

  it('is corrected by the timeout that the read tells', async () => {
    const { check, disconnectedAtMs } = prepare();
    reply({ Status, ConnectionTimeoutSeconds: 10, LastUpdatedAt: new Date(disconnectedAtMs) });

    expect(await check()).toMatchObject({
      connectionTimeoutSeconds: 10,
      deadlineMs: disconnectedAtMs + 10_000,
    });
  });

  it('is corrected by a later disconnect', async () => {
    const { check, nowMs } = prepare();
    reply({ Status, LastUpdatedAt: new Date(nowMs - 3000) });

    expect(await check()).toMatchObject({ pendingSinceMs: nowMs - 3000, deadlineMs: nowMs + 117_000 });
  });

  it.each([-2000, 0, 1999, 2000])(
    'keeps the disconnect that it knows when the clocks differ by %i ms',
    async (offsetMs) => {
      const { check, disconnectedAtMs } = prepare();
      reply({ Status, LastUpdatedAt: new Date(disconnectedAtMs + offsetMs) });

      expect(await check()).toMatchObject({
        pendingSinceMs: disconnectedAtMs,
        deadlineMs: disconnectedAtMs + 120_000,
      });
    },
  );

  it('takes one that is a millisecond later than that for another', async () => {
    const { check, disconnectedAtMs } = prepare();
    reply({ Status, LastUpdatedAt: new Date(disconnectedAtMs + 2001) });

    expect(await check()).toMatchObject({ pendingSinceMs: disconnectedAtMs + 2001 });
  });

  it('counts from any later update when a connection was created in between: that client is lost too', async () => {
    const { check, disconnectedAtMs } = prepare();
    const connectionCreatedAtMs = disconnectedAtMs + 500;
    reply({ Status, LastUpdatedAt: new Date(disconnectedAtMs + 1) });

    expect(await check({ connectionCreatedAtMs })).toMatchObject({ pendingSinceMs: disconnectedAtMs + 1 });
    expect(await check({ connectionCreatedAtMs: disconnectedAtMs })).toMatchObject({
      pendingSinceMs: disconnectedAtMs,
    });
  });

  it('keeps the disconnect that it knows when nothing was updated since, whatever was created', async () => {
    const { check, disconnectedAtMs } = prepare();
    reply({ Status, LastUpdatedAt: new Date(disconnectedAtMs) });

    expect(await check({ connectionCreatedAtMs: disconnectedAtMs + 500 })).toMatchObject({
      pendingSinceMs: disconnectedAtMs,
    });
  });

  it("is cut by the session's own end", async () => {
    const { check, nowMs, disconnectedAtMs } = prepare();
    const createdAtMs = nowMs - 3_600_000;
    reply({
      Status,
      LastUpdatedAt: new Date(disconnectedAtMs),
      CreatedAt: new Date(createdAtMs),
      SessionLengthSeconds: 3605,
    });

    expect(await check()).toMatchObject({ deadlineMs: nowMs + 5000 });
  });

  it('is not cut where the read tells half of that only', async () => {
    const { check, disconnectedAtMs } = prepare();
    reply({ Status, LastUpdatedAt: new Date(disconnectedAtMs), SessionLengthSeconds: 1 });

    expect(await check()).toMatchObject({ deadlineMs: disconnectedAtMs + 120_000 });
  });
});

describe('the deadline of a session that waits for its client', () => {
  it('counts from the connection that was created here', async () => {
    const { check, nowMs } = prepare();
    reply({ Status: 'ACTIVE', LastUpdatedAt: new Date(nowMs - 5000), ConnectionTimeoutSeconds: 60 });

    expect(await check({ connectionCreatedAtMs: nowMs - 4000 })).toMatchObject({
      deadlineMs: nowMs + 56_000,
    });
  });

  it.each(['ACTIVE', 'RECONNECTING'] as const)(
    'counts from the last update where somebody else created it: %s',
    async (Status) => {
      const { check, nowMs, disconnectedAtMs } = prepare();
      reply({ Status, LastUpdatedAt: new Date(nowMs - 5000) });

      expect(await check()).toMatchObject({ deadlineMs: nowMs + 115_000, pendingSinceMs: disconnectedAtMs });
    },
  );

  it('counts from now where nothing tells better', async () => {
    const { check, nowMs } = prepare();
    reply({ Status: 'ACTIVE' });

    expect(await check()).toMatchObject({ deadlineMs: nowMs + 120_000, overdue: false });
  });
});

describe('a look that sees the service wait for the first time', () => {
  it.each(['PENDING_CLIENT_RECONNECTION', 'ACTIVE', 'RECONNECTING'] as const)(
    'writes that on the window at once, so that a stopped execution does not lose it: %s',
    async (Status) => {
      const { check, session, nowMs, disconnectedAtMs } = prepare();
      await givenRunningWindow(table(), session, { disconnectedAtMs });
      reply({ Status });

      await check({ generation: 1, onlyIfSpare: true });

      expect(await windowOf(table(), session)).toMatchObject({ seenWaitingAtMs: nowMs });
    },
  );

  it.each([
    ['the window is the next one', { generation: 2 }, 'PENDING_CLIENT_RECONNECTION'],
    ['it was seen before', { generation: 1, seenWaitingAtMs: 5 }, 'PENDING_CLIENT_RECONNECTION'],
    ['the session does not wait', { generation: 1 }, 'TERMINATED'],
  ] as const)('writes nothing when %s', async (_, input, Status) => {
    const { check, session, disconnectedAtMs } = prepare();
    await givenRunningWindow(table(), session, { disconnectedAtMs });
    reply({ Status, StatusReason: 'reconnectionTimeout' });

    await check(input);

    expect(await windowOf(table(), session)).not.toHaveProperty('seenWaitingAtMs');
  });

  it('tells it all the same when the table fails', async () => {
    const { check, session, nowMs, disconnectedAtMs, log } = prepare();
    await givenRunningWindow(table(), session, { disconnectedAtMs });
    service.on(GetStreamSessionCommand).callsFake(async () => {
      failNext(table(), 'UpdateItemCommand', 'BEFORE');
      return { Status: 'PENDING_CLIENT_RECONNECTION' };
    });

    expect(await check({ generation: 1 })).toMatchObject({ seenWaitingAtMs: nowMs });

    expect(log.lines.map(({ event }) => event)).toContain('WaitingNotNoted');
  });

  it('takes the return from the loss before for no evidence of a loss after it', async () => {
    const { check, session, nowMs, disconnectedAtMs } = prepare();
    const backAtMs = disconnectedAtMs - 1000;
    eventBridge.on(PutEventsCommand).resolves({});
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: backAtMs - 30_000,
      outcome: 'RECONNECTED',
      outcomeAtMs: backAtMs,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });
    await givenRunningWindow(table(), session, { disconnectedAtMs });
    reply({ Status: 'CONNECTED', LastUpdatedAt: new Date(backAtMs), CreatedAt: new Date(nowMs - 600_000) });

    expect(await check({ generation: 2 })).toMatchObject({ seenWaitingAtMs: 0, beforeLoss: true });
  });
});

describe('a session that is CONNECTED', () => {
  it.each<[string, number, number, boolean]>([
    ['since long before the disconnect: its loss is not noticed yet', -60_000, 0, true],
    ['since just before the disconnect, by more than clocks differ', -2001, 0, true],
    // It may have come after the loss. Not to wait would cost the outcome of a loss that is noticed late.
    ['since just before the disconnect, by less than clocks differ', -1, 0, true],
    ['since the very time of the disconnect: it is back', 0, 0, false],
    ['since after the disconnect: it is back', 1, 0, false],
    ['as if since before, but a connection was created meanwhile: it is back', -60_000, 500, false],
  ])('%s', async (_, updatedMs, connectionMs, beforeLoss) => {
    const { check, nowMs } = prepare();
    const pendingSinceMs = nowMs - 1000;
    reply({
      Status: 'CONNECTED',
      LastUpdatedAt: new Date(pendingSinceMs + updatedMs),
      ConnectionTimeoutSeconds: 120,
    });

    const result = await check({
      pendingSinceMs,
      connectionCreatedAtMs: connectionMs === 0 ? 0 : pendingSinceMs + connectionMs,
    });

    expect(result).toMatchObject({
      status: 'CONNECTED',
      beforeLoss,
      overdue: false,
      deadlineMs: beforeLoss ? pendingSinceMs + 120_000 : nowMs,
    });
  });

  it('as if since before is back when a connection was created at the very moment after the disconnect', async () => {
    const { check, disconnectedAtMs } = prepare();
    reply({ Status: 'CONNECTED', LastUpdatedAt: new Date(disconnectedAtMs - 60_000) });

    expect(await check({ connectionCreatedAtMs: disconnectedAtMs })).toMatchObject({ beforeLoss: true });
    expect(await check({ connectionCreatedAtMs: disconnectedAtMs + 1 })).toMatchObject({ beforeLoss: false });
  });

  it.each<[string, { updatedMs: number; createdMs?: number; lostAgoMs?: number }, boolean]>([
    ['since before it: that is not noticed yet', { updatedMs: -2001 }, true],
    ['since just before it, by less than clocks differ', { updatedMs: -1 }, true],
    ['since its very time', { updatedMs: 0 }, false],
    [
      'as if since before it, but a connection was created after it',
      { updatedMs: -9000, createdMs: 1 },
      false,
    ],
    ['as if since before it, a connection too', { updatedMs: -9000, createdMs: -5000 }, true],
    ['a minute after it', { updatedMs: -2001, lostAgoMs: 60_000 }, false],
  ])(
    'in a window whose client is reported lost again, %s',
    async (_, { updatedMs, createdMs, lostAgoMs = 1000 }, beforeLoss) => {
      const { check, session, nowMs, disconnectedAtMs: firstMs } = prepare();
      const lostAtMs = nowMs - lostAgoMs;
      const disconnectedAtMs = Math.min(firstMs, lostAtMs - 10_000);
      await givenRunningWindow(table(), session, { disconnectedAtMs });
      await noteLoss(table(), session, lostAtMs);
      await noteLoss(table(), session, lostAtMs - 5000);
      reply({ Status: 'CONNECTED', LastUpdatedAt: new Date(lostAtMs + updatedMs) });

      const result = await check({
        generation: 1,
        openedAtMs: disconnectedAtMs,
        pendingSinceMs: disconnectedAtMs,
        seenWaitingAtMs: disconnectedAtMs,
        connectionCreatedAtMs: createdMs === undefined ? 0 : lostAtMs + createdMs,
      });

      expect(result).toMatchObject({ beforeLoss, pendingSinceMs: lostAtMs });
    },
  );

  it.each(['PENDING_CLIENT_RECONNECTION', 'ACTIVE', 'TERMINATED'] as const)(
    'is the only one that counts from a later loss, not one that is %s',
    async (Status) => {
      const { check, session, nowMs, disconnectedAtMs } = prepare();
      await givenRunningWindow(table(), session, { disconnectedAtMs });
      await noteLoss(table(), session, nowMs - 1000);
      reply({ Status, LastUpdatedAt: new Date(disconnectedAtMs) });

      expect(await check()).toMatchObject({ beforeLoss: false, pendingSinceMs: disconnectedAtMs });
    },
  );

  it.each(['PENDING_CLIENT_RECONNECTION', 'ACTIVE', 'TERMINATED'] as const)(
    'is the only one whose loss can be unnoticed, not one that is %s since before the disconnect',
    async (Status) => {
      const { check, disconnectedAtMs } = prepare();
      reply({ Status, LastUpdatedAt: new Date(disconnectedAtMs - 60_000) });

      expect(await check()).toMatchObject({ beforeLoss: false });
    },
  );

  it.each([
    [59_999, true],
    [60_000, false],
  ])(
    'since before may be unnoticed for a minute, whatever the timeout: after %i ms',
    async (agoMs, beforeLoss) => {
      const { check, nowMs } = prepare();
      reply({
        Status: 'CONNECTED',
        LastUpdatedAt: new Date(nowMs - 3_600_000),
        ConnectionTimeoutSeconds: 10,
      });
      const pendingSinceMs = nowMs - 300_000;

      const result = await check({ pendingSinceMs, openedAtMs: nowMs - agoMs });

      expect(result).toMatchObject({ beforeLoss, seenWaitingAtMs: 0 });
    },
  );
});

describe('the evidence that the service waits for a client', () => {
  it.each(['PENDING_CLIENT_RECONNECTION', 'ACTIVE', 'RECONNECTING'] as const)(
    'is its status: %s',
    async (Status) => {
      const { check, nowMs } = prepare();
      reply({ Status });

      expect(await check()).toMatchObject({ seenWaitingAtMs: nowMs });
    },
  );

  it.each([
    ['TERMINATED', 'reconnectionTimeout'],
    ['TERMINATED', 'connectionTimeout'],
    ['ERROR', 'invalidSignalRequest'],
  ] as const)('is its reason: %s, %s', async (Status, StatusReason) => {
    const { check, nowMs } = prepare();
    reply({ Status, StatusReason, LastUpdatedAt: new Date(nowMs - 1000) });

    expect(await check()).toMatchObject({ seenWaitingAtMs: nowMs - 1000 });
  });

  it.each([
    ['TERMINATED', 'applicationExit'],
    ['TERMINATED', 'apiTerminated'],
    ['TERMINATED', 'maxSessionLengthTimeout'],
    ['TERMINATED', 'idleTimeout'],
    ['ERROR', 'internalError'],
  ] as const)('is not any other reason: %s, %s', async (Status, StatusReason) => {
    const { check, nowMs } = prepare();
    reply({ Status, StatusReason, LastUpdatedAt: new Date(nowMs - 1000) });

    expect(await check()).toMatchObject({ seenWaitingAtMs: 0 });
  });

  it.each([
    [-2001, 0],
    [-2000, -2000],
    [1, 1],
  ])('is its time, when it is CONNECTED and has moved since: %i ms', async (offsetMs, seenMs) => {
    const { check, disconnectedAtMs } = prepare();
    reply({ Status: 'CONNECTED', LastUpdatedAt: new Date(disconnectedAtMs + offsetMs) });

    const { seenWaitingAtMs } = await check();

    expect(seenWaitingAtMs).toBe(seenMs === 0 ? 0 : disconnectedAtMs + seenMs);
  });

  it('is a connection that was created here, and what was seen before', async () => {
    const { check, disconnectedAtMs } = prepare();
    reply({ Status: 'TERMINATED' });

    expect(await check({ connectionCreatedAtMs: disconnectedAtMs + 7 })).toMatchObject({
      seenWaitingAtMs: disconnectedAtMs + 7,
    });
    expect(await check({ seenWaitingAtMs: 5 })).toMatchObject({ seenWaitingAtMs: 5 });
  });

  it('is what the watcher has written on the window of this generation', async () => {
    const { check, session, disconnectedAtMs, table: ofTest } = prepare();
    reply({ Status: 'TERMINATED' });
    await givenRunningWindow(ofTest, session, { disconnectedAtMs });
    const listings = listingsOf([{ session, lastUpdatedAtMs: undefined }]);
    const windows = await listOpenWindows(ofTest, session.streamGroupId);
    const clock = new VirtualClock(disconnectedAtMs + 5000);
    await markWaiting(windows, listings, new Set(), { table: ofTest, clock });

    expect(await check({ generation: 1 })).toMatchObject({ seenWaitingAtMs: disconnectedAtMs + 5000 });
    expect(await check({ generation: 2 })).toMatchObject({ seenWaitingAtMs: 0 });
  });
});

describe('a look that may be left out', () => {
  it('is left out while the read quota is in use', async () => {
    const { check, nowMs, ...dependencies } = prepare();
    reply({ Status: 'PENDING_CLIENT_RECONNECTION' });
    await bookPermits(dependencies.table, { operation: 'GetStreamSession', perSecond: 20 }, nowMs);

    expect(await check({ onlyIfSpare: true })).toMatchObject({ status: 'UNREAD', seenWaitingAtMs: 0 });

    expect(service.calls()).toEqual([]);
    expect(dependencies.metrics.values.map(({ name }) => name)).not.toContain('PermitsRefused');
  });

  it('is left out where the watcher will tell', async () => {
    const { check } = prepare();

    expect(await check({ onlyIfSpare: true, leaveOut: true })).toMatchObject({ status: 'UNREAD' });

    expect(service.calls()).toEqual([]);
  });

  it('reads while permits lie idle', async () => {
    const { check } = prepare();
    reply({ Status: 'PENDING_CLIENT_RECONNECTION' });

    expect(await check({ onlyIfSpare: true })).toMatchObject({ status: 'PENDING_CLIENT_RECONNECTION' });
  });
});

describe('a session that the service keeps too long', () => {
  it.each<['PENDING_CLIENT_RECONNECTION' | 'ACTIVE' | 'RECONNECTING', number, boolean]>([
    ['PENDING_CLIENT_RECONNECTION', -1, false],
    ['PENDING_CLIENT_RECONNECTION', 0, true],
    ['ACTIVE', -1, false],
    ['ACTIVE', 0, true],
    ['RECONNECTING', -1, false],
    ['RECONNECTING', 0, true],
  ])('is overdue at its deadline plus the margin: %s, %i ms from it', async (Status, offsetMs, overdue) => {
    const { check, nowMs, log } = prepare();
    const sinceMs = nowMs - 120_000 - MARGIN_SECONDS * 1000 - offsetMs;
    reply({ Status, LastUpdatedAt: new Date(sinceMs) });

    expect(await check({ pendingSinceMs: sinceMs })).toMatchObject({ overdue });

    expect(log.lines).toMatchObject([{ fields: { overdue } }]);
  });

  it.each(['CONNECTED', 'ACTIVATING', 'TERMINATING', 'TERMINATED', 'ERROR'] as const)(
    'is one that waits, not one that is %s',
    async (Status) => {
      const { check, nowMs } = prepare();
      reply({ Status, LastUpdatedAt: new Date(nowMs - 3_600_000) });

      expect(await check({ pendingSinceMs: nowMs - 3_600_000 })).toMatchObject({
        overdue: false,
        deadlineMs: nowMs,
      });
    },
  );
});
