import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { windowKey } from '../../functions/shared/contracts/table-keys.ts';
import { failWindow } from '../../functions/shared/window/close-window.ts';
import { type Disconnect, openWindow } from '../../functions/shared/window/open-window.ts';
import { updateWindow } from '../../functions/shared/window/window-item.ts';
import { beforeNext, failNext, raceReads } from '../helpers/failing-table.ts';
import { mockClient } from '../helpers/mock-client.ts';
import { newSession } from '../helpers/sessions.ts';
import { allItems, useTable } from '../helpers/table.ts';
import {
  givenClosedWindow,
  givenFailedWindow,
  givenOpenWindow,
  givenRunningWindow,
  WINDOW_SETTINGS,
  windowOf,
} from '../helpers/windows.ts';

const table = useTable();
const eventBridge = mockClient(EventBridgeClient);
const NOW_MS = Date.UTC(2026, 0, 1);
const SKEW_MS = 2000;

beforeEach(() => {
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
});

function open(
  session: SessionKey,
  disconnect: Partial<Disconnect> = {},
  isStillWaiting: () => Promise<boolean> = () => Promise.reject(new Error('Nobody is to be asked.')),
) {
  return openWindow(
    table(),
    session,
    {
      disconnectedAtMs: NOW_MS,
      connectionTimeoutSeconds: undefined,
      sessionEndsAtMs: undefined,
      ...disconnect,
    },
    WINDOW_SETTINGS,
    isStillWaiting,
  );
}

const closed = (session: SessionKey, outcome: 'RECONNECTED' | 'TERMINATED' | 'ERRORED') =>
  givenClosedWindow(table(), session, {
    disconnectedAtMs: NOW_MS,
    outcome,
    outcomeAtMs: NOW_MS + 30_000,
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
  });

describe('the first window of a session', () => {
  it('is stored with the input of its execution, which repeats what the item says', async () => {
    const session = newSession();

    const { kind, window } = await open(session, { connectionTimeoutSeconds: 60 });

    expect(kind).toBe('OPENED');
    expect(await windowOf(table(), session)).toEqual(window);
    expect(window).toMatchObject({
      generation: 1,
      phase: 'AWAITING_RECONNECTION',
      running: false,
      seq: 0,
      deadlineMs: NOW_MS + 60_000,
    });
    expect(JSON.parse(window.executionInput)).toEqual({
      ...session,
      generation: 1,
      disconnectedAtMs: NOW_MS,
      deadlineMs: NOW_MS + 60_000,
      disconnectedAt: new Date(NOW_MS).toISOString(),
      deadline: new Date(NOW_MS + 60_000).toISOString(),
      reportedBy: 'FEED',
      connectionTimeoutSeconds: 60,
      marginSeconds: 2,
      terminateAbandoned: false,
      lookAtOnce: true,
    });
  });

  it.each([
    [{}, { lookAtOnce: true }],
    [{ reportedBy: 'WATCHER' }, { lookAtOnce: false, foundByWatcher: true }],
    [{ reportedBy: 'WATCHER', connectionTimeoutSeconds: 60 }, { lookAtOnce: false }],
  ] as const)('tells its execution whether to look: %j', async (disconnect, expected) => {
    const { window } = await open(newSession(), disconnect);

    const { lookAtOnce, foundByWatcher } = JSON.parse(window.executionInput);
    expect(JSON.parse(JSON.stringify({ lookAtOnce, foundByWatcher }))).toEqual(expected);
  });

  it.each<[string, Partial<Disconnect>, number]>([
    ["the report's timeout", { connectionTimeoutSeconds: 10 }, 10_000],
    ['the default where the report has none', {}, 120_000],
    ["the session's end where that comes first", { sessionEndsAtMs: NOW_MS + 7000 }, 7000],
    ['the timeout where the session ends later', { sessionEndsAtMs: NOW_MS + 121_000 }, 120_000],
  ])('lasts until %s', async (_, disconnect, expectedMs) => {
    const { window } = await open(newSession(), disconnect);

    expect(window.deadlineMs - NOW_MS).toBe(expectedMs);
    expect(JSON.parse(window.executionInput)).toMatchObject({ deadlineMs: window.deadlineMs });
  });

  it('is one window, whoever of twenty reporters comes first', async () => {
    const session = newSession();

    const openings = await Promise.all(
      Array.from({ length: 20 }, (_, index) => open(session, { disconnectedAtMs: NOW_MS + index })),
    );

    const opened = openings.filter(({ kind }) => kind === 'OPENED');
    expect(opened).toHaveLength(1);
    expect(openings.filter(({ kind }) => kind === 'ALREADY_OPEN')).toHaveLength(19);
    for (const { window } of openings) expect(window).toEqual(opened[0]?.window);
    const items = (await allItems(table())).filter(({ pk }) => String(pk).includes(session.streamSessionId));
    expect(items).toHaveLength(1);
  });

  it('of two stream groups is kept apart, though their sessions have the same id', async () => {
    const session = newSession();
    await open(session);

    expect(await open({ ...session, streamGroupId: 'sg-2' })).toMatchObject({ kind: 'OPENED' });
  });
});

