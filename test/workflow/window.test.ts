import { describe, expect, it } from 'vitest';
import { openWindow } from '../../functions/shared/window/open-window.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

describe('a disconnect', () => {
  it('whose player comes back through throttling and a conflict is recorded as RECONNECTED', async () => {
    const { clock, control, report, reconnect, outcomes, executions, window, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    const { streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await report(session);
    const operation = 'CreateStreamSessionConnection';
    await control.injectFault({ kind: 'throttling', operation, streamSessionId });
    await control.injectFault({ kind: 'conflict', operation, streamSessionId });

    const answer = await reconnect(session);
    await control.clientConnects(streamSessionId, answer);
    await clock.advance(3 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'RECONNECTED', generation: 1, statusReason: null, connectionAttempts: 3 },
    ]);
    expect(await executions()).toMatchObject([{ name: `${streamSessionId}-1`, status: 'SUCCEEDED' }]);
    expect((await window(session)).body).toMatchObject({ phase: 'CLOSED', outcome: 'RECONNECTED' });
  });

  it('that nobody comes back from is recorded as TERMINATED, when the service has said so', async () => {
    const { clock, control, report, outcomes, window, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 10 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    const droppedAtMs = clock.nowMs();

    await clock.advance(11 * SECOND);
    expect(await outcomes(session)).toEqual([]);
    expect((await window(session)).body).toMatchObject({
      phase: 'AWAITING_RECONNECTION',
      remainingSeconds: 0,
    });
    await clock.advance(SECOND);

    const [outcome] = await outcomes(session);
    expect(outcome).toMatchObject({
      outcome: 'TERMINATED',
      statusReason: 'reconnectionTimeout',
      disconnectedAt: new Date(droppedAtMs).toISOString(),
      outcomeAt: new Date(droppedAtMs + 10 * SECOND).toISOString(),
      connectionAttempts: 0,
    });
    // At once, for the evidence that the service waits, and at the end.
    expect((await control.counters()).GetStreamSession?.calls).toBe(2);
  });

  it('whose first answer fails is saved by a second offer, in one window', async () => {
    const { clock, control, report, reconnect, outcomes, executions, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    const first = await reconnect(session);
    await clock.advance(5 * SECOND);

    const second = await reconnect(session);
    await control.clientConnects(session.streamSessionId, second);
    await clock.advance(5 * SECOND);

    expect(second).not.toBe(first);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', connectionAttempts: 2 }]);
    expect(await executions()).toHaveLength(1);
  });

  it('whose client never uses the answer is recorded as TERMINATED after the second window', async () => {
    const { clock, control, report, reconnect, outcomes, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 20 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await clock.advance(10 * SECOND);
    await reconnect(session);

    await clock.advance(19 * SECOND);
    expect(await outcomes(session)).toEqual([]);
    await clock.advance(5 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'connectionTimeout' },
    ]);
  });

  it('after a reconnection that the window has not seen yet keeps the window open, until a new deadline', async () => {
    const { clock, control, report, reconnect, outcomes, executions, window, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    const { streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await report(session);
    const answer = await reconnect(session);
    await control.clientConnects(streamSessionId, answer);
    await clock.advance(SECOND);
    await control.clientDrops(streamSessionId);
    const againMs = clock.nowMs();

    await clock.advance(2 * SECOND);

    const { body } = await window(session);
    expect(body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 1 });
    expect(Date.parse(String(body['deadline']))).toBe(againMs + 60 * SECOND);
    await clock.advance(62 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 1 }]);
    expect(await executions()).toHaveLength(1);
  });

  it('after a recorded reconnection opens the next window', async () => {
    const { clock, control, report, reconnect, outcomes, executions, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 10 });
    const { streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await report(session);
    await control.clientConnects(streamSessionId, await reconnect(session));
    await clock.advance(60 * SECOND);

    await control.clientDrops(streamSessionId);
    await report(session);
    await clock.advance(12 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'RECONNECTED', generation: 1 },
      { outcome: 'TERMINATED', generation: 2 },
    ]);
    expect((await executions()).map(({ name }) => name)).toEqual([
      `${streamSessionId}-2`,
      `${streamSessionId}-1`,
    ]);
  });

  it('is cut short by the end of the session itself', async () => {
    const { clock, control, report, outcomes, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 60, sessionLengthSeconds: 30 });
    await control.clientDrops(session.streamSessionId);
    const sessionEndsAt = new Date(clock.nowMs() + 30 * SECOND).toISOString();
    await report(session, { sessionEndsAt });

    await clock.advance(32 * SECOND);

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'maxSessionLengthTimeout' },
    ]);
  });

  it('of a session that ends in ERROR is recorded as ERRORED', async () => {
    const { clock, control, report, outcomes, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await control.sessionFails(session.streamSessionId);

    await report(session, { status: 'ERROR', statusReason: 'internalError' });
    await clock.advance(0);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'ERRORED', statusReason: 'internalError' }]);
  });
});

