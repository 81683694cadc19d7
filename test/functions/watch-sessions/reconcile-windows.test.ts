import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../../functions/shared/contracts.ts';
import { windowExecutionArn, windowExecutionName } from '../../../functions/shared/naming.ts';
import { failWindow } from '../../../functions/shared/table/fail-window.ts';
import { registerTaskToken } from '../../../functions/shared/table/mailbox.ts';
import type { IndexedWindow } from '../../../functions/shared/table/open-windows-index.ts';
import type { Listings } from '../../../functions/watch-sessions/judge-window.ts';
import { reconcileWindows, type Unheard } from '../../../functions/watch-sessions/reconcile-windows.ts';
import { VirtualClock } from '../../../local/shared/virtual-clock.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import {
  givenOpenWindow,
  givenRunningWindow,
  OUTCOME_RETENTION_DAYS,
  WINDOW_SETTINGS,
  windowOf,
} from '../../helpers/windows.ts';

const table = useTable();
const sfn = mockClient(SFNClient);
const MACHINE = 'arn:aws:states:us-west-2:000000000000:stateMachine:reconnection-window';
const DROPPED_AT_MS = Date.UTC(2026, 0, 1, 12);
const NOW_MS = DROPPED_AT_MS + 30_000;
/** The deadline, its margin's re-checks and their quota: then an execution should have ended its window. */
const LONG_OVER_MS = DROPPED_AT_MS + 120_000 + 120_001;
const nobody = { sessions: new Map(), complete: true };
const NOBODY_LISTED: Listings = { PENDING_CLIENT_RECONNECTION: nobody, RECONNECTING: nobody, ACTIVE: nobody };

beforeEach(() => {
  sfn.reset();
  sfn.on(SendTaskSuccessCommand).resolves({});
  sfn.on(StartExecutionCommand).resolves({});
  sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING' });
});

function prepare({ nowMs = NOW_MS, random = (): number => 0 } = {}) {
  const log = memoryLog();
  const metrics = memoryMetrics();
  const unheard: Unheard = new Map();
  const dependencies = {
    table: table(),
    stepFunctions: new SFNClient({ region: 'us-west-2' }),
    clock: new VirtualClock(nowMs),
    random,
    log,
    metrics,
    settings: { ...WINDOW_SETTINGS, OUTCOME_RETENTION_DAYS, RECONNECTION_WINDOW_ARN: MACHINE },
  };
  return {
    log,
    metrics,
    dependencies,
    unheard,
    reconcile: (windows: readonly IndexedWindow[], listings = NOBODY_LISTED) =>
      reconcileWindows(windows, listings, unheard, dependencies),
  };
}

/** The window as the index has it. */
async function indexed(session: SessionKey): Promise<IndexedWindow> {
  return { ...(await windowOf(table(), session)), session };
}

async function running(session: SessionKey = newSession()): Promise<IndexedWindow> {
  await givenRunningWindow(table(), session, { disconnectedAtMs: DROPPED_AT_MS });
  return indexed(session);
}

async function unstarted(session: SessionKey = newSession()): Promise<IndexedWindow> {
  await givenOpenWindow(table(), session, { disconnectedAtMs: DROPPED_AT_MS });
  return indexed(session);
}

/** The execution waits for the same again. */
const waitAgain = async (
  { session }: IndexedWindow,
  waitNumber: number,
  dependencies: Parameters<typeof registerTaskToken>[2],
) => {
  const { generation, deadlineMs } = await windowOf(table(), session);
  await registerTaskToken(
    session,
    {
      taskToken: `token-${waitNumber}`,
      generation,
      phase: 'AWAITING_RECONNECTION',
      deadlineMs,
      pendingSinceMs: DROPPED_AT_MS,
      ackSeq: 0,
      waitNumber,
      retryCount: 0,
    },
    dependencies,
  );
};

const woken = () => sfn.commandCalls(SendTaskSuccessCommand).map(({ args: [{ input }] }) => input.taskToken);
const started = () => sfn.commandCalls(StartExecutionCommand).map(({ args: [{ input }] }) => input.name);
const described = () => sfn.commandCalls(DescribeExecutionCommand).map(({ args: [{ input }] }) => input);
const nameOf = ({ session }: IndexedWindow, generation: number) => windowExecutionName(session, generation);
const timedOut = () => new TaskTimedOut({ message: 'Task Timed Out', $metadata: {} });

