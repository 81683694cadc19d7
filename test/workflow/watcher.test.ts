import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { DependencyUnavailableException } from '../../functions/shared/runtime/errors.ts';
import { correctDeadline } from '../../functions/shared/window/correct-deadline.ts';
import { openWindow } from '../../functions/shared/window/open-window.ts';
import { memoryLog } from '../helpers/log.ts';
import { WINDOW_SETTINGS, windowOf } from '../helpers/windows.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The service with its watcher, in this process, after the watcher's first look. */
async function startWatched(options: Parameters<typeof startWorkflow>[0] = {}) {
  const run = await startWorkflow({ watching: true, ...options });
  await run.clock.advance(SECOND);
  return {
    ...run,
    /** Status-change events for a session, whoever sent them. */
    reports: async ({ streamSessionId }: { streamSessionId: string }) =>
      (await run.events()).filter(
        ({ detailType, detail }) =>
          detailType === 'Stream Session Status Change' && detail['streamSessionId'] === streamSessionId,
      ),
    lists: async () => (await run.control.counters()).ListStreamSessions?.calls ?? 0,
    reads: async () => (await run.control.counters()).GetStreamSession?.calls ?? 0,
  };
}

describe('a disconnect that nobody reports', () => {
  it('is found at the next look, reported once, and counted from when the service says', async () => {
    const { clock, control, reports, window, executions, reads, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    const droppedAtMs = clock.nowMs();

    await clock.advance(5 * SECOND);

    expect(await reports(session)).toMatchObject([
      {
        detail: {
          status: 'PENDING_CLIENT_RECONNECTION',
          statusChangedAt: new Date(droppedAtMs).toISOString(),
        },
      },
    ]);
    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 1 });
    await clock.advance(30 * SECOND);
    expect(await reports(session)).toHaveLength(1);
    expect(await executions()).toHaveLength(1);
    // For its timeout, which no list tells.
    expect(await reads()).toBe(1);
  });

  it('has the deadline of its own timeout within seconds, while reads are to spare', async () => {
    const { clock, control, window, reads, outcomes, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    const droppedAtMs = clock.nowMs();

    await clock.advance(10 * SECOND);

    expect((await window(session)).body).toMatchObject({
      deadline: new Date(droppedAtMs + MINUTE).toISOString(),
    });
    expect(await reads()).toBe(1);
    await clock.advance(60 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED' }]);
  });

  it('in the second of the reconnection before it is found, where times are whole seconds', async () => {
    const { clock, control, reconnect, outcomes, window, ...run } = await startWatched();
    await control.changeSettings({ timestampUnit: 'second' });
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    const { streamSessionId } = session;
    await clock.advance(SECOND - (clock.nowMs() % SECOND) + 100);
    await control.clientDrops(streamSessionId);
    await run.report(session);
    await control.clientConnects(streamSessionId, await reconnect(session));
    await run.report(session, { status: 'CONNECTED' });
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', generation: 1 }]);
    const secondOfReturn = Math.floor(clock.nowMs() / SECOND);

    await control.clientDrops(streamSessionId);
    expect(Math.floor(clock.nowMs() / SECOND)).toBe(secondOfReturn);
    await clock.advance(10 * SECOND);

    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 2 });
  });

  it('is looked at seldom where a list tells a later time than a read', async () => {
    const { clock, control, reads, executions, ...run } = await startWatched();
    await control.changeSettings({ listedLaterMs: 4 * SECOND });
    const session = await run.session({ connectionTimeoutSeconds: 600 });
    await control.clientDrops(session.streamSessionId);
    await run.report(session, { connectionTimeoutSeconds: 600 });

    await clock.advance(5 * MINUTE);

    expect(await executions()).toHaveLength(1);
    expect(await reads()).toBeLessThanOrEqual(8);
  });

  it('ends as RECONNECTED when the player comes back through the API', async () => {
    const { clock, control, reconnect, outcomes, reads, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await clock.advance(5 * SECOND);

    await control.clientConnects(session.streamSessionId, await reconnect(session));
    await clock.advance(5 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', connectionAttempts: 1 }]);
    expect(await reads()).toBe(1);
  });

  it('whose timeout nobody has told is recorded as TERMINATED within a look of its end', async () => {
    const { clock, control, outcomes, ...run } = await startWatched();
    // The default is 120 s; the list tells no timeout.
    const session = await run.session({ connectionTimeoutSeconds: 20 });
    await control.clientDrops(session.streamSessionId);
    const droppedAtMs = clock.nowMs();

    await clock.advance(26 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      {
        outcome: 'TERMINATED',
        statusReason: 'reconnectionTimeout',
        outcomeAt: new Date(droppedAtMs + 20 * SECOND).toISOString(),
      },
    ]);
  });

  it('after an earlier one of the same session is a new window', async () => {
    const { clock, control, reconnect, outcomes, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 10 });
    const { streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await clock.advance(5 * SECOND);
    await control.clientConnects(streamSessionId, await reconnect(session));
    await clock.advance(MINUTE);

    await control.clientDrops(streamSessionId);
    await clock.advance(20 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'RECONNECTED', generation: 1 },
      { outcome: 'TERMINATED', generation: 2 },
    ]);
  });

  it('a second after the reconnection of the one before is a new window, too', async () => {
    const { clock, control, reconnect, outcomes, window, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    const { streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await run.report(session);
    await control.clientConnects(streamSessionId, await reconnect(session));
    await run.report(session, { status: 'CONNECTED' });
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', generation: 1 }]);
    await clock.advance(SECOND);

    await control.clientDrops(streamSessionId);
    await clock.advance(6 * SECOND);

    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 2 });
  });
});