describe('a session that the service keeps past its window', () => {
  const environment = { TERMINATE_ABANDONED_SESSIONS: 'true' };
  const keptLonger = { connectionTimeoutSeconds: 10, settings: { overstayMs: 600 * SECOND } };

  it('is ended by the window, where that is switched on', async () => {
    const { clock, control, report, outcomes, ...run } = await startWorkflow({ environment });
    const session = await run.session(keptLonger);
    await control.clientDrops(session.streamSessionId);
    await report(session);

    await clock.advance(15 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', statusReason: 'apiTerminated' }]);
  });

  it('is left to its player, who is back before the window can end it', async () => {
    const { clock, control, report, reconnect, outcomes, ...run } = await startWorkflow({ environment });
    const session = await run.session(keptLonger);
    const { streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await report(session);
    await control.injectFault({ kind: 'throttling', operation: 'TerminateStreamSession', calls: 2 });
    await clock.advance(15 * SECOND);

    await control.clientConnects(streamSessionId, await reconnect(session));
    await clock.advance(120 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED' }]);
    expect((await control.counters()).TerminateStreamSession).toMatchObject({ calls: 2, accepted: 0 });
  });
});

describe('events that come wrong', () => {
  it('twice, ten times or at once open one window and record one outcome', async () => {
    const { clock, control, report, outcomes, executions, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 10 });
    await control.clientDrops(session.streamSessionId);
    const statusChangedAt = new Date(clock.nowMs()).toISOString();

    await Promise.all(Array.from({ length: 10 }, () => report(session, { statusChangedAt })));
    await clock.advance(5 * SECOND);
    await report(session, { statusChangedAt });
    await clock.advance(10 * SECOND);
    await report(session, { statusChangedAt });
    await clock.advance(60 * SECOND);

    expect(await executions()).toHaveLength(1);
    expect(await outcomes(session)).toHaveLength(1);
    // At once, for the evidence that the service waits, and at the end.
    expect((await control.counters()).GetStreamSession?.calls).toBe(2);
  });

  it('CONNECTED before the disconnect that it followed, leave a window that ends as RECONNECTED', async () => {
    const { clock, control, report, reconnect, outcomes, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 30 });
    await control.clientDrops(session.streamSessionId);
    const droppedAt = new Date(clock.nowMs()).toISOString();
    await control.clientConnects(session.streamSessionId, await reconnect(session));

    await report(session, { status: 'CONNECTED' });
    await report(session, { statusChangedAt: droppedAt });
    await clock.advance(40 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED' }]);
  });

  it('of an earlier status cost one look and change nothing', async () => {
    const { clock, control, report, outcomes, window, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 30 });
    await control.clientDrops(session.streamSessionId);
    await report(session);

    await report(session, {
      status: 'CONNECTED',
      statusChangedAt: new Date(clock.nowMs() - SECOND).toISOString(),
    });

    expect(await outcomes(session)).toEqual([]);
    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 1 });
  });

  it('after the process died between opening the window and starting its execution, start it', async () => {
    const { clock, control, report, outcomes, executions, table, ...run } = await startWorkflow();
    const { connectionTimeoutSeconds, ...session } = await run.session({ connectionTimeoutSeconds: 10 });
    await control.clientDrops(session.streamSessionId);
    const { streamGroupId, streamSessionId } = session;
    await openWindow(
      table,
      { streamGroupId, streamSessionId },
      { disconnectedAtMs: clock.nowMs(), connectionTimeoutSeconds, sessionEndsAtMs: undefined },
      {
        DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
        WINDOW_MARGIN_SECONDS: 2,
        TERMINATE_ABANDONED_SESSIONS: false,
      },
      async () => true,
    );
    expect(await executions()).toEqual([]);

    await report({ ...session, connectionTimeoutSeconds });
    await clock.advance(12 * SECOND);

    expect(await executions()).toMatchObject([{ name: `${streamSessionId}-1`, status: 'SUCCEEDED' }]);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED' }]);
  });

  it('of one session in two stream groups, of which one is wrong, leave the right one its window', async () => {
    const { clock, control, executions, outcomes, report, ...run } = await startWorkflow();
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);

    await report({ ...session, streamGroupId: 'sg-another' });
    await report(session);

    expect((await executions()).map(({ name }) => name)).toEqual([
      `${session.streamSessionId}-2`,
      `${session.streamSessionId}-1`,
    ]);
    await clock.advance(63 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', streamGroupId: 'sg-local0001' }]);
  });

  it('of no known form are kept as their allow-listed fields and the reason, and nothing else happens', async () => {
    const { control, publish, executions, items, events, ...run } = await startWorkflow();
    const { streamGroupId, streamSessionId } = await run.session();
    await control.clientDrops(streamSessionId);

    await publish({
      version: '1',
      streamGroupId,
      streamSessionId,
      status: 'PENDING',
      statusChangedAt: 'now',
      signalRequest: 'a-secret-offer',
    });

    expect(await executions()).toEqual([]);
    expect(await items()).toEqual([]);
    const rejected = (await events()).filter(({ detailType }) => detailType.endsWith('Rejected'));
    expect(rejected).toMatchObject([
      {
        detail: {
          fields: { streamGroupId, streamSessionId },
          reasons: [
            expect.stringContaining('detail.status'),
            expect.stringContaining('detail.statusChangedAt'),
          ],
        },
        rules: [expect.stringContaining('RejectedEvents')],
      },
    ]);
    expect(JSON.stringify(rejected)).not.toContain('a-secret-offer');
  });

  it('of a session that the service does not know end red, with the window closed', async () => {
    const { clock, report, executions, window, ...run } = await startWorkflow();
    const session = { ...(await run.session()), streamSessionId: 'nobody', connectionTimeoutSeconds: 10 };

    await report(session);
    await clock.advance(23 * SECOND);

    expect(await executions()).toMatchObject([{ name: 'nobody-1', status: 'FAILED' }]);
    expect((await window(session)).body).toMatchObject({ phase: 'FAILED' });
  });
});
