import { GameLiftStreamsClient, GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { windowExecutionArn, windowExecutionName } from '../../../functions/shared/contracts/names.ts';
import { failWindow } from '../../../functions/shared/window/close-window.ts';
import { registerTaskToken } from '../../../functions/shared/window/mailbox.ts';
import type { IndexedWindow } from '../../../functions/shared/window/read-windows.ts';
import type { Listings } from '../../../functions/watch-sessions/judge-window.ts';
import { reconcileWindows } from '../../../functions/watch-sessions/reconcile-windows.ts';
import { noServiceWaits } from '../../../functions/watch-sessions/wake-service-waits.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
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
const service = mockClient(GameLiftStreamsClient);
const MACHINE = 'arn:aws:states:us-west-2:000000000000:stateMachine:reconnection-window';
const DROPPED_AT_MS = Date.UTC(2026, 0, 1, 12);
const NOW_MS = DROPPED_AT_MS + 30_000;
/** The deadline, its margin's re-checks and their quota: then an execution should have ended its window. */
const LONG_OVER_MS = DROPPED_AT_MS + 120_000 + 120_001;
const nobody = { sessions: new Map(), complete: true };
const NOBODY_LISTED: Listings = { PENDING_CLIENT_RECONNECTION: nobody, RECONNECTING: nobody, ACTIVE: nobody };

beforeEach(() => {
  sfn.reset();
  service.reset();
  service.on(GetStreamSessionCommand).resolves({ Status: 'TERMINATED' });
  sfn.on(SendTaskSuccessCommand).resolves({});
  sfn.on(StartExecutionCommand).resolves({});
  sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING' });
});

function prepare({ nowMs = NOW_MS, random = (): number => 0 } = {}) {
  const log = memoryLog();
  const metrics = memoryMetrics();
  const memory = { unheard: new Map<string, number | undefined>(), serviceWaits: noServiceWaits() };
  const dependencies = {
    table: table(),
    stepFunctions: new SFNClient({ region: 'us-west-2' }),
    gameLiftStreams: new GameLiftStreamsClient({ region: 'us-west-2' }),
    clock: new VirtualClock(nowMs),
    random,
    log,
    metrics,
    settings: {
      ...WINDOW_SETTINGS,
      OUTCOME_RETENTION_DAYS,
      RECONNECTION_WINDOW_ARN: MACHINE,
      READS_PER_SECOND: 20,
      WATCH_INTERVAL_SECONDS: 5,
    },
  };
  return {
    log,
    metrics,
    dependencies,
    memory,
    reconcile: (windows: readonly IndexedWindow[], listings = NOBODY_LISTED) =>
      reconcileWindows(windows, listings, memory, dependencies),
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
const readIds = () =>
  service.commandCalls(GetStreamSessionCommand).map(({ args: [{ input }] }) => input.StreamSessionIdentifier);
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

/** A window whose execution waits for the service, long after its deadline. */
async function waitingForService(
  dependencies: Parameters<typeof registerTaskToken>[2],
  { serviceChecks = 1, waitNumber = 1, session = newSession() } = {},
): Promise<IndexedWindow> {
  const { generation, deadlineMs } = await givenRunningWindow(table(), session, {
    disconnectedAtMs: DROPPED_AT_MS,
  });
  await registerTaskToken(
    session,
    {
      taskToken: `service-${session.streamSessionId}`,
      generation,
      phase: 'AWAITING_END',
      deadlineMs,
      pendingSinceMs: DROPPED_AT_MS,
      ackSeq: 0,
      waitNumber,
      retryCount: 0,
      serviceChecks,
    },
    dependencies,
  );
  return indexed(session);
}

describe('windows that wait for the service', () => {
  it('are woken when one of their sessions can be read, the one that has failed least often', async () => {
    const { reconcile, dependencies } = prepare({ nowMs: LONG_OVER_MS });
    const often = await waitingForService(dependencies, { serviceChecks: 9 });
    const once = await waitingForService(dependencies);

    await reconcile([often, once]);

    expect(readIds()).toEqual([once.session.streamSessionId]);
    expect(woken().sort()).toEqual(
      [often, once].map(({ session }) => `service-${session.streamSessionId}`).sort(),
    );
    expect(described()).toEqual([]);
  });

  it('are left alone by this watcher after one read that failed', async () => {
    const { reconcile, dependencies, log } = prepare({ nowMs: LONG_OVER_MS });
    const windows = [await waitingForService(dependencies), await waitingForService(dependencies)];
    service.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());

    await reconcile(windows);
    await reconcile(windows);

    expect(readIds()).toHaveLength(1);
    expect(woken()).toEqual([]);
    expect(described()).toEqual([]);
    expect(log.lines).toContainEqual({
      event: 'ServiceAway',
      fields: { errorName: expect.any(String), waiting: 2 },
    });
  });

  it('are woken at the pace of low-priority reads, the earliest deadlines first', async () => {
    const { reconcile, dependencies } = prepare({ nowMs: LONG_OVER_MS });
    const windows = await Promise.all(Array.from({ length: 80 }, () => waitingForService(dependencies)));

    await reconcile(windows.map((window, index) => ({ ...window, deadlineMs: window.deadlineMs - index })));

    // Three quarters of 20 a second, for 5 s.
    const latest = windows.slice(0, 5).map(({ session }) => `service-${session.streamSessionId}`);
    expect(woken()).toHaveLength(75);
    expect(woken().some((token) => token !== undefined && latest.includes(token))).toBe(false);
  });

  it('are woken once, also when they come back to wait', async () => {
    const { reconcile, dependencies } = prepare({ nowMs: LONG_OVER_MS });
    const window = await waitingForService(dependencies);
    await reconcile([window]);

    await reconcile([window]);
    const { session } = window;
    await registerTaskToken(
      session,
      { ...(await registrationOf(session)), waitNumber: 2, serviceChecks: 2 },
      dependencies,
    );
    await reconcile([await indexed(session)]);

    expect(woken()).toHaveLength(1);
  });

  it('have their executions looked at when the same wait has not heard twice', async () => {
    const { reconcile, dependencies } = prepare({ nowMs: LONG_OVER_MS });
    const window = await waitingForService(dependencies);
    sfn.on(SendTaskSuccessCommand).rejects(timedOut());
    sfn.on(DescribeExecutionCommand).resolves({ status: 'ABORTED' });

    await reconcile([window]);
    expect(described()).toEqual([]);
    await reconcile([window]);

    expect(started()).toEqual([nameOf(window, 2)]);
  });

  it('are not woken by lists, which say nothing about the reads', async () => {
    const { reconcile, dependencies } = prepare({ nowMs: LONG_OVER_MS });
    const window = await waitingForService(dependencies);
    await registerTaskToken(
      window.session,
      {
        ...(await registrationOf(window.session)),
        phase: 'AWAITING_CLIENT',
        waitNumber: 2,
        serviceChecks: 1,
      },
      dependencies,
    );
    service.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());

    await reconcile([await indexed(window.session)]);

    expect(woken()).toEqual([]);
  });
});

it('a session that is slow to end is left to its execution, which looks every 15 minutes', async () => {
  const { reconcile, dependencies } = prepare({ nowMs: LONG_OVER_MS });
  const window = await running();
  await registerTaskToken(
    window.session,
    { ...(await registrationOf(window.session)), phase: 'AWAITING_END', waitNumber: 1 },
    dependencies,
  );

  await reconcile([await indexed(window.session)]);
  expect(described()).toEqual([]);
  await prepare({ nowMs: window.deadlineMs + 17 * 60_000 + 1 }).reconcile([await indexed(window.session)]);

  expect(described()).toHaveLength(1);
});

/** The session's present wait, as its execution registers it. */
async function registrationOf(session: SessionKey) {
  const { generation, phase, deadlineMs } = await windowOf(table(), session);
  return {
    taskToken: `service-${session.streamSessionId}`,
    generation,
    phase,
    deadlineMs,
    pendingSinceMs: DROPPED_AT_MS,
    ackSeq: 0,
    retryCount: 0,
  };
}

describe('many windows that need mending', () => {
  it('are mended 25 at a look, from a random one on, and in turn', async () => {
    const windows = await Promise.all(Array.from({ length: 30 }, () => unstarted()));

    await prepare({ random: () => 0.5 }).reconcile(windows);

    const names = windows.map((window) => nameOf(window, 1));
    expect(new Set(started())).toEqual(new Set([...names.slice(15), ...names.slice(0, 10)]));
  });
});

// Last, because the booking stays in the table.
it('windows that wait for the service wait on when the quota has no permit for a read', async () => {
  const { reconcile, dependencies, memory } = prepare({ nowMs: LONG_OVER_MS });
  const window = await waitingForService(dependencies);
  const quota = { operation: 'GetStreamSession', perSecond: 20 } as const;
  await bookPermits(table(), quota, LONG_OVER_MS + 4000);

  await reconcile([window]);

  expect(readIds()).toEqual([]);
  expect(woken()).toEqual([]);
  expect(memory.serviceWaits.isAway).toBe(false);
});
