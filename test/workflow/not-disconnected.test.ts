import { describe, expect, it } from 'vitest';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe('a report of a session that is and stays connected', () => {
  it.each([10, 120, 3600])(
    'ends as NOT_DISCONNECTED a minute later, with a timeout of %i s',
    async (connectionTimeoutSeconds) => {
      const { clock, report, outcomes, window, ...run } = await startWorkflow();
      const session = await run.session({ connectionTimeoutSeconds });
      await clock.advance(5 * MINUTE);
      await report(session);

      await clock.advance(59 * SECOND);
      const early = await outcomes(session);
      await clock.advance(3 * SECOND);

      expect(early).toEqual([]);
      const [outcome] = await outcomes(session);
      expect(outcome).toMatchObject({ outcome: 'NOT_DISCONNECTED', statusReason: null });
      expect(outcome?.outcomeAt).toBe(outcome?.disconnectedAt);
      expect((await window(session)).body).toMatchObject({ phase: 'CLOSED', outcome: 'NOT_DISCONNECTED' });
    },
  );

  it('ends as NOT_DISCONNECTED when the application exits', async () => {
    const { clock, control, report, outcomes, window, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 10 });
    await clock.advance(5 * MINUTE);
    await report(session);
    await clock.advance(5 * SECOND);
    await control.applicationExits(session.streamSessionId);

    await clock.advance(MINUTE);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'NOT_DISCONNECTED', statusReason: 'applicationExit' },
    ]);
    expect((await window(session)).body).toMatchObject({ outcome: 'NOT_DISCONNECTED' });
  });

  it.each([1, 60, 600])(
    'ends as NOT_DISCONNECTED when its time is %i s before the session',
    async (beforeSeconds) => {
      const { clock, report, outcomes, ...run } = await startWorkflow();
      await clock.advance(20 * MINUTE);
      const session = await run.session();
      const createdAtMs = clock.nowMs();
      await clock.advance(2 * MINUTE);

      await report(session, {
        statusChangedAt: new Date(createdAtMs - beforeSeconds * SECOND).toISOString(),
      });
      await clock.advance(5 * MINUTE);

      expect(await outcomes(session)).toMatchObject([{ outcome: 'NOT_DISCONNECTED' }]);
    },
  );

  it('has one window, however late and often the report is repeated', async () => {
    const { clock, report, outcomes, executions, ...run } = await startWorkflow({ watching: true });
    const session = await run.session();
    await clock.advance(5 * MINUTE);
    const statusChangedAt = new Date(clock.nowMs()).toISOString();
    for (const waitMs of [0, 30 * SECOND, MINUTE, 5 * MINUTE]) {
      await clock.advance(waitMs);
      await report(session, { statusChangedAt });
    }

    await clock.advance(2 * MINUTE);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'NOT_DISCONNECTED', generation: 1 }]);
    expect(await executions()).toHaveLength(1);
  });
});