describe('a report for a session whose window is open', () => {
  it.each(['waits to be started', 'runs'])('finds it as it is when it %s', async (state) => {
    const session = newSession();
    const given = state === 'runs' ? givenRunningWindow : givenOpenWindow;
    const window = await given(table(), session, { disconnectedAtMs: NOW_MS });

    const opening = await open(session, { disconnectedAtMs: NOW_MS + 60_000, connectionTimeoutSeconds: 5 });

    expect(opening).toEqual({ kind: 'ALREADY_OPEN', window });
    expect(await windowOf(table(), session)).toEqual(window);
  });
});

describe('a report for a session that was reconnected', () => {
  it.each([-SKEW_MS, 0, SKEW_MS])(
    'is stale when it is of the same disconnect, %i ms apart by the clock of another feed',
    async (offsetMs) => {
      const session = newSession();
      const window = await closed(session, 'RECONNECTED');

      const opening = await open(session, { disconnectedAtMs: NOW_MS + offsetMs });

      expect(opening).toEqual({ kind: 'STALE', window });
      expect(await windowOf(table(), session)).toEqual(window);
    },
  );

  it.each([
    ['opens the second window when the session waits', true, 'OPENED'],
    ['is stale when it does not', false, 'STALE'],
  ])('at the very time of its outcome %s: times may be whole seconds', async (_title, isWaiting, kind) => {
    const session = newSession();
    // It drops, is CONNECTED and drops again, all within a second.
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: NOW_MS - 500,
      outcome: 'RECONNECTED',
      outcomeAtMs: NOW_MS,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });

    const opening = await open(session, { disconnectedAtMs: NOW_MS }, async () => isWaiting);

    expect(opening.kind).toBe(kind);
  });

  it('opens the second window, without asking, when it is clearly later than the outcome', async () => {
    const session = newSession();
    await closed(session, 'RECONNECTED');

    const { kind, window } = await open(session, { disconnectedAtMs: NOW_MS + 30_000 + SKEW_MS + 1 });

    expect(kind).toBe('OPENED');
    expect(window).toMatchObject({
      generation: 2,
      running: false,
      seq: 0,
      connectionCreatedAtMs: 0,
      connectionAttempts: 0,
    });
    expect(JSON.parse(window.executionInput)).toMatchObject({ generation: 2 });
    const stored = await windowOf(table(), session);
    expect(stored).toEqual(window);
    expect(stored.outcome).toBeUndefined();
  });

  it('leaves no expiry on the window that it opens: DynamoDB would delete it while it waits', async () => {
    const session = newSession();
    await closed(session, 'RECONNECTED');

    await open(session, { disconnectedAtMs: NOW_MS + 60_000 });

    const items = await allItems(table());
    const item = items.find(
      ({ pk, sk }) => String(pk).endsWith(`/${session.streamSessionId}`) && sk === 'window',
    );
    expect(item).toMatchObject({ generation: 2 });
    expect(item).not.toHaveProperty('expiresAt');
  });

  it.each([0, 1, SKEW_MS])(
    'opens the second window, without asking, %i ms after the outcome',
    async (laterMs) => {
      const session = newSession();
      await closed(session, 'RECONNECTED');

      const opening = await open(session, { disconnectedAtMs: NOW_MS + 30_000 + laterMs }, () =>
        Promise.reject(new Error('Nobody is to be asked.')),
      );

      expect(opening).toMatchObject({ kind: 'OPENED', window: { generation: 2 } });
    },
  );

  it.each([SKEW_MS + 1, 29_999])(
    'asks the service when its time, %i ms after the disconnect, cannot tell',
    async (offsetMs) => {
      const [pending, connected] = [newSession(), newSession()];
      await closed(pending, 'RECONNECTED');
      await closed(connected, 'RECONNECTED');
      const disconnect = { disconnectedAtMs: NOW_MS + offsetMs };

      expect(await open(pending, disconnect, async () => true)).toMatchObject({
        kind: 'OPENED',
        window: { generation: 2 },
      });
      expect(await open(connected, disconnect, async () => false)).toMatchObject({
        kind: 'STALE',
        window: { generation: 1 },
      });
    },
  );

  it.each([1, SKEW_MS - 1])(
    'is asked about when it is %i ms later than a reconnection that took less than two clocks differ',
    async (laterMs) => {
      const session = newSession();
      const outcomeAtMs = NOW_MS + 1;
      await givenClosedWindow(table(), session, {
        disconnectedAtMs: NOW_MS,
        outcome: 'RECONNECTED',
        outcomeAtMs,
        eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
      });
      const report = { disconnectedAtMs: outcomeAtMs + laterMs };

      const still = await open(session, report, async () => false);
      const opened = await open(session, report, async () => true);

      expect([still.kind, opened.kind]).toEqual(['STALE', 'OPENED']);
    },
  );

  it('is stale when it came with the reconnection, which took less than two clocks differ', async () => {
    const session = newSession();
    const window = await givenClosedWindow(table(), session, {
      disconnectedAtMs: NOW_MS,
      outcome: 'RECONNECTED',
      outcomeAtMs: NOW_MS + 1,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });

    const opening = await open(session, { disconnectedAtMs: NOW_MS + 1 }, async () => false);

    expect(opening).toEqual({ kind: 'STALE', window });
  });

  it('opens a window that knows when the one before ended, and has no failure before it', async () => {
    const session = newSession();
    const first = await closed(session, 'RECONNECTED');
    expect(first).toMatchObject({ failedBefore: 0, isDefaultTimeout: true });
    expect(first.previousOutcomeAtMs).toBeUndefined();

    const { window } = await open(session, { disconnectedAtMs: NOW_MS + 60_000 });

    expect(window).toMatchObject({
      failedBefore: 0,
      previousOutcomeAtMs: NOW_MS + 30_000,
      // Nobody has told the timeout of either.
      isDefaultTimeout: true,
      connectionTimeoutSeconds: 120,
    });
  });

  it('fails as the question to the service fails, and opens nothing', async () => {
    const session = newSession();
    const window = await closed(session, 'RECONNECTED');

    const opening = open(session, { disconnectedAtMs: NOW_MS + 10_000 }, () =>
      Promise.reject(new Error('Throttled')),
    );

    await expect(opening).rejects.toThrow('Throttled');
    expect(await windowOf(table(), session)).toEqual(window);
  });

  it('keeps the timeout and the end that the window before was told', async () => {
    const session = newSession();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: NOW_MS,
      connectionTimeoutSeconds: 45,
      sessionEndsAtMs: NOW_MS + 80_000,
      outcome: 'RECONNECTED',
      outcomeAtMs: NOW_MS + 10_000,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });

    const { window } = await open(session, { disconnectedAtMs: NOW_MS + 20_000 });

    expect(window).toMatchObject({ connectionTimeoutSeconds: 45, deadlineMs: NOW_MS + 65_000 });
    expect(window.sessionEndsAtMs).toBe(NOW_MS + 80_000);
  });

  it('prefers what it says itself to what the window before was told', async () => {
    const session = newSession();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: NOW_MS,
      connectionTimeoutSeconds: 45,
      outcome: 'RECONNECTED',
      outcomeAtMs: NOW_MS + 10_000,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });

    const { window } = await open(session, {
      disconnectedAtMs: NOW_MS + 20_000,
      connectionTimeoutSeconds: 300,
    });

    expect(window).toMatchObject({ connectionTimeoutSeconds: 300, deadlineMs: NOW_MS + 320_000 });
  });

  it('opens one second window, whoever of twenty reporters comes first', async () => {
    const session = newSession();
    await closed(session, 'RECONNECTED');

    const openings = await Promise.all(
      Array.from({ length: 20 }, () => open(session, { disconnectedAtMs: NOW_MS + 60_000 })),
    );

    expect(openings.filter(({ kind }) => kind === 'OPENED')).toHaveLength(1);
    expect(openings.every(({ window }) => window.generation === 2)).toBe(true);
  });
});

