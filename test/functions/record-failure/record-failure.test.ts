import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordFailure } from '../../../functions/record-failure/record-failure.ts';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems, useTable } from '../../helpers/table.ts';
import {
  givenClosedWindow,
  givenRunningWindow,
  OUTCOME_RETENTION_DAYS,
  windowOf,
} from '../../helpers/windows.ts';

const table = useTable();
const eventBridge = mockClient(EventBridgeClient);
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1, 12);
const NOW_MS = DISCONNECTED_AT_MS + 180_000;

beforeEach(() => {
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
});

function prepare(session: SessionKey, nowMs = NOW_MS) {
  const log = memoryLog();
  const metrics = memoryMetrics();
  const record = ({ generation = 1, error = 'SessionNotEnded' } = {}) =>
    recordFailure(
      { ...session, executionName: `${session.streamSessionId}-1`, generation, error },
      { table: table(), clock: new VirtualClock(nowMs), log, metrics, settings: { OUTCOME_RETENTION_DAYS } },
    );
  return { log, metrics, record };
}

async function itemOf(session: SessionKey) {
  const items = await allItems(table());
  return items.find(({ pk, sk }) => String(pk).endsWith(`/${session.streamSessionId}`) && sk === 'window');
}

describe('a failure', () => {
  it('closes the window without an outcome, under the name that the execution ends with', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    const { record, log, metrics } = prepare(session);

    expect(await record()).toBeUndefined();

    const item = await itemOf(session);
    expect(item).toMatchObject({
      generation: 1,
      phase: 'FAILED',
      failure: 'SessionNotEnded',
      closedAtMs: NOW_MS,
      expiresAt: NOW_MS / 1000 + OUTCOME_RETENTION_DAYS * 86_400,
    });
    for (const gone of ['taskToken', 'signalIds', 'outcome']) expect(item).not.toHaveProperty(gone);
    expect(log.lines).toEqual([
      { event: 'WindowFailed', fields: { generation: 1, error: 'SessionNotEnded' } },
    ]);
    expect(metrics.values).toEqual([{ name: 'WindowsFailed', value: 1 }]);
    expect(eventBridge.calls()).toHaveLength(0);
  });

  it('changes nothing when it is repeated', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    await prepare(session).record();
    const item = await itemOf(session);

    const { record, metrics } = prepare(session, NOW_MS + 60_000);
    await record({ error: 'States.Timeout' });

    expect(metrics.values).toEqual([]);
    expect(await itemOf(session)).toEqual(item);
  });

  it.each(['RECONNECTED', 'TERMINATED', 'ERRORED'] as const)(
    'leaves a window as it is that was closed with its outcome %s',
    async (outcome) => {
      const session = newSession();
      const window = await givenClosedWindow(table(), session, {
        disconnectedAtMs: DISCONNECTED_AT_MS,
        outcome,
        outcomeAtMs: DISCONNECTED_AT_MS + 30_000,
        eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
      });

      await prepare(session).record();

      expect(await windowOf(table(), session)).toEqual(window);
      expect(await itemOf(session)).not.toHaveProperty('failure');
    },
  );

  it('of an older window leaves the open one as it is', async () => {
    const session = newSession();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
      outcome: 'RECONNECTED',
      outcomeAtMs: DISCONNECTED_AT_MS + 30_000,
      eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    });
    const next = await givenRunningWindow(table(), session, { disconnectedAtMs: NOW_MS });

    await prepare(session).record({ generation: 1 });

    expect(await windowOf(table(), session)).toEqual(next);
  });

  it('makes no window where there was none', async () => {
    const session = newSession();

    await prepare(session).record();

    expect(await itemOf(session)).toBeUndefined();
  });

  it.each(['BEFORE', 'AFTER'] as const)('can be repeated when the table fails %s the write', async (when) => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    const { record } = prepare(session);
    failNext(table(), 'UpdateItemCommand', when);

    await expect(record()).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
    await record();

    expect(await windowOf(table(), session)).toMatchObject({ phase: 'FAILED' });
  });
});
