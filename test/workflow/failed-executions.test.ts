import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { run as runWindows } from '../../cli/windows/run.ts';
import { recordOutcome, recordOutcomeInputSchema } from '../../functions/record-outcome/record-outcome.ts';
import { DependencyUnavailableException, UnexpectedError } from '../../functions/shared/runtime/errors.ts';
import { replaceWindow } from '../../functions/shared/window/open-window.ts';
import { executionFailureEvent } from '../helpers/execution-failure.ts';
import { failNext } from '../helpers/failing-table.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import { BUS_SETTINGS, OUTCOME_RETENTION_DAYS, WINDOW_SETTINGS, windowOf } from '../helpers/windows.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The service without its watcher, and what an operator does in the console. */
async function start(options: Parameters<typeof startWorkflow>[0] = {}) {
  const run = await startWorkflow(options);
  const { clock, control, executions, stepFunctions } = run;
  return {
    ...run,
    /** A session whose player has dropped, with its window. */
    async dropped(connectionTimeoutSeconds: number) {
      const session = await run.session({ connectionTimeoutSeconds });
      await control.clientDrops(session.streamSessionId);
      await run.report(session);
      return session;
    },
    async stopExecution() {
      const running = (await executions()).find(({ status }) => status === 'RUNNING');
      await clock.track(() =>
        stepFunctions.send(new StopExecutionCommand({ executionArn: running?.executionArn })),
      );
      await clock.idle();
    },
    reads: async () => (await control.counters()).GetStreamSession?.calls ?? 0,
  };
}

describe('a window whose execution is stopped in the console', () => {
  it('is replaced at once while its player is away, and the player comes back in the next one', async () => {
    const { clock, control, dropped, stopExecution, outcomes, executions, window, ...run } = await start();
    const session = await dropped(60);
    await clock.advance(10 * SECOND);

    await stopExecution();

    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 2 });
    await control.clientConnects(session.streamSessionId, await run.reconnect(session));
    await clock.advance(3 * SECOND);
    expect(await outcomes(session)).toMatchObject([
      { outcome: 'RECONNECTED', generation: 2, connectionAttempts: 1 },
    ]);
    expect((await executions()).map(({ status }) => status)).toEqual(['SUCCEEDED', 'ABORTED']);
  });

  it('after the player has come back is recorded as RECONNECTED at once', async () => {
    const { control, dropped, stopExecution, outcomes, ...run } = await start();
    const session = await dropped(60);
    await run.reconnectDirectly(session);
    await control.clientConnects(session.streamSessionId);

    await stopExecution();

    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', generation: 2 }]);
  });

  it('with an answer on its way to the player goes on where it was', async () => {
    const { clock, control, dropped, stopExecution, outcomes, window, ...run } = await start();
    const session = await dropped(60);
    const answer = await run.reconnect(session);

    await stopExecution();

    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_CLIENT', generation: 2 });
    await control.clientConnects(session.streamSessionId, answer);
    await clock.advance(3 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', connectionAttempts: 1 }]);
  });

  it('after the session has ended is recorded with how it ended', async () => {
    const { control, dropped, stopExecution, outcomes } = await start();
    const session = await dropped(60);
    await control.applicationExits(session.streamSessionId);

    await stopExecution();

    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'applicationExit', generation: 2 },
    ]);
  });

  it('four times is closed red and left alone, for whoever stops it means it', async () => {
    const { clock, dropped, stopExecution, executions, window, outcomes } = await start();
    const session = await dropped(600);

    for (let stops = 0; stops < 4; stops++) {
      await stopExecution();
      await clock.advance(MINUTE);
    }

    expect((await executions()).map(({ status }) => status)).toEqual(Array(4).fill('ABORTED'));
    expect((await window(session)).body).toMatchObject({ phase: 'FAILED', generation: 4 });
    await clock.advance(10 * MINUTE);
    expect(await executions()).toHaveLength(4);
    expect(await outcomes(session)).toEqual([]);
  });
});

