import { anOffer } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { startWorkflow, type WorkflowOptions } from '../helpers/workflow.ts';

const SECOND = 1000;

async function dropped(options: WorkflowOptions = {}) {
  const workflow = await startWorkflow(options);
  const session = await workflow.session({ connectionTimeoutSeconds: 60 });
  await workflow.control.clientDrops(session.streamSessionId);
  await workflow.report(session);
  return { ...workflow, session };
}

describe('a player who leaves', () => {
  it('has an open window recorded as LEFT once the service confirms, long before its deadline', async () => {
    const { session, leave, clock, outcomes, window } = await dropped();

    await leave(session);
    await clock.advance(10 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'LEFT' }]);
    expect((await window(session)).body).toMatchObject({ outcome: 'TERMINATED', cause: 'LEFT' });
  });

  it('is LEFT in the window of a report that comes later, though nobody saw the session wait', async () => {
    const workflow = await startWorkflow();
    const { clock, control, outcomes } = workflow;
    const session = await workflow.session({ connectionTimeoutSeconds: 60 });
    await workflow.leave(session);
    await clock.advance(5 * SECOND);

    await workflow.report(session);
    await clock.advance(62 * SECOND);

    expect((await control.session(session.streamSessionId)).status).toBe('TERMINATED');
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'LEFT' }]);
  });

  it('may leave twice', async () => {
    const { session, leave, clock, outcomes } = await dropped();

    await leave(session);
    await leave(session);
    await clock.advance(10 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'LEFT' }]);
  });

  it('who comes back while the service refuses to end the session is RECONNECTED', async () => {
    const { session, leave, clock, control, reconnect, outcomes } = await dropped();
    const { streamSessionId } = session;
    await control.injectFault({ kind: 'throttling', operation: 'TerminateStreamSession', streamSessionId });
    await expect(leave(session)).rejects.toMatchObject({ name: 'ThrottlingException' });

    await control.clientConnects(streamSessionId, await reconnect(session));
    await clock.advance(10 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', cause: 'RECONNECTED' }]);
  });

  it('and is lost after coming back is TIMED_OUT', async () => {
    const { session, leave, clock, control, reconnect, report, outcomes } = await dropped();
    const { streamSessionId } = session;
    await control.injectFault({ kind: 'throttling', operation: 'TerminateStreamSession', streamSessionId });
    await expect(leave(session)).rejects.toMatchObject({ name: 'ThrottlingException' });
    await control.clientConnects(streamSessionId, await reconnect(session));
    await clock.advance(10 * SECOND);

    await control.clientDrops(streamSessionId);
    await report(session);
    await clock.advance(70 * SECOND);

    expect((await outcomes(session)).map(({ cause }) => cause)).toEqual(['RECONNECTED', 'TIMED_OUT']);
  });
});

