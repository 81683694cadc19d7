import { GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { newSession } from '../../helpers/sessions.ts';
import { givenClosedWindow, givenFailedWindow, windowOf } from '../../helpers/windows.ts';
import { useOnStatusChange } from './harness.ts';

const { table, gameLiftStreams, prepare, starts, nothingHappened } = useOnStatusChange();
/** 60 s × 2³: a further attempt is due so long after the fourth red end. */
const DUE_AFTER_MS = 480_000;
let hours = 0;

/** A session whose disconnect has had four windows, all of which ended red; at an hour of its own. */
async function givenFourRedEnds(error: string) {
  const session: SessionKey = newSession();
  const disconnectedAtMs = Date.UTC(2026, 0, 2) + 3_600_000 * hours++;
  for (let count = 0; count < 4; count++) {
    await givenFailedWindow(table(), session, { disconnectedAtMs, error });
  }
  return { session, disconnectedAtMs, dueAtMs: disconnectedAtMs + 60_000 + DUE_AFTER_MS };
}

const serviceSays = (Status: 'PENDING_CLIENT_RECONNECTION' | 'CONNECTED') =>
  gameLiftStreams.on(GetStreamSessionCommand).resolves({ Status });

describe('a report of a disconnect whose windows have all ended red', () => {
  it('asks nobody before the next attempt is due', async () => {
    const { session, disconnectedAtMs, dueAtMs } = await givenFourRedEnds('UnexpectedError');

    const result = await prepare(dueAtMs - 1).report({ session, atMs: disconnectedAtMs });

    expect(result).toEqual({ result: 'STALE' });
    nothingHappened();
    expect(gameLiftStreams.calls()).toEqual([]);
  });

  it('opens another window, when that is due and the service says that the session waits', async () => {
    const { session, disconnectedAtMs, dueAtMs } = await givenFourRedEnds('UnexpectedError');
    serviceSays('PENDING_CLIENT_RECONNECTION');

    const result = await prepare(dueAtMs).report({ session, atMs: disconnectedAtMs });

    expect(result).toEqual({ result: 'WINDOW_OPENED' });
    expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-5` }]);
    expect(await windowOf(table(), session)).toMatchObject({ generation: 5, failedBefore: 4 });
  });

  it('opens none when the session does not wait any more', async () => {
    const { session, disconnectedAtMs, dueAtMs } = await givenFourRedEnds('UnexpectedError');
    serviceSays('CONNECTED');

    expect(await prepare(dueAtMs).report({ session, atMs: disconnectedAtMs })).toEqual({ result: 'STALE' });

    expect(gameLiftStreams.calls()).toHaveLength(1);
    nothingHappened();
  });

  it('is due at once when the session has dropped again', async () => {
    const { session, disconnectedAtMs } = await givenFourRedEnds('UnexpectedError');
    serviceSays('PENDING_CLIENT_RECONNECTION');

    const result = await prepare(disconnectedAtMs + 70_000).report({
      session,
      atMs: disconnectedAtMs + 65_000,
    });

    expect(result).toEqual({ result: 'WINDOW_OPENED' });
  });

  it('is not, for a session that the service does not know has not dropped again', async () => {
    const { session, disconnectedAtMs, dueAtMs } = await givenFourRedEnds('SessionNotFound');
    serviceSays('PENDING_CLIENT_RECONNECTION');

    const early = await prepare(dueAtMs - 1).report({ session, atMs: disconnectedAtMs + 65_000 });
    expect(early).toEqual({ result: 'STALE' });
    expect(gameLiftStreams.calls()).toEqual([]);

    const due = await prepare(dueAtMs).report({ session, atMs: disconnectedAtMs + 65_000 });
    expect(due).toEqual({ result: 'WINDOW_OPENED' });
  });

  it('leaves a part of the read quota to those who wait for an answer', async () => {
    const { session, disconnectedAtMs, dueAtMs } = await givenFourRedEnds('UnexpectedError');
    const quota = { operation: 'GetStreamSession', perSecond: 750 } as const;
    await bookPermits(table(), quota, dueAtMs + 4000, '#low');

    await expect(prepare(dueAtMs).report({ session, atMs: disconnectedAtMs })).rejects.toMatchObject({
      name: 'PermitNotAvailableException',
    });
  });
});

it('a report that may be of the next disconnect is asked about under the whole read quota', async () => {
  const session = newSession();
  const disconnectedAtMs = Date.UTC(2026, 0, 4);
  const { report, dependencies } = prepare(disconnectedAtMs + 20_000);
  await givenClosedWindow(table(), session, {
    disconnectedAtMs,
    outcome: 'RECONNECTED',
    outcomeAtMs: disconnectedAtMs + 10_000,
    eventBridge: dependencies.eventBridge,
  });
  const quota = { operation: 'GetStreamSession', perSecond: 750 } as const;
  await bookPermits(table(), quota, disconnectedAtMs + 24_000, '#low');
  serviceSays('PENDING_CLIENT_RECONNECTION');

  expect(await report({ session, atMs: disconnectedAtMs + 9000 })).toEqual({ result: 'WINDOW_OPENED' });
});
