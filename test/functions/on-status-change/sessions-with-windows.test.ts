import { GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { SendTaskSuccessCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import type { StreamSessionStatus } from '../../../functions/shared/contracts/index.ts';
import { closeWindow } from '../../../functions/shared/window/close-window.ts';
import { signalWindow } from '../../../functions/shared/window/mailbox.ts';
import { beforeNext } from '../../helpers/failing-table.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { statusChangeEvent } from '../../helpers/status-change.ts';
import { allItems } from '../../helpers/table.ts';
import { givenClosedWindow, givenFailedWindow, givenRunningWindow, windowOf } from '../../helpers/windows.ts';
import { DISCONNECTED_AT_MS, NOW_MS, useOnStatusChange } from './harness.ts';

const { table, stepFunctions, eventBridge, gameLiftStreams, prepare, starts, signals, nothingHappened } =
  useOnStatusChange();

describe('a later disconnect while the window is open', () => {
  it('signals it, once for one event', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS - 60_000 });
    const { send } = prepare();
    const event = statusChangeEvent({ session, atMs: DISCONNECTED_AT_MS });

    expect(await send(event)).toEqual({ result: 'WINDOW_SIGNALLED' });
    expect(await send(event)).toEqual({ result: 'WINDOW_SIGNALLED' });

    expect(signals().map(({ state }) => state)).toMatchObject([{ seq: 1 }, { seq: 1 }]);
    expect(await windowOf(table(), session)).toMatchObject({ generation: 1, seq: 1 });
    expect(starts()).toEqual([]);
  });

  it('is noted for the look that it brings, and the latest one stays', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS - 60_000 });
    const { report } = prepare();

    await report({ session, atMs: DISCONNECTED_AT_MS });
    await report({ session, atMs: DISCONNECTED_AT_MS - 5000 });

    expect(await windowOf(table(), session)).toMatchObject({ seq: 2, lostAgainAtMs: DISCONNECTED_AT_MS });
  });

  describe('with a time to give up', () => {
    const FIRST_LOSS_MS = DISCONNECTED_AT_MS - 60_000;
    const OVER = { endEarlyAtMs: FIRST_LOSS_MS + 30_000, endEarlyFor: 'GIVE_UP' } as const;
    const detail = { giveUpAfterSeconds: 30 };

    async function cameBack() {
      const session = newSession();
      await givenRunningWindow(table(), session, { disconnectedAtMs: FIRST_LOSS_MS, early: OVER });
      const prepared = prepare(NOW_MS, { allowEarlyEnd: true });
      const connection = { createdAtMs: FIRST_LOSS_MS + 10_000, attempts: 1 };
      await signalWindow(session, { id: 'request-1', connection }, prepared.dependencies);
      return { session, ...prepared };
    }

    it("replaces the first loss's, which is over", async () => {
      const { session, report } = await cameBack();

      await report({ session, detail });

      expect(signals().map(({ state }) => state)).toContainEqual(
        expect.objectContaining({ endEarlyAtMs: DISCONNECTED_AT_MS + 30_000, endEarlyFor: 'GIVE_UP' }),
      );
    });

    it('is not moved on by a repeat, nor by another feed', async () => {
      const { session, report } = await cameBack();

      for (const laterByMs of [0, 0, 1500]) {
        await report({ session, atMs: DISCONNECTED_AT_MS + laterByMs, detail });
      }

      expect(await windowOf(table(), session)).toMatchObject({
        endEarlyAtMs: DISCONNECTED_AT_MS + 30_000,
      });
    });

    it('does not come back with a late report of the first loss', async () => {
      const { session, report } = await cameBack();

      await report({ session, atMs: FIRST_LOSS_MS, detail: { giveUpAfterSeconds: 60 } });

      expect(await windowOf(table(), session)).toMatchObject(OVER);
      expect(signals().filter(({ state }) => state.correction !== undefined)).toEqual([]);
    });
  });

  it('comes again when the window closes before it is signalled, and opens the next one', async () => {
    const session = newSession();
    const disconnectedAtMs = DISCONNECTED_AT_MS - 60_000;
    const { generation } = await givenRunningWindow(table(), session, { disconnectedAtMs });
    const { report } = prepare();
    const closing = {
      generation,
      ackSeq: 0,
      outcome: 'RECONNECTED' as const,
      statusReason: null,
      story: {},
      endedAtMs: disconnectedAtMs + 10_000,
      connectionAttempts: 0,
      nowMs: DISCONNECTED_AT_MS,
      retentionDays: 30,
    };
    // Between the read of the open window and the first write that follows it.
    beforeNext(table(), 'UpdateItemCommand', () => closeWindow(table(), session, closing));

    await expect(report({ session })).rejects.toMatchObject({ name: 'ContentionException' });
    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });
  });

  it('is told from a late report of the first by more than the clocks may differ', async () => {
    const [later, same] = [newSession(), newSession()];
    for (const session of [later, same]) {
      await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS - 10_000 });
    }
    const { report } = prepare();

    expect(await report({ session: same, atMs: DISCONNECTED_AT_MS - 8000 })).toEqual({ result: 'DUPLICATE' });
    expect(await report({ session: later, atMs: DISCONNECTED_AT_MS - 7999 })).toEqual({
      result: 'WINDOW_SIGNALLED',
    });
  });

  it('is none when it was before the connection that the window knows of', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS - 60_000 });
    const { report, dependencies } = prepare();
    const connection = { createdAtMs: DISCONNECTED_AT_MS, attempts: 1 };
    await signalWindow(session, { id: 'request-1', connection }, dependencies);

    expect(await report({ session })).toEqual({ result: 'DUPLICATE' });
    expect(await report({ session, atMs: DISCONNECTED_AT_MS + 1 })).toEqual({ result: 'WINDOW_SIGNALLED' });
  });
});