describe('two feeds', () => {
  it.each([-2000, 2000])('whose clocks differ by %i ms report one disconnect, one window', async (skewMs) => {
    const { clock, control, executions, report, reads, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await clock.advance(10 * SECOND);
    await control.clientDrops(session.streamSessionId);
    const statusChangedAt = new Date(clock.nowMs() + skewMs).toISOString();

    await report(session, { statusChangedAt });
    await clock.advance(30 * SECOND);
    await report(session, { statusChangedAt });
    await clock.advance(10 * SECOND);

    expect(await executions()).toHaveLength(1);
    expect(await reads()).toBe(1);
  });
});

describe('a backend that reports after the watcher', () => {
  it.each([-2000, 0, 2000])(
    'gives the window its timeout (clock %i ms off), without a look',
    async (skewMs) => {
      const { clock, control, report, window, reads, outcomes, executions, ...run } = await startWatched();
      const session = await run.session({ connectionTimeoutSeconds: 30 });
      await control.clientDrops(session.streamSessionId);
      const droppedAtMs = clock.nowMs();
      await clock.advance(6 * SECOND);
      const before = (await window(session)).body['deadline'];

      await report(session, { statusChangedAt: new Date(droppedAtMs + skewMs).toISOString() });
      await report(session, { statusChangedAt: new Date(droppedAtMs + skewMs).toISOString() });

      expect(before).toBe(new Date(droppedAtMs + 120 * SECOND).toISOString());
      expect((await window(session)).body).toMatchObject({
        generation: 1,
        deadline: new Date(droppedAtMs + 30 * SECOND).toISOString(),
      });
      await clock.advance(20 * SECOND);
      expect(await reads()).toBe(0);
      await clock.advance(10 * SECOND);
      expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 1 }]);
      expect(await reads()).toBe(1);
      expect(await executions()).toHaveLength(1);
    },
  );

  it('is heard though the process died between writing the correction and sending it', async () => {
    const { clock, control, report, table, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 30 });
    await control.clientDrops(session.streamSessionId);
    const droppedAtMs = clock.nowMs();
    await clock.advance(6 * SECOND);
    const window = await windowOf(table, session);
    const deadlineMs = droppedAtMs + 30 * SECOND;
    // Nobody hears a client whose endpoint is not there.
    const stepFunctions = new SFNClient({
      region: 'us-west-2',
      credentials: LOCAL_CREDENTIALS,
      endpoint: 'http://127.0.0.1:9',
      maxAttempts: 1,
    });
    await expect(
      correctDeadline(
        session,
        window,
        { deadlineMs, connectionTimeoutSeconds: 30 },
        { table, stepFunctions, log: memoryLog() },
      ),
    ).rejects.toThrow(DependencyUnavailableException);
    expect(await windowOf(table, session)).toMatchObject({ seq: 1, ackSeq: 0 });

    await report(session, { statusChangedAt: new Date(droppedAtMs).toISOString() });

    expect(await windowOf(table, session)).toMatchObject({ seq: 1, ackSeq: 1, deadlineMs });
  });
});

describe('two watchers at once', () => {
  it('open one window for each disconnect, and record one outcome', async () => {
    const { clock, control, invoke, executions, outcomes, ...run } = await startWatched();
    const sessions = await control.startSessions({ count: 30, connectionTimeoutSeconds: 20 });
    void invoke('watchSessions');
    void invoke('watchSessions');
    await control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));

    await clock.advance(40 * SECOND);

    expect(await executions()).toHaveLength(30);
    for (const session of sessions) {
      expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 1 }]);
    }
    expect((await run.items()).filter(({ openIn }) => openIn !== undefined)).toEqual([]);
  });
});