describe('a window that a defect has failed for good', () => {
  it('gets its one outcome from the execution that an operator gives it', async () => {
    let isBroken = true;
    const { clock, table, endpoints, service, dropped, ...run } = await start({
      // The command makes clients of its own.
      adapter: 'loopback',
      before: (key) => {
        if (isBroken && key === 'checkSession') throw new UnexpectedError();
      },
    });
    const session = await dropped(60);
    await clock.advance(HOUR);
    expect((await run.executions()).map(({ status }) => status)).toEqual(Array(4).fill('FAILED'));
    isBroken = false;
    const told: string[] = [];
    const machine = service.stateMachines.find(({ type }) => type === 'STANDARD')?.arn ?? '';
    const at = ['--endpoint', endpoints.dynamoDb, '--step-functions-endpoint', endpoints.stepFunctions];
    const bus = ['--bus', service.buses[0]?.name ?? '', '--events-endpoint', endpoints.eventBus];
    const named = ['--table', table.name, '--state-machine', machine, ...bus, ...at];
    const args = ['retry', '--failed-since', '2h', ...named];
    const retryAll = () => run.inTime(() => runWindows(args, { clock, tell: (text) => told.push(text) }));

    await retryAll();
    await clock.advance(MINUTE);
    await retryAll();
    await clock.advance(MINUTE);

    expect(await run.outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 5 }]);
    expect((await run.window(session)).body).toMatchObject({ phase: 'CLOSED', generation: 5 });
    expect(await run.executions()).toHaveLength(5);
    expect(told.join('')).toContain('1 failed window; 1 started.\n0 failed windows; 0 started.\n');
  });
});

describe('a window whose execution times out', () => {
  it('is replaced, and its disconnect gets its outcome', async () => {
    const { clock, dropped, executions, outcomes } = await start({ windowTimeoutSeconds: 40 });
    const session = await dropped(60);

    await clock.advance(63 * SECOND);

    expect((await executions()).map(({ status }) => status)).toEqual(['SUCCEEDED', 'TIMED_OUT']);
    expect(await outcomes(session)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'reconnectionTimeout', generation: 2 },
    ]);
  });
});

describe('a window whose executions fail whatever they do', () => {
  it.each([
    // The first look of each execution, and the one at its end. Its deadline is after 10 s, and 2 s are its margin.
    ['and close it themselves', ['checkSession'], [0, 12, 12, 12, 17, 17, 47, 47]],
    ['and cannot even close it', ['checkSession', 'recordFailure'], [0, 12, 12, 12, 17, 17, 47, 47]],
    ['before their first wait', ['registerTaskToken', 'recordFailure'], [0, 0, 5, 35]],
  ])('%s ends red after four of them, and nothing loops', async (_, broken, atSeconds) => {
    const failures: number[] = [];
    let startMs = 0;
    const { clock, dropped, executions, window, outcomes, report } = await start({
      before: (functionKey) => {
        if (functionKey === broken[0]) failures.push((clock.nowMs() - startMs) / SECOND);
        if (broken.includes(functionKey)) throw new Error('a bug');
      },
    });
    startMs = clock.nowMs();
    const session = await dropped(10);
    const statusChangedAt = new Date(startMs).toISOString();

    await clock.advance(2 * MINUTE);
    for (let reports = 0; reports < 12; reports++) {
      await report(session, { statusChangedAt });
      await clock.advance(30 * SECOND);
    }

    expect(failures).toEqual(atSeconds);
    expect((await executions()).map(({ status }) => status)).toEqual(Array(4).fill('FAILED'));
    expect((await window(session)).body).toMatchObject({ phase: 'FAILED', generation: 4 });
    expect(await outcomes(session)).toEqual([]);
  });

  it('is tried again when its session is reported minutes later, and works when the fault is mended', async () => {
    let mended = false;
    const { clock, control, dropped, report, executions, window, outcomes, ...run } = await start({
      before: (functionKey) => {
        if (functionKey === 'checkSession' && !mended) throw new Error('a bug');
      },
    });
    const session = await dropped(3600);
    const statusChangedAt = new Date(clock.nowMs()).toISOString();
    await report(session, { status: 'CONNECTED' });
    await clock.advance(2 * MINUTE);
    expect(await executions()).toHaveLength(4);
    mended = true;

    await clock.advance(8 * MINUTE);
    await report(session, { statusChangedAt });

    expect((await window(session)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation: 5 });
    await control.clientConnects(session.streamSessionId, await run.reconnect(session));
    await clock.advance(3 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', generation: 5 }]);
  });

  it('after the window was closed with its outcome has the rest of its record made good', async () => {
    let isRecordCut = true;
    const { clock, table, dropped, executions, outcomes, items, report } = await start({
      // The write fails in the middleware of the table's client, which a table in memory does not go through.
      adapter: 'loopback',
      before: async (functionKey, payload) => {
        if (functionKey !== 'recordOutcome' || !isRecordCut) return;
        isRecordCut = false;
        // Dies for good between its first write and its second.
        failNext(table, 'PutItemCommand', 'BEFORE');
        const eventBridge = new EventBridgeClient({ region: 'us-west-2' });
        const settings = { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS };
        const record = recordOutcome(recordOutcomeInputSchema.parse(payload), {
          table,
          eventBridge,
          clock,
          log: memoryLog(),
          metrics: memoryMetrics(),
          settings,
        });
        await expect(record).rejects.toThrow(DependencyUnavailableException);
        throw new Error('a bug');
      },
    });
    const session = await dropped(10);

    await clock.advance(13 * SECOND);

    expect((await executions()).map(({ status }) => status)).toEqual(['FAILED']);
    expect((await items()).filter(({ sk }) => String(sk).startsWith('outcome#'))).toHaveLength(1);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 1 }]);
    await report(session);
    expect(await executions()).toHaveLength(1);
  });
});