describe('an open window whose session has moved', () => {
  it('is woken, and nothing is signalled', async () => {
    const { reconcile, log } = prepare();
    const window = await running();

    await reconcile([window]);

    expect(woken()).toEqual([`token-of-${window.session.streamSessionId}-1`]);
    expect(await windowOf(table(), window.session)).toMatchObject({ seq: 0, generation: 1 });
    expect(described()).toEqual([]);
    const keys = { ...window.session, executionName: nameOf(window, 1), generation: 1 };
    expect(log.lines).toContainEqual({ event: 'WindowWoken', fields: keys });
  });

  it('is left alone where the lists say that it waits as its window does', async () => {
    const window = await running();
    const { streamSessionId } = window.session;
    const listedSession = { session: window.session, lastUpdatedAtMs: DROPPED_AT_MS };

    await prepare().reconcile([window], {
      ...NOBODY_LISTED,
      PENDING_CLIENT_RECONNECTION: { sessions: new Map([[streamSessionId, listedSession]]), complete: true },
    });

    expect(sfn.calls()).toEqual([]);
  });

  it('is not judged by lists that are older than its wait', async () => {
    const { reconcile, dependencies } = prepare();
    const window = await running();
    await waitAgain(window, 1, dependencies);

    await reconcile([window, { ...window, generation: 2 }, { ...window, session: newSession() }]);

    expect(sfn.calls()).toEqual([]);
  });

  it('is left alone when it was closed since the lists were read', async () => {
    const { reconcile, dependencies } = prepare();
    const window = await running();
    const failure = { generation: 1, error: 'SessionNotEnded', nowMs: NOW_MS, retentionDays: 1 };
    await failWindow(table(), window.session, failure);

    await reconcile([window]);

    expect(sfn.calls()).toEqual([]);
    expect(dependencies.log.lines).toEqual([]);
  });

  it('has its execution looked at when the same wait has not heard twice', async () => {
    const { reconcile } = prepare();
    const window = await running();
    sfn.on(SendTaskSuccessCommand).rejects(timedOut());

    await reconcile([window]);
    expect(described()).toEqual([]);
    await reconcile([window]);

    expect(described()).toEqual([
      { executionArn: windowExecutionArn(MACHINE, window.session, 1), includedData: 'METADATA_ONLY' },
    ]);
    expect(await windowOf(table(), window.session)).toMatchObject({ generation: 1 });
  });

  it('may be busy with a look of its own when another wait has not heard', async () => {
    const { reconcile, dependencies } = prepare({ nowMs: DROPPED_AT_MS + 60_000 });
    const window = await running();
    sfn.on(SendTaskSuccessCommand).rejects(timedOut());
    await reconcile([window]);

    await waitAgain(window, 1, dependencies);
    await reconcile([await indexed(window.session)]);

    expect(woken()).toHaveLength(2);
    expect(described()).toEqual([]);
  });
});

describe('an open window that nobody has started', () => {
  it('is started', async () => {
    const window = await unstarted();

    await prepare().reconcile([window]);

    expect(started()).toEqual([nameOf(window, 1)]);
    expect(described()).toEqual([]);
    expect(await windowOf(table(), window.session)).toMatchObject({ generation: 1 });
  });

  it('is left alone when another has its place since the lists were read', async () => {
    const { reconcile } = prepare();
    const window = await unstarted();

    await reconcile([{ ...window, generation: 0 }]);

    expect(sfn.calls()).toEqual([]);
  });

  it('is replaced where its name is taken', async () => {
    const { reconcile, metrics } = prepare();
    const window = await unstarted();
    sfn
      .on(StartExecutionCommand)
      .rejectsOnce(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }))
      .resolves({});

    await reconcile([window]);

    expect(started()).toEqual([nameOf(window, 1), nameOf(window, 2)]);
    expect(await windowOf(table(), window.session)).toMatchObject({ generation: 2, seq: 1 });
    expect(metrics.values).toEqual([{ name: 'WindowsReplaced', value: 1 }]);
  });
});

describe('an open window that should have ended', () => {
  it('is left to its execution while that runs', async () => {
    const window = await running();

    await prepare({ nowMs: LONG_OVER_MS }).reconcile([window]);

    expect(described()).toHaveLength(1);
    expect(woken()).toEqual([]);
    expect(started()).toEqual([]);
  });

  it.each(['FAILED', 'ABORTED', 'TIMED_OUT', 'SUCCEEDED'] as const)(
    'is replaced when its execution is %s',
    async (status) => {
      const window = await running();
      sfn.on(DescribeExecutionCommand).resolves({ status });

      await prepare({ nowMs: LONG_OVER_MS }).reconcile([window]);

      expect(started()).toEqual([nameOf(window, 2)]);
    },
  );

  it('is replaced when there is no such execution any more', async () => {
    const window = await running();
    sfn.on(DescribeExecutionCommand).rejects(new ExecutionDoesNotExist({ message: 'gone', $metadata: {} }));

    await prepare({ nowMs: LONG_OVER_MS }).reconcile([window]);

    expect(started()).toEqual([nameOf(window, 2)]);
  });

  it('is not replaced where Step Functions cannot be asked', async () => {
    const window = await running();
    const error = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    sfn.on(DescribeExecutionCommand).rejects(error);

    await expect(prepare({ nowMs: LONG_OVER_MS }).reconcile([window])).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });

    expect(started()).toEqual([]);
  });
});

describe('many windows that need mending', () => {
  it('are mended 25 at a look, from a random one on, and in turn', async () => {
    const windows = await Promise.all(Array.from({ length: 30 }, () => unstarted()));

    await prepare({ random: () => 0.5 }).reconcile(windows);

    const names = windows.map((window) => nameOf(window, 1));
    expect(new Set(started())).toEqual(new Set([...names.slice(15), ...names.slice(0, 10)]));
  });
});