describe('a watcher that has trouble', () => {
  it('finds all of 250 sessions, page by page, whatever the number of live ones', async () => {
    const { clock, control, lists, reads, executions, ...run } = await startWatched();
    const waiting = await control.startSessions({ count: 250, connectionTimeoutSeconds: 600 });
    await control.startSessions({ count: 2000 });
    await control.clientDrops(waiting.map(({ streamSessionId }) => streamSessionId));
    const before = await lists();

    await clock.advance(5 * SECOND);

    expect((await lists()) - before).toBe(3);
    expect((await run.items()).filter(({ openIn }) => openIn !== undefined)).toHaveLength(250);
    await clock.advance(10 * SECOND);
    expect((await lists()) - before).toBe(9);
    // Only for timeouts that nobody told, and at the pace of low priority.
    expect(await reads()).toBeLessThanOrEqual(15 * 15);
    expect(new Set((await executions()).map(({ name }) => name)).size).toBe((await executions()).length);
  });

  it.each(['internalServer', 'throttling', 'unavailable', 'lostReply'] as const)(
    'repeats the page that failed (%s), and loses nobody on it',
    async (kind) => {
      const { clock, control, ...run } = await startWatched();
      const sessions = await control.startSessions({ count: 150, connectionTimeoutSeconds: 600 });
      await control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));
      await control.injectFault({ kind, operation: 'ListStreamSessions', calls: 2 });

      await clock.advance(10 * SECOND);

      expect((await run.items()).filter(({ openIn }) => openIn !== undefined)).toHaveLength(150);
    },
  );

  it('takes no session for ended while a list fails, and loses none', async () => {
    const { clock, control, outcomes, reads, report, window, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 300 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await control.injectFault({ kind: 'internalServer', operation: 'ListStreamSessions', calls: 40 });

    await clock.advance(30 * SECOND);

    expect(await reads()).toBe(1);
    expect(await outcomes(session)).toEqual([]);
    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION' });
    await control.clearFaults();
    await control.applicationExits(session.streamSessionId);
    await clock.advance(10 * SECOND);
    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'applicationExit' },
    ]);
  });

  it('that dies half way leaves nothing that the next one does not find', async () => {
    let deaths = 0;
    const { clock, control, executions, ...run } = await startWatched({
      before: (functionKey) => {
        // The events are on the bus, and whoever they go to dies as well, twice.
        if (functionKey === 'onStatusChange' && deaths++ < 40) throw new Error('died');
      },
    });
    const sessions = await control.startSessions({ count: 20, connectionTimeoutSeconds: 600 });
    await control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));

    await clock.advance(6 * MINUTE);

    expect(deaths).toBeGreaterThan(40);
    expect((await run.items()).filter(({ openIn }) => openIn !== undefined)).toHaveLength(20);
    expect(await executions()).toHaveLength(20);
  });
});

describe('a session that moves without our API', () => {
  it('is noticed when another caller brings its player back', async () => {
    const { clock, control, outcomes, report, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 300 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await clock.advance(10 * SECOND);

    await run.reconnectDirectly(session);
    await control.clientConnects(session.streamSessionId);
    await clock.advance(6 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', connectionAttempts: 0 }]);
  });

  it('has its window wait for the client when another caller has only made the connection', async () => {
    const { clock, control, window, report, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 300 });
    await control.clientDrops(session.streamSessionId);
    await report(session);

    await run.reconnectDirectly(session);
    await clock.advance(11 * SECOND);

    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_CLIENT' });
  });

  it.each([
    ['applicationExits', 'TERMINATED', 'applicationExit'],
    ['sessionFails', 'ERRORED', 'internalError'],
  ] as const)('is noticed when it ends: %s', async (how, outcome, statusReason) => {
    const { clock, control, outcomes, report, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 300 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await clock.advance(10 * SECOND);

    await control[how](session.streamSessionId);
    await clock.advance(6 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome, statusReason }]);
  });

  it('drops again before its window has seen it back: the window gets the new deadline', async () => {
    const { clock, control, window, report, reads, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 300 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await clock.advance(60 * SECOND);
    await run.reconnectDirectly(session);
    await control.clientConnects(session.streamSessionId);
    await control.clientDrops(session.streamSessionId);
    const againMs = clock.nowMs();

    await clock.advance(30 * SECOND);

    const { body } = await window(session);
    expect(body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 1 });
    expect(Date.parse(String(body['deadline']))).toBe(againMs + 300 * SECOND);
    expect(await reads()).toBe(2);
  });
});

