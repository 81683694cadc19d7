import { EventBridgeClient, PutEventsCommand, type PutEventsCommandInput } from '@aws-sdk/client-eventbridge';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { UnexpectedError } from '../../../functions/shared/runtime/errors.ts';
import { noticeDisconnects, type Reported } from '../../../functions/watch-sessions/notice-disconnects.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import {
  BUS_SETTINGS,
  givenClosedWindow,
  givenFailedWindow,
  givenOpenWindow,
} from '../../helpers/windows.ts';

const table = useTable();
const eventBridge = mockClient(EventBridgeClient);
const NOW_MS = Date.UTC(2026, 0, 1, 12);
const DROPPED_AT_MS = NOW_MS - 4000;

const allTaken = ({ Entries }: PutEventsCommandInput) => ({
  FailedEntryCount: 0,
  Entries: (Entries ?? []).map((_, index) => ({ EventId: `event-${index}` })),
});

beforeEach(() => {
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).callsFake(allTaken);
});

function prepare() {
  const clock = new VirtualClock(NOW_MS);
  const log = memoryLog();
  const metrics = memoryMetrics();
  const reported: Reported = new Map();
  const dependencies = {
    table: table(),
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    clock,
    log,
    metrics,
    settings: BUS_SETTINGS,
  };
  const look = (
    sessions: readonly SessionKey[],
    {
      lastUpdatedAtMs = DROPPED_AT_MS,
      open = [],
    }: { readonly lastUpdatedAtMs?: number | undefined; readonly open?: readonly SessionKey[] } = {},
  ) =>
    noticeDisconnects(
      sessions.map((session) => ({ session, lastUpdatedAtMs })),
      new Set(open.map(({ streamSessionId }) => streamSessionId)),
      reported,
      dependencies,
    );
  const notice = async (...args: Parameters<typeof look>) => (await look(...args)).reported;
  return { clock, log, metrics, dependencies, notice, look };
}

const details = () =>
  eventBridge
    .commandCalls(PutEventsCommand)
    .flatMap(({ args: [{ input }] }) => (input.Entries ?? []).map(({ Detail = '' }) => JSON.parse(Detail)));

describe('a session that waits without a window', () => {
  it('is reported with the time that the service gives', async () => {
    const session = newSession();
    const { notice, log } = prepare();

    expect(await notice([session])).toBe(1);

    expect(details()).toEqual([
      {
        version: '1',
        ...session,
        status: 'PENDING_CLIENT_RECONNECTION',
        statusChangedAt: new Date(DROPPED_AT_MS).toISOString(),
        reportedBy: 'watcher',
      },
    ]);
    expect(log.lines).toEqual([{ event: 'DisconnectNoticed', fields: { ...session, lateMs: 4000 } }]);
  });

  it('is reported without its reporter when it is older than a minute, so that its window looks at once', async () => {
    const lastUpdatedAtMs = NOW_MS - 60_000;

    await prepare().notice([newSession()], { lastUpdatedAtMs });

    expect(details()[0]).not.toHaveProperty('reportedBy');
  });

  it('is reported as of now when the service gives a time to come', async () => {
    await prepare().notice([newSession()], { lastUpdatedAtMs: NOW_MS + 1500 });

    expect(details()).toMatchObject([{ statusChangedAt: new Date(NOW_MS).toISOString() }]);
  });

  it('is one of many in a call: ten to each', async () => {
    expect(await prepare().notice(Array.from({ length: 25 }, newSession))).toBe(25);

    expect(details()).toHaveLength(25);
    expect(eventBridge.commandCalls(PutEventsCommand)).toHaveLength(3);
  });

  it('is not reported again before its event had time, and is then', async () => {
    const { notice, clock } = prepare();
    const session = newSession();
    await notice([session]);

    await clock.advance(19_999);
    expect(await notice([session])).toBe(0);
    await clock.advance(1);
    expect(await notice([session])).toBe(1);
  });

  it('is reported at once when it has dropped again meanwhile', async () => {
    const { notice } = prepare();
    const session = newSession();
    await notice([session]);

    expect(await notice([session], { lastUpdatedAtMs: DROPPED_AT_MS + 1 })).toBe(1);
  });

  it('is reported at the next look when the bus did not take its event', async () => {
    const { notice, log } = prepare();
    const [one, other] = [newSession(), newSession()];
    eventBridge
      .on(PutEventsCommand)
      .resolvesOnce({ FailedEntryCount: 1, Entries: [{ EventId: 'e' }, { ErrorCode: 'InternalFailure' }] })
      .callsFake(allTaken);

    expect(await notice([one, other])).toBe(1);
    expect(await notice([one, other])).toBe(1);

    expect(details().at(-1)).toMatchObject({ ...other });
    expect(log.lines[0]).toEqual({ event: 'EventsNotTaken', fields: { events: 1 } });
  });

  it('is not lost when the bus cannot be reached', async () => {
    const { notice } = prepare();
    const session = newSession();
    eventBridge
      .on(PutEventsCommand)
      .rejectsOnce(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
      .callsFake(allTaken);

    expect(await notice([session])).toBe(0);
    expect(await notice([session])).toBe(1);
  });
});

describe('the lag of a look', () => {
  it('is for how long the oldest session had waited that is nobody’s', async () => {
    const { look, metrics } = prepare();
    const attended = newSession();
    await givenOpenWindow(table(), attended, { disconnectedAtMs: DROPPED_AT_MS - 60_000 });

    expect(await look([newSession(), newSession(), attended])).toEqual({ reported: 2, lagMs: 4000 });
    expect(metrics.values).toEqual([{ name: 'DisconnectsNoticed', value: 2 }]);
  });

  it('grows while the bus takes no report', async () => {
    const { look, clock, metrics } = prepare();
    const session = newSession();
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{}] });

    const first = await look([session]);
    await clock.advance(5000);
    const second = await look([session]);

    expect([first, second]).toEqual([
      { reported: 0, lagMs: 4000 },
      { reported: 0, lagMs: 9000 },
    ]);
    expect(metrics.values).toEqual([]);
  });

  it('is nothing when every session has a window', async () => {
    const { look } = prepare();

    expect(await look([])).toEqual({ reported: 0, lagMs: 0 });
  });

  it('begins, after a red end, when the next attempt is due', async () => {
    const { look, clock } = prepare();
    const session = newSession();
    // It fails a minute after its disconnect, and is due a minute later.
    await givenFailedWindow(table(), session, { disconnectedAtMs: NOW_MS - 120_000 });
    await clock.advance(3000);

    expect(await look([session], { lastUpdatedAtMs: NOW_MS - 120_000 })).toEqual({
      reported: 1,
      lagMs: 3000,
    });
  });
});

