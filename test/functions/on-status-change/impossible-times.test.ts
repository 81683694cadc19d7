import { GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { newSession } from '../../helpers/sessions.ts';
import { statusChangeEvent } from '../../helpers/status-change.ts';
import { allItems } from '../../helpers/table.ts';
import { windowOf } from '../../helpers/windows.ts';
import { NOW_MS, useOnStatusChange } from './harness.ts';

const { table, gameLiftStreams, prepare, published, nothingHappened } = useOnStatusChange();
const DAY_MS = 86_400_000;

describe('an event that carries a time that cannot be', () => {
  it('is published as rejected with its reason when that is when the status changed', async () => {
    const session = newSession();
    const { send } = prepare();
    const raw = statusChangeEvent({
      session,
      atMs: NOW_MS,
      detail: { statusChangedAt: '0001-01-01T00:00:00Z' },
    });

    expect(await send(raw)).toEqual({ result: 'REJECTED' });

    expect(JSON.parse(published()[0]?.Detail ?? '{}')).toMatchObject({
      reasons: ['detail.statusChangedAt: before 1970, or not set'],
    });
    expect(await allItems(table())).toEqual([]);
  });

  it.each(['PENDING_CLIENT_RECONNECTION', 'CONNECTED'] as const)(
    'from 40 days ago is stale, with no execution, read, write or event: %s',
    async (status) => {
      const session = newSession();
      const { report, log, metrics } = prepare();

      expect(await report({ session, status, atMs: NOW_MS - 40 * DAY_MS })).toEqual({ result: 'STALE' });

      nothingHappened();
      expect(gameLiftStreams.commandCalls(GetStreamSessionCommand)).toEqual([]);
      expect(await allItems(table())).toEqual([]);
      expect(log.lines.map(({ event }) => event)).toEqual(['StaleEventIgnored']);
      expect(metrics.values).toEqual([{ name: 'EventsStale', value: 1 }]);
    },
  );

  it('opens the window without the session’s end when that is before the disconnect', async () => {
    const session = newSession();
    const { report, log } = prepare();
    const sessionEndsAt = new Date(NOW_MS - DAY_MS).toISOString();

    const result = await report({ session, detail: { sessionEndsAt, connectionTimeoutSeconds: 60 } });

    expect(result).toEqual({ result: 'WINDOW_OPENED' });
    expect((await windowOf(table(), session)).sessionEndsAtMs).toBeUndefined();
    expect(log.lines[0]).toMatchObject({
      event: 'ImpossibleTimeIgnored',
      fields: { member: 'sessionEndsAt' },
    });
  });

  it('has its moment, not the function’s, when the function’s clock is behind', async () => {
    const session = newSession();
    const behindMs = NOW_MS - 3_600_000;
    const { send } = prepare(behindMs);
    const event = statusChangeEvent({ session, atMs: NOW_MS - 1_000 });

    const result = await send({ ingestionTime: new Date(NOW_MS).toISOString(), event });

    expect(result).toEqual({ result: 'WINDOW_OPENED' });
    expect((await windowOf(table(), session)).disconnectedAtMs).toBe(NOW_MS - 1_000);
  });
});