describe('a report for a session that has ended', () => {
  it.each(['TERMINATED', 'ERRORED'] as const)('is stale for good after %s', async (outcome) => {
    const session = newSession();
    const window = await closed(session, outcome);

    for (const offsetMs of [0, 10_000, 30_000 + SKEW_MS + 1, 3_600_000]) {
      expect(await open(session, { disconnectedAtMs: NOW_MS + offsetMs })).toEqual({ kind: 'STALE', window });
    }
    expect(await windowOf(table(), session)).toEqual(window);
  });
});

describe('a report for a session whose window failed', () => {
  it.each([-SKEW_MS, 0, 60_000])(
    'opens the next window, %i ms from the first disconnect',
    async (offsetMs) => {
      const session = newSession();
      await givenFailedWindow(table(), session, { disconnectedAtMs: NOW_MS });

      const opening = await open(session, { disconnectedAtMs: NOW_MS + offsetMs });

      expect(opening).toMatchObject({
        kind: 'OPENED',
        window: { generation: 2, phase: 'AWAITING_RECONNECTION' },
      });
    },
  );
});

describe('windows of one disconnect that fail one after the other', () => {
  it('are counted, and know when the last one that did not fail ended', async () => {
    const session = newSession();
    await closed(session, 'RECONNECTED');
    const later = { disconnectedAtMs: NOW_MS + 60_000 };

    for (const failedBefore of [0, 1, 2, 3]) {
      const { kind, window } = await open(session, later);
      expect(kind).toBe('OPENED');
      expect(window).toMatchObject({ failedBefore, previousOutcomeAtMs: NOW_MS + 30_000 });
      await failWindow(table(), session, {
        generation: window.generation,
        error: 'UnexpectedError',
        nowMs: NOW_MS + 61_000,
        retentionDays: 30,
      });
    }

    expect((await open(session, later, async () => false)).kind).toBe('STALE');
    expect(await open(session, later, async () => true)).toMatchObject({
      kind: 'OPENED',
      window: { failedBefore: 4 },
    });
  });
});