describe('a loss that the service notices late', () => {
  it('has its one right outcome, though its window is shorter than that', async () => {
    const { clock, control, report, outcomes, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 10 });
    await clock.advance(5 * MINUTE);
    await control.clientDrops(session.streamSessionId, 20 * SECOND);
    await report(session);

    await clock.advance(5 * MINUTE);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'reconnectionTimeout', generation: 1 },
    ]);
  });

  it.each([2.5, 20])(
    'has its outcome when it comes while the window of a report before it is open, after %d s',
    async (noticeSeconds) => {
      const { clock, control, report, outcomes, ...run } = await startWorkflow();
      const session = await run.session({ connectionTimeoutSeconds: 10 });
      // Too soon after CONNECTED to tell which was first.
      await clock.advance(SECOND);
      await report(session);
      await clock.advance(2.6 * SECOND);
      await control.clientDrops(session.streamSessionId, noticeSeconds * SECOND);
      await report(session);

      await clock.advance(5 * MINUTE);

      expect(await outcomes(session)).toMatchObject([
        { outcome: 'TERMINATED', statusReason: 'reconnectionTimeout', generation: 1 },
      ]);
    },
  );

  it('leaves the first its RECONNECTED, a minute later, when the second report is not true', async () => {
    const { clock, control, report, outcomes, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 3600 });
    await clock.advance(5 * MINUTE);
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await clock.advance(5 * SECOND);
    await run.reconnectDirectly(session);
    await control.clientConnects(session.streamSessionId);
    const backAt = new Date(clock.nowMs()).toISOString();
    await clock.advance(10 * SECOND);
    await report(session);

    await clock.advance(59 * SECOND);
    const early = await outcomes(session);
    await clock.advance(3 * SECOND);

    expect(early).toEqual([]);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', outcomeAt: backAt }]);
  });

  it.each([
    ['the first window has closed', 40, 3],
    ['the first window is open', 40, 0],
    ['it ends before its window looks', 10, 3],
  ])(
    'has its outcome a second after its player came back, without a watcher: %s',
    async (_, connectionTimeoutSeconds, closesWithinSeconds) => {
      const { clock, control, report, outcomes, reconnect, ...run } = await startWorkflow();
      const session = await run.session({ connectionTimeoutSeconds });
      await clock.advance(5 * MINUTE);
      await control.clientDrops(session.streamSessionId);
      await report(session);
      await clock.advance(5 * SECOND);
      await reconnect(session);
      await control.clientConnects(session.streamSessionId);
      const lostAt = new Date(clock.nowMs() + SECOND).toISOString();
      await clock.advance(SECOND);
      await control.clientDrops(session.streamSessionId, 8 * SECOND);
      await clock.advance(closesWithinSeconds * SECOND);
      await report(session, { statusChangedAt: lostAt });

      await clock.advance(5 * MINUTE);

      expect((await outcomes(session)).at(-1)).toMatchObject({
        outcome: 'TERMINATED',
        statusReason: 'reconnectionTimeout',
      });
    },
  );

  it('has its outcome a second after its player came first, without a watcher', async () => {
    const { clock, control, report, outcomes, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 10 });
    await clock.advance(SECOND);
    await control.clientDrops(session.streamSessionId, 20 * SECOND);
    await report(session);

    await clock.advance(5 * MINUTE);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'reconnectionTimeout', generation: 1 },
    ]);
  });

  it('closes as NOT_DISCONNECTED when a loss after the return was none', async () => {
    const { clock, control, report, outcomes, reconnect, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 40 });
    await clock.advance(5 * MINUTE);
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await clock.advance(5 * SECOND);
    await reconnect(session);
    await control.clientConnects(session.streamSessionId);
    const lostAt = new Date(clock.nowMs() + SECOND).toISOString();
    await clock.advance(4 * SECOND);
    await report(session, { statusChangedAt: lostAt });

    await clock.advance(5 * MINUTE);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'RECONNECTED', generation: 1 },
      { outcome: 'NOT_DISCONNECTED', generation: 2 },
    ]);
  });

  it('has a window of its own where the first has closed as NOT_DISCONNECTED', async () => {
    const { clock, control, report, outcomes, ...run } = await startWorkflow({ watching: true });
    const session = await run.session({ connectionTimeoutSeconds: 30 });
    await clock.advance(5 * MINUTE);
    await control.clientDrops(session.streamSessionId, 90 * SECOND);
    await report(session);

    await clock.advance(5 * MINUTE);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'NOT_DISCONNECTED', generation: 1 },
      { outcome: 'TERMINATED', statusReason: 'reconnectionTimeout', generation: 2 },
    ]);
  });
});

describe('a session whose player is away and that somebody else ends', () => {
  it.each([
    ['at once, without a watcher', 0, false, {}],
    ['at once, reported without its timeout', 0, false, { connectionTimeoutSeconds: undefined }],
    [
      'at once, reported without its timeout, with a watcher',
      0,
      true,
      { connectionTimeoutSeconds: undefined },
    ],
    ['after 20 s, with a watcher', 20 * SECOND, true, {}],
  ])('ends as TERMINATED when the backend terminates it %s', async (_, afterMs, watching, reported) => {
    const { clock, control, report, outcomes, terminate, ...run } = await startWorkflow({ watching });
    const session = await run.session({ settings: { terminationMs: 90 * SECOND } });
    await clock.advance(5 * MINUTE);
    await control.clientDrops(session.streamSessionId);
    await report(session, reported);
    await clock.advance(afterMs);
    await terminate(session);
    await report(session, { status: 'TERMINATING' });

    await clock.advance(5 * MINUTE);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', statusReason: 'apiTerminated' }]);
  });

  it('ends as TERMINATED by what the watcher has seen, though no read came before its end', async () => {
    const { clock, control, report, outcomes, terminate, ...run } = await startWorkflow({ watching: true });
    const session = await run.session({ connectionTimeoutSeconds: 600 });
    await clock.advance(5 * MINUTE);
    await control.clientDrops(session.streamSessionId);
    await report(session, { connectionTimeoutSeconds: undefined });
    await clock.advance(12 * SECOND);
    await terminate(session);

    await clock.advance(5 * MINUTE);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED' }]);
  });
});