describe('a page that may be going away', () => {
  const TOKEN = 'token-of-the-page'.padEnd(36, '0');
  const OFFER = anOffer();

  /** The player plays, and their page is closed. */
  async function playing() {
    const run = await dropped();
    const answer = await run.reconnect(run.session, { clientToken: TOKEN, offer: OFFER });
    await run.control.clientConnects(run.session.streamSessionId, answer);
    await run.clock.advance(60 * SECOND);
    return { ...run, outcomesLater: async () => (await run.outcomes(run.session)).slice(1) };
  }

  it('has its session ended when nobody comes back in time, and is LEFT', async () => {
    const { session, control, mayBeLeaving, clock, outcomesLater } = await playing();

    expect(await mayBeLeaving(session, TOKEN, 15)).toBe(204);
    await control.clientDrops(session.streamSessionId);
    await clock.advance(14 * SECOND);
    const early = (await control.session(session.streamSessionId)).status;
    await clock.advance(10 * SECOND);

    expect(early).toBe('PENDING_CLIENT_RECONNECTION');
    expect(await outcomesLater()).toMatchObject([
      { outcome: 'TERMINATED', cause: 'LEFT', dropCause: 'CLOSED', statusReason: 'apiTerminated' },
    ]);
  });

  it('brings the end of an open window forward', async () => {
    const { session, control, mayBeLeaving, clock, outcomesLater, report } = await playing();
    await control.clientDrops(session.streamSessionId);
    await report(session);

    await mayBeLeaving(session, TOKEN, 15);
    await clock.advance(25 * SECOND);

    expect(await outcomesLater()).toMatchObject([{ outcome: 'TERMINATED', cause: 'LEFT' }]);
  });

  it('that was reloaded is back: the request lifts it', async () => {
    const { session, control, mayBeLeaving, reconnect, clock, outcomesLater } = await playing();
    await mayBeLeaving(session, TOKEN, 15);
    await control.clientDrops(session.streamSessionId);
    await clock.advance(3 * SECOND);

    await control.clientConnects(session.streamSessionId, await reconnect(session));
    await clock.advance(60 * SECOND);

    expect(await outcomesLater()).toMatchObject([{ outcome: 'RECONNECTED' }]);
    expect((await control.session(session.streamSessionId)).status).toBe('CONNECTED');
  });

  it('changes nothing when its beacon arrives after the reload has reconnected', async () => {
    const { session, control, mayBeLeaving, reconnect, report, clock, outcomesLater } = await playing();
    await control.clientDrops(session.streamSessionId);
    await report(session);
    await control.clientConnects(session.streamSessionId, await reconnect(session));

    expect(await mayBeLeaving(session, TOKEN, 5)).toBe(204);
    await clock.advance(70 * SECOND);

    expect(await outcomesLater()).toMatchObject([{ outcome: 'RECONNECTED' }]);
    expect((await control.session(session.streamSessionId)).status).toBe('CONNECTED');
  });

  it('that is hidden only keeps its session, whose client never left', async () => {
    const { session, control, mayBeLeaving, clock, outcomesLater } = await playing();

    await mayBeLeaving(session, TOKEN, 5);
    await clock.advance(70 * SECOND);

    expect(await outcomesLater()).toMatchObject([{ outcome: 'NOT_DISCONNECTED' }]);
    expect((await control.session(session.streamSessionId)).status).toBe('CONNECTED');
  });

  it('is back although its offer is the same: a repeat lifts it, too', async () => {
    const { session, control, mayBeLeaving, reconnect, clock } = await playing();
    await control.clientDrops(session.streamSessionId);
    await mayBeLeaving(session, TOKEN, 15);

    await reconnect(session, { clientToken: TOKEN, offer: OFFER }).catch(() => {});
    await clock.advance(25 * SECOND);

    expect((await control.session(session.streamSessionId)).status).not.toBe('TERMINATED');
  });

  async function whileEnding(kind: 'throttling' | 'internalServer') {
    const workflow = await playing();
    const { session, control, mayBeLeaving, clock } = workflow;
    const { streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    await mayBeLeaving(session, TOKEN, 5);
    await control.injectFault({ kind, operation: 'TerminateStreamSession', streamSessionId });
    await clock.advance(6 * SECOND);
    return workflow;
  }

  it('refuses a request that comes while the session may be ending', async () => {
    const { session, reconnect } = await whileEnding('internalServer');

    await expect(reconnect(session)).rejects.toMatchObject({
      name: 'ConflictException',
      $response: { headers: { 'x-reconnection-code': 'SESSION_ENDING' } },
    });
  });

  it('gives the session back to a request that comes after its termination was refused', async () => {
    const { session, reconnect, control, clock, outcomesLater } = await whileEnding('throttling');

    await control.clientConnects(session.streamSessionId, await reconnect(session));
    await clock.advance(20 * SECOND);

    expect(await outcomesLater()).toMatchObject([{ outcome: 'RECONNECTED' }]);
  });
});

describe('a report that says how long to wait', () => {
  const report = { giveUpAfterSeconds: 30, dropCause: 'NETWORK' } as const;

  async function reported(allowEarlyEnd: string) {
    const workflow = await startWorkflow({ environment: { ALLOW_EARLY_END: allowEarlyEnd } });
    const session = await workflow.session({ connectionTimeoutSeconds: 120 });
    await workflow.control.clientDrops(session.streamSessionId);
    await workflow.report(session, report);
    return { ...workflow, session };
  }

  it('ends the session then, with allowEarlyEnd: its player was lost', async () => {
    const { session, clock, outcomes } = await reported('true');

    await clock.advance(40 * SECOND);

    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'TIMED_OUT', ...report }]);
  });

  it('ends nothing early without it, and is in the outcome all the same', async () => {
    const { session, clock, control, outcomes } = await reported('false');

    await clock.advance(40 * SECOND);
    const { status } = await control.session(session.streamSessionId);
    await clock.advance(90 * SECOND);

    expect(status).toBe('PENDING_CLIENT_RECONNECTION');
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'TIMED_OUT', ...report }]);
  });
});
