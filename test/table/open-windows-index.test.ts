import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { sessionPartition } from '../../functions/shared/contracts/table-keys.ts';
import { noteLoss } from '../../functions/shared/window/mailbox.ts';
import { replaceWindow } from '../../functions/shared/window/open-window.ts';
import { listOpenWindows, openIn, readWindows } from '../../functions/shared/window/read-windows.ts';
import { mockClient } from '../helpers/mock-client.ts';
import { newSession } from '../helpers/sessions.ts';
import { useTable } from '../helpers/table.ts';
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
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1);
const NOT_BEFORE_MS = DISCONNECTED_AT_MS + 5000;

beforeEach(() => {
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
});

/** A session in a stream group that only this test looks at. */
function sessionIn(streamGroupId: string): SessionKey {
  return { ...newSession(), streamGroupId };
}

describe('the open windows of a stream group', () => {
  it('are those that wait for their end, as their items have them', async () => {
    const [opened, running, closed, failed, elsewhere] = [
      sessionIn('sg-index1'),
      sessionIn('sg-index1'),
      sessionIn('sg-index1'),
      sessionIn('sg-index1'),
      sessionIn('sg-index2'),
    ];
    const disconnectedAtMs = DISCONNECTED_AT_MS;
    await givenOpenWindow(table(), opened, { disconnectedAtMs });
    await givenRunningWindow(table(), running, { disconnectedAtMs });
    await givenFailedWindow(table(), failed, { disconnectedAtMs });
    await givenOpenWindow(table(), elsewhere, { disconnectedAtMs });
    await givenClosedWindow(table(), closed, {
      disconnectedAtMs,
      outcome: 'RECONNECTED',
      outcomeAtMs: disconnectedAtMs + 1000,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });

    const windows = await listOpenWindows(table(), 'sg-index1');

    const window = { generation: 1, phase: 'AWAITING_RECONNECTION', disconnectedAtMs };
    expect(windows).toHaveLength(2);
    expect(windows).toContainEqual(
      expect.objectContaining({
        ...window,
        session: opened,
        running: false,
        pendingSinceMs: disconnectedAtMs,
      }),
    );
    expect(windows).toContainEqual(
      expect.objectContaining({ ...window, session: running, running: true, waitOrder: 0 }),
    );
  });

  it('are there again when the next window of a session opens', async () => {
    const session = sessionIn('sg-index3');
    await givenFailedWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    expect(await listOpenWindows(table(), 'sg-index3')).toEqual([]);

    await givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS + 60_000 });

    expect(await listOpenWindows(table(), 'sg-index3')).toMatchObject([{ session, generation: 2 }]);
  });

  it('are all found, however many', async () => {
    const sessions = Array.from({ length: 120 }, () => sessionIn('sg-index4'));
    await Promise.all(
      sessions.map((session) => givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS })),
    );

    expect(await listOpenWindows(table(), 'sg-index4')).toHaveLength(120);
  });
});

it('the sessions of a stream group are spread evenly over eight shards of the index', () => {
  const shards = Array.from({ length: 4000 }, (_, number) =>
    openIn({ streamGroupId: 'sg-1', streamSessionId: `session${number}` }),
  );

  const counts = new Map<string, number>();
  for (const shard of shards) counts.set(shard, (counts.get(shard) ?? 0) + 1);
  expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((shard) => `sg-1#${shard}`));
  for (const count of counts.values()) expect(count).toBeGreaterThan(400);
});

describe('the windows of many sessions', () => {
  it('are read a hundred at a time; who never had one is left out, who is named twice is read once', async () => {
    const sessions = Array.from({ length: 120 }, newSession);
    await Promise.all(
      sessions.map((session) => givenOpenWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS })),
    );

    const windows = await readWindows(table(), [...sessions, newSession(), ...sessions.slice(0, 5)]);

    expect([...windows.keys()].sort()).toEqual(sessions.map(sessionPartition).sort());
    expect([...windows.values()].every(({ generation }) => generation === 1)).toBe(true);
  });

  it('are none without a call', async () => {
    const notThere = { ...table(), name: 'no-such-table' };
    expect((await readWindows(notThere, [])).size).toBe(0);
  });
});

describe('a window whose execution has died', () => {
  it('is replaced by the next one of the same disconnect, which was not started yet', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
      connectionTimeoutSeconds: 60,
    });
    await noteLoss(table(), session, DISCONNECTED_AT_MS + 4000);
    const dead = await windowOf(table(), session);

    const replacement = await replaceWindow(table(), session, dead, WINDOW_SETTINGS, NOT_BEFORE_MS);

    const window = await windowOf(table(), session);
    expect(window).toMatchObject({
      generation: 2,
      running: false,
      phase: 'AWAITING_RECONNECTION',
      disconnectedAtMs: DISCONNECTED_AT_MS,
      connectionTimeoutSeconds: 60,
      failedBefore: 1,
      lostAgainAtMs: DISCONNECTED_AT_MS + 4000,
      // A signal before its first wait: it looks at the session at once.
      seq: 1,
    });
    expect(window.taskToken).toBeUndefined();
    expect(replacement?.generation).toBe(2);
    expect(JSON.parse(window.executionInput)).toMatchObject({
      generation: 2,
      connectionTimeoutSeconds: 60,
      notBeforeMs: NOT_BEFORE_MS,
    });
  });

  it('is replaced once, by whoever comes first', async () => {
    const session = newSession();
    const dead = await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    const replacements = await Promise.all(
      Array.from({ length: 10 }, () => replaceWindow(table(), session, dead, WINDOW_SETTINGS, NOT_BEFORE_MS)),
    );

    expect(replacements.filter((replacement) => replacement !== undefined)).toHaveLength(1);
    expect((await windowOf(table(), session)).generation).toBe(2);
  });
});