describe('a write that is lost to somebody else', () => {
  const signalled = (session: SessionKey) =>
    updateWindow(table(), session, {
      UpdateExpression: 'SET seq = seq + :one',
      ExpressionAttributeValues: { ':one': 1 },
    });

  it('is tried again from what is there now', async () => {
    const session = newSession();
    await givenFailedWindow(table(), session, { disconnectedAtMs: NOW_MS });
    const reads = raceReads(table(), 1, () => signalled(session));

    expect(await open(session)).toMatchObject({ kind: 'OPENED', window: { generation: 2 } });

    expect(reads()).toBe(1);
  });

  it('five times in a row is a retryable failure', async () => {
    const session = newSession();
    await givenFailedWindow(table(), session, { disconnectedAtMs: NOW_MS });
    const reads = raceReads(table(), 8, () => signalled(session));

    await expect(open(session)).rejects.toMatchObject({ name: 'ContentionException' });

    expect(reads()).toBe(5);
    expect(await windowOf(table(), session)).toMatchObject({ generation: 1, phase: 'FAILED' });
  });

  it('to a window that has expired since opens the first one again', async () => {
    const session = newSession();
    await givenFailedWindow(table(), session, { disconnectedAtMs: NOW_MS });
    beforeNext(table(), 'GetItemCommand', () =>
      table().documents.send(new DeleteCommand({ TableName: table().name, Key: windowKey(session) })),
    );

    expect(await open(session)).toMatchObject({ kind: 'OPENED', window: { generation: 1, failedBefore: 0 } });
  });
});

describe('a table that fails', () => {
  it.each(['BEFORE', 'AFTER'] as const)(
    'is a retryable failure %s the write, and the repeat finds one window',
    async (when) => {
      const session = newSession();
      failNext(table(), 'PutItemCommand', when);

      await expect(open(session)).rejects.toMatchObject({ name: 'DependencyUnavailableException' });

      const repeat = await open(session);
      expect(repeat.kind).toBe(when === 'BEFORE' ? 'OPENED' : 'ALREADY_OPEN');
      expect(repeat.window).toMatchObject({ generation: 1, running: false });
    },
  );
});