describe('a disconnect that a feed reports before the service has noticed it', () => {
  it('is not taken for a reconnection, and keeps its one window', async () => {
    const { clock, control, outcomes, report, window, reads, executions, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 120 });
    await clock.advance(MINUTE);
    await report(session);
    await clock.advance(14 * SECOND);
    expect(await outcomes(session)).toEqual([]);

    await control.clientDrops(session.streamSessionId);
    await clock.advance(20 * SECOND);

    expect(await outcomes(session)).toEqual([]);
    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 1 });
    expect(await reads()).toBeLessThanOrEqual(4);
    await control.clientConnects(session.streamSessionId, await run.reconnect(session));
    await clock.advance(10 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', connectionAttempts: 1 }]);
    expect(await executions()).toHaveLength(1);
  });

  it('but that heals without the service noticing ends as NOT_DISCONNECTED, after a minute', async () => {
    const { clock, outcomes, report, reads, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 120 });
    await clock.advance(MINUTE);
    await report(session);

    await clock.advance(62 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'NOT_DISCONNECTED' }]);
    // At doubling distances, not at every look: 24 looks fit into the window.
    expect(await reads()).toBeLessThanOrEqual(7);
  });
});

describe('a window that has lost its execution', () => {
  /** Events of executions are sent on a best-effort basis: these are lost. */
  const unheard = {
    before: (functionKey: string) => {
      if (functionKey === 'onExecutionFailure') throw new Error('lost');
    },
  };

  it('because nobody started it is started', async () => {
    const { clock, control, table, executions, outcomes, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    const { streamGroupId, streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await openWindow(
      table,
      { streamGroupId, streamSessionId },
      { disconnectedAtMs: clock.nowMs(), connectionTimeoutSeconds: 60, sessionEndsAtMs: undefined },
      WINDOW_SETTINGS,
      async () => true,
    );
    expect(await executions()).toEqual([]);

    await clock.advance(16 * SECOND);

    expect(await executions()).toMatchObject([{ name: `${streamSessionId}-1`, status: 'RUNNING' }]);
    await clock.advance(60 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 1 }]);
  });

  it('because a feed that named the wrong stream group has taken its name gets the next one', async () => {
    const { clock, control, executions, outcomes, report, ...run } = await startWatched();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await report({ ...session, streamGroupId: 'sg-another' });

    await report(session);
    await clock.advance(16 * SECOND);

    expect((await executions()).map(({ name }) => name)).toEqual([
      `${session.streamSessionId}-2`,
      `${session.streamSessionId}-1`,
    ]);
    await clock.advance(60 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', streamGroupId: 'sg-local0001' }]);
  });

  it('because somebody stopped it is replaced, and the disconnect gets its outcome', async () => {
    const { clock, control, executions, outcomes, report, stepFunctions, ...run } =
      await startWatched(unheard);
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    const [execution] = await executions();
    await stepFunctions.send(new StopExecutionCommand({ executionArn: execution?.executionArn }));

    await control.applicationExits(session.streamSessionId);
    await clock.advance(20 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', generation: 2, statusReason: 'applicationExit' },
    ]);
    expect((await executions()).map(({ status }) => status)).toEqual(['SUCCEEDED', 'ABORTED']);
  });

  it('while its player was coming back goes on where it was', async () => {
    const { clock, control, executions, outcomes, report, stepFunctions, ...run } =
      await startWatched(unheard);
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    const answer = await run.reconnect(session);
    const [execution] = await executions();
    await stepFunctions.send(new StopExecutionCommand({ executionArn: execution?.executionArn }));

    await control.clientConnects(session.streamSessionId, answer);
    await clock.advance(20 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'RECONNECTED', generation: 2, connectionAttempts: 1 },
    ]);
  });

  it('four times in a row is closed red, and tried again at growing distances while the session waits', async () => {
    let stopAll = async () => {};
    const { clock, control, executions, window, report, stepFunctions, ...run } = await startWatched({
      before: (functionKey) => (functionKey === 'checkSession' ? stopAll() : undefined),
    });
    stopAll = async () => {
      for (const { executionArn, status } of await executions()) {
        if (status === 'RUNNING') await stepFunctions.send(new StopExecutionCommand({ executionArn }));
      }
    };
    const session = await run.session({ connectionTimeoutSeconds: 3600 });
    await control.clientDrops(session.streamSessionId);
    await report(session, { connectionTimeoutSeconds: 1 });

    await clock.advance(8 * MINUTE);

    expect(await executions()).toHaveLength(4);
    expect((await window(session)).body).toMatchObject({ phase: 'FAILED', generation: 4 });
    await clock.advance(MINUTE);
    expect(await executions()).toHaveLength(5);
    await clock.advance(10 * MINUTE);
    expect(await executions()).toHaveLength(5);
  });
});