describe('a window that ends red because there is nothing to wait for', () => {
  it('is not replaced, and a feed that repeats a wrong id makes four executions and no more', async () => {
    const { clock, report, executions, reads, ...run } = await start();
    const session = { ...(await run.session()), streamSessionId: 'NoSuchSession' };

    for (let reports = 0; reports < 30; reports++) {
      await report(session);
      await clock.advance(10 * SECOND);
    }

    // Every second report finds its session unknown again.
    expect((await executions()).map(({ status }) => status)).toEqual(Array(4).fill('FAILED'));
    // The first look of each, the one that finds it unknown, and the one ten seconds later that confirms it.
    expect(await reads()).toBe(12);
  });
});

describe('the event of a failed execution', () => {
  it('that comes twice, or late, changes nothing the second time', async () => {
    const { clock, control, dropped, stopExecution, executions, outcomes, ...run } = await start();
    const session = await dropped(60);
    await run.disturb({ duplicateNext: 1 });

    await stopExecution();
    await run.invoke('onExecutionFailure', executionFailureEvent(session));

    expect((await executions()).map(({ name }) => name)).toEqual([
      `${session.streamSessionId}-2`,
      `${session.streamSessionId}-1`,
    ]);
    await control.clientConnects(session.streamSessionId, await run.reconnect(session));
    await clock.advance(3 * SECOND);
    await run.invoke('onExecutionFailure', executionFailureEvent(session));
    await clock.advance(MINUTE);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', generation: 2 }]);
    expect(await executions()).toHaveLength(2);
  });

  it('that is handled by a function which dies between its write and the start is made good', async () => {
    const { clock, table, dropped, executions, outcomes, ...run } = await start();
    const session = await dropped(60);
    await replaceWindow(table, session, await windowOf(table, session), WINDOW_SETTINGS, clock.nowMs());
    expect(await executions()).toHaveLength(1);

    await run.invoke('onExecutionFailure', executionFailureEvent(session));

    expect(await executions()).toHaveLength(2);
    await clock.advance(63 * SECOND);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 2 }]);
  });

  it('is met by no rule when the execution has ended well', async () => {
    const { clock, control, dropped, events, ...run } = await start();
    const session = await dropped(60);
    await control.clientConnects(session.streamSessionId, await run.reconnect(session));
    await clock.advance(3 * SECOND);

    expect((await events()).map(({ detailType }) => detailType)).not.toContain(
      'Step Functions Execution Status Change',
    );
  });
});
