import { machine, pass, startEndpoint } from 'step-functions-local/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readHistory } from '../../local/test/web/histories.ts';
import { openWindowOf } from '../../local/web/console/model/open-window.ts';
import { startWorkflow } from '../helpers/workflow.ts';

/** A window that has just opened, and how the console sees it. */
async function anOpenWindow() {
  const { clock, control, endpoints, fetch, report, reconnect, executions, ...run } = await startWorkflow();
  const session = await run.session({ connectionTimeoutSeconds: 60 });
  const droppedAtMs = clock.nowMs();
  await control.clientDrops(session.streamSessionId);
  const seen = async () => {
    const [execution] = await executions();
    const history = await readHistory(endpoints.stepFunctions, execution?.executionArn ?? '', fetch);
    return openWindowOf(history);
  };
  return { clock, control, session, droppedAtMs, report, reconnect, seen };
}

describe('the window that an execution tracks', () => {
  it('ends when the service will have ended the session', async () => {
    const { session, droppedAtMs, report, seen } = await anOpenWindow();

    await report(session);

    expect(await seen()).toEqual({
      deadlineMs: droppedAtMs + 60_000,
      totalMs: 60_000,
      phase: 'AWAITING_RECONNECTION',
    });
  });

  it('begins anew with a created connection', async () => {
    const { clock, session, report, reconnect, seen } = await anOpenWindow();
    await report(session);
    await clock.advance(20_000);

    await reconnect(session);
    await clock.idle();

    const window = await seen();
    expect(window?.phase).toBe('AWAITING_CLIENT');
    expect((window?.deadlineMs ?? 0) - clock.nowMs()).toBeGreaterThan(55_000);
  });

  it('is as long as a later report says that knows better', async () => {
    const { clock, session, droppedAtMs, report, seen } = await anOpenWindow();
    await report(session, { connectionTimeoutSeconds: undefined });
    expect((await seen())?.deadlineMs).toBe(droppedAtMs + 120_000);

    await report(session, { statusChangedAt: new Date(droppedAtMs).toISOString() });
    await clock.idle();

    expect(await seen()).toMatchObject({ deadlineMs: droppedAtMs + 60_000, totalMs: 60_000 });
  });

  it('is none for an execution that knows of no deadline', async () => {
    const { clock, url, run, close } = await startEndpoint();
    onTestFinished(close);
    const arn = await run(machine({ Work: pass() }), { deadline: 1 });
    await clock.idle();

    expect(openWindowOf(await readHistory(url, arn))).toBeUndefined();
  });
});