describe('a report of another status', () => {
  const others: StreamSessionStatus[] = [
    'ACTIVATING',
    'ACTIVE',
    'CONNECTED',
    'RECONNECTING',
    'TERMINATING',
    'TERMINATED',
    'ERROR',
  ];

  it.each(others)('wakes the open window up: %s', async (status) => {
    const session = newSession();
    const { taskToken, ...window } = await givenRunningWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS,
    });

    expect(await prepare().report({ session, status })).toEqual({ result: 'WINDOW_SIGNALLED' });

    expect(signals()).toEqual([
      { token: taskToken, state: { seq: 1, connectionCreatedAtMs: 0, connectionAttempts: 0 } },
    ]);
    // A hint only: the outcome is the execution's to find out.
    expect(await windowOf(table(), session)).toEqual({
      ...window,
      taskToken,
      seq: 1,
      signalIds: new Set([expect.any(String)]),
    });
  });

  it.each(others)('is ignored where no window is open: %s', async (status) => {
    const [unknown, ended] = [newSession(), newSession()];
    const { report, dependencies, log } = prepare();
    const window = await givenClosedWindow(table(), ended, {
      disconnectedAtMs: DISCONNECTED_AT_MS - 60_000,
      outcome: 'RECONNECTED',
      outcomeAtMs: DISCONNECTED_AT_MS - 30_000,
      eventBridge: dependencies.eventBridge,
    });
    eventBridge.resetHistory();

    expect(await report({ session: unknown, status })).toEqual({ result: 'NO_WINDOW' });
    expect(log.lines).toEqual([{ event: 'EventWithoutWindowIgnored', fields: { ...unknown, status } }]);
    expect(await report({ session: ended, status })).toEqual({ result: 'NO_WINDOW' });

    nothingHappened();
    expect(await windowOf(table(), ended)).toEqual(window);
    expect((await allItems(table())).some(({ pk }) => String(pk).endsWith(unknown.streamSessionId))).toBe(
      false,
    );
  });

  it('that overtakes the disconnect is lost, and the disconnect still opens the window', async () => {
    const session = newSession();
    const { report } = prepare();

    expect(await report({ session, status: 'CONNECTED', atMs: DISCONNECTED_AT_MS + 1000 })).toEqual({
      result: 'NO_WINDOW',
    });
    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });
  });

  it('fails in a way that is retried when the send fails, and the repeat sends it', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    const { send } = prepare();
    const event = statusChangeEvent({ session, atMs: DISCONNECTED_AT_MS, status: 'CONNECTED' });
    stepFunctions.on(SendTaskSuccessCommand).rejectsOnce(new Error('socket hang up')).resolves({});

    await expect(send(event)).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
    await send(event);

    expect(signals().map(({ state }) => state)).toMatchObject([{ seq: 1 }, { seq: 1 }]);
  });
});

