import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import type { Clock } from '../shared/clock.ts';
import type { SessionKey } from '../shared/contracts.ts';
import type { Log } from '../shared/logging.ts';
import { windowExecutionArn } from '../shared/naming.ts';
import { callDependency } from '../shared/service-fault.ts';
import { ensureRunning, type StartWindowDependencies } from '../shared/start-window.ts';
import { failWindow } from '../shared/table/fail-window.ts';
import { replaceWindow, type WindowSettings } from '../shared/table/open-window.ts';
import type { Table } from '../shared/table/table.ts';
import type { WindowItem } from '../shared/table/window-item.ts';

export interface MendWindowDependencies extends StartWindowDependencies {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: StartWindowDependencies['settings'] &
    WindowSettings & { readonly OUTCOME_RETENTION_DAYS: number };
}

/** What kills three executions of one disconnect in a row will kill the fourth. */
const MAX_REPLACEMENTS = 3;

/**
 * Starts an open window that was never started, and replaces one whose execution has died: the disconnect is
 * owed an outcome. After three replacements the window is closed red instead.
 *
 * @throws DependencyUnavailableException
 */
export async function mendWindow(
  session: SessionKey,
  window: WindowItem,
  dependencies: MendWindowDependencies,
): Promise<void> {
  const { table, clock, log, settings } = dependencies;
  // Not to be started under its name: its execution ended before its first wait, or the name is another window's.
  const isAlive = window.running
    ? await isExecutionAlive(session, window, dependencies)
    : await ensureRunning(session, window, dependencies);
  if (isAlive) return;
  const { generation } = window;
  if ((window.failedBefore ?? 0) >= MAX_REPLACEMENTS) {
    const failure = {
      generation,
      error: 'ExecutionDied',
      nowMs: clock.nowMs(),
      retentionDays: settings.OUTCOME_RETENTION_DAYS,
    };
    if ((await failWindow(table, session, failure)) !== undefined) {
      log.warn('WindowFailed', { generation, error: failure.error });
    }
    return;
  }
  const replacement = await replaceWindow(table, session, window, settings);
  // Closed or replaced by somebody else in the meantime.
  if (replacement === undefined) return;
  log.warn('WindowReplaced', { generation, replacement: replacement.generation });
  await ensureRunning(session, replacement, dependencies);
}

async function isExecutionAlive(
  session: SessionKey,
  { generation }: WindowItem,
  { stepFunctions, settings }: MendWindowDependencies,
): Promise<boolean> {
  try {
    const executionArn = windowExecutionArn(settings.RECONNECTION_WINDOW_ARN, session, generation);
    const { status } = await callDependency(
      () => stepFunctions.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' })),
      ['ExecutionDoesNotExist'],
    );
    return status === 'RUNNING';
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExecutionDoesNotExist') throw error;
    return false;
  }
}