describe('a session that has a window', () => {
  it('is left alone while it is open, whether the index knows of it already or not', async () => {
    const { notice, dependencies } = prepare();
    const [known, justOpened] = [newSession(), newSession()];
    await givenOpenWindow(table(), known, { disconnectedAtMs: DROPPED_AT_MS });
    await givenOpenWindow(table(), justOpened, { disconnectedAtMs: DROPPED_AT_MS });

    expect(await notice([known, justOpened], { open: [known] })).toBe(0);
    expect(dependencies.log.lines).toEqual([]);
  });

  it.each([
    ['the list is older than its reconnection', 'RECONNECTED', 1, 0],
    ['it dropped again in the second of its reconnection', 'RECONNECTED', 0, 1],
    ['it dropped again since', 'RECONNECTED', -1, 1],
    ['it has ended', 'TERMINATED', -1, 0],
    ['it has failed', 'ERRORED', -1, 0],
  ] as const)('that is closed: %s (%s)', async (_, outcome, outcomeAfterMs, expected) => {
    const { notice } = prepare();
    const session = newSession();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: DROPPED_AT_MS - 60_000,
      outcome,
      outcomeAtMs: DROPPED_AT_MS + outcomeAfterMs,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });
    eventBridge.resetHistory();

    expect(await notice([session])).toBe(expected);
  });

  it('that ended red is reported again after a minute, and at once when it dropped again', async () => {
    const { notice, clock } = prepare();
    const session = newSession();
    // It fails a minute after its disconnect.
    await givenFailedWindow(table(), session, { disconnectedAtMs: DROPPED_AT_MS });

    await clock.advance(60_000 - 4000 + 59_999);
    expect(await notice([session])).toBe(0);
    expect(await notice([session], { lastUpdatedAtMs: DROPPED_AT_MS + 2001 })).toBe(1);
    await clock.advance(1);
    expect(await notice([session])).toBe(1);
  });
});

describe('a table that cannot be read', () => {
  it('fails the look, and reports nobody', async () => {
    const { dependencies } = prepare();
    const denied = Object.assign(new Error('denied'), { name: 'AccessDeniedException' });
    failNext(table(), 'BatchGetItemCommand', 'BEFORE', denied);

    await expect(
      noticeDisconnects(
        [{ session: newSession(), lastUpdatedAtMs: DROPPED_AT_MS }],
        new Set(),
        new Map(),
        dependencies,
      ),
    ).rejects.toThrow(UnexpectedError);
    expect(details()).toEqual([]);
  });
});
