import { describe, expect, it } from 'vitest';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

async function dropped({ connectionTimeoutSeconds = 60 } = {}) {
  const workflow = await startWorkflow();
  const session = await workflow.session({ connectionTimeoutSeconds });
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