describe('a disconnect of a session that was reconnected', () => {
  const OUTCOME_AT_MS = DISCONNECTED_AT_MS - 30_000;
  const FIRST_DISCONNECT_MS = OUTCOME_AT_MS - 20_000;

  async function reconnected() {
    const session = newSession();
    const prepared = prepare();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: FIRST_DISCONNECT_MS,
      connectionTimeoutSeconds: 45,
      outcome: 'RECONNECTED',
      outcomeAtMs: OUTCOME_AT_MS,
      eventBridge: prepared.dependencies.eventBridge,
    });
    eventBridge.resetHistory();
    return { session, ...prepared };
  }

  it.each([-2000, 0, 2000])(
    'is stale when another feed means the same one, %i ms apart',
    async (offsetMs) => {
      const { session, report, log } = await reconnected();

      expect(await report({ session, atMs: FIRST_DISCONNECT_MS + offsetMs })).toEqual({ result: 'STALE' });

      nothingHappened();
      expect(log.lines).toEqual([
        {
          event: 'StaleEventIgnored',
          fields: {
            ...session,
            executionName: `${session.streamSessionId}-1`,
            status: 'PENDING_CLIENT_RECONNECTION',
          },
        },
      ]);
      expect(gameLiftStreams.calls()).toHaveLength(0);
      expect(await windowOf(table(), session)).toMatchObject({ generation: 1, outcome: 'RECONNECTED' });
    },
  );

  it("opens the second window when clearly later, with the first's timeout", async () => {
    const { session, report } = await reconnected();

    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });

    expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-2` }]);
    expect(JSON.parse(starts()[0]?.input ?? '')).toMatchObject({
      generation: 2,
      disconnectedAtMs: DISCONNECTED_AT_MS,
      deadlineMs: DISCONNECTED_AT_MS + 45_000,
    });
    expect(gameLiftStreams.calls()).toHaveLength(0);
  });

  // ACTIVE: its player asked at once and had an answer before the feed's report came. Taken for stale, the second
  // disconnect had no outcome.
  it.each(['PENDING_CLIENT_RECONNECTION', 'RECONNECTING', 'ACTIVE'] as const)(
    'opens the second window when it is in between and the service says %s',
    async (Status) => {
      const { session, report } = await reconnected();
      gameLiftStreams.on(GetStreamSessionCommand).resolves({ Status });

      expect(await report({ session, atMs: OUTCOME_AT_MS - 1000 })).toEqual({ result: 'WINDOW_OPENED' });

      expect(gameLiftStreams.commandCalls(GetStreamSessionCommand)[0]?.args[0].input).toEqual({
        Identifier: session.streamGroupId,
        StreamSessionIdentifier: session.streamSessionId,
      });
      expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-2` }]);
    },
  );

  it.each(['CONNECTED', 'TERMINATED', 'TERMINATING'] as const)(
    'is stale when it is in between and the service says %s',
    async (Status) => {
      const { session, report } = await reconnected();
      gameLiftStreams.on(GetStreamSessionCommand).resolves({ Status });

      expect(await report({ session, atMs: OUTCOME_AT_MS - 1000 })).toEqual({ result: 'STALE' });

      nothingHappened();
    },
  );

  it('is asked about, however short the reconnection was before it', async () => {
    const session = newSession();
    const { report, dependencies } = prepare();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS - 1001,
      outcome: 'RECONNECTED',
      outcomeAtMs: DISCONNECTED_AT_MS - 1000,
      eventBridge: dependencies.eventBridge,
    });
    gameLiftStreams.on(GetStreamSessionCommand).resolves({ Status: 'PENDING_CLIENT_RECONNECTION' });

    expect(await report({ session })).toEqual({ result: 'WINDOW_OPENED' });
  });

  it('is tried again later when the service cannot say', async () => {
    const { session, report } = await reconnected();
    gameLiftStreams.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());

    await expect(report({ session, atMs: OUTCOME_AT_MS - 1000 })).rejects.toMatchObject({
      name: 'InternalServerException',
    });

    nothingHappened();
  });
});

describe('a disconnect of a session whose window', () => {
  it.each(['TERMINATED', 'ERRORED'] as const)('ended as %s is stale, whenever it was', async (outcome) => {
    const session = newSession();
    const { report, dependencies } = prepare();
    await givenClosedWindow(table(), session, {
      disconnectedAtMs: DISCONNECTED_AT_MS - 60_000,
      outcome,
      outcomeAtMs: DISCONNECTED_AT_MS - 30_000,
      eventBridge: dependencies.eventBridge,
    });
    eventBridge.resetHistory();

    for (const atMs of [DISCONNECTED_AT_MS - 60_000, DISCONNECTED_AT_MS - 40_000, DISCONNECTED_AT_MS]) {
      expect(await report({ session, atMs })).toEqual({ result: 'STALE' });
    }

    nothingHappened();
    expect(gameLiftStreams.calls()).toHaveLength(0);
  });

  it('failed gets the next window, for it has no outcome yet', async () => {
    const session = newSession();
    await givenFailedWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    expect(await prepare().report({ session })).toEqual({ result: 'WINDOW_OPENED' });

    expect(starts()).toMatchObject([{ name: `${session.streamSessionId}-2` }]);
  });
});
