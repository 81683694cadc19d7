import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { SessionKey } from '../contracts/index.ts';
import { windowExecutionName } from '../contracts/names.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/logging.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { attempt } from '../runtime/service-fault.ts';
import type { Table } from '../runtime/table.ts';
import { failWindow } from './close-window.ts';
import { canBeRetried, replacementDelayMs } from './failed-windows.ts';
import { replaceWindow, type WindowSettings } from './open-window.ts';
import { isOpen, type WindowItem } from './window-item.ts';

export interface ReplaceDependencies extends StartWindowDependencies {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: StartWindowDependencies['settings'] &
    WindowSettings & { readonly OUTCOME_RETENTION_DAYS: number };
}

export type Replacement =
  | 'REPLACED'
  /** Too many in a row have failed: the window has failed, and stays so. */
  | 'GIVEN_UP'
  /** The window was closed, replaced or signalled meanwhile: nothing was changed. */
  | 'CHANGED_MEANWHILE';

/**
 * Opens the next window of a disconnect whose execution has died, and starts it: the disconnect is owed an
 * outcome. The new execution asks the service first. After three replacements in a row there is no further one.
 *
 * Why: docs/decisions/failed-windows.md#an-execution-that-died-is-replaced-not-restarted
 * Why: docs/decisions/failed-windows.md#a-replacement-whose-name-is-taken-is-replaced-too
 *
 * @param dead as it was read; open, or failed.
 * @throws DependencyUnavailableException
 */
export async function replaceDeadWindow(
  session: SessionKey,
  dead: WindowItem,
  dependencies: ReplaceDependencies,
): Promise<Replacement> {
  const { table, clock, log, metrics, settings } = dependencies;
  const { generation } = dead;
  const nowMs = clock.nowMs();
  if (!canBeRetried(dead)) {
    if (isOpen(dead)) {
      const failure = {
        generation,
        error: 'ExecutionDied',
        nowMs,
        retentionDays: settings.OUTCOME_RETENTION_DAYS,
      };
      if ((await failWindow(table, session, failure)) === undefined) return 'CHANGED_MEANWHILE';
      log.warn('WindowFailed', { generation, error: failure.error });
      metrics.add('WindowsFailed', 1);
    }
    log.warn('WindowGivenUp', { generation, failedBefore: dead.failedBefore ?? 0 });
    return 'GIVEN_UP';
  }
  const replacement = await replaceWindow(table, session, dead, settings, nowMs + replacementDelayMs(dead));
  if (replacement === undefined) return 'CHANGED_MEANWHILE';
  log.warn('WindowReplaced', { generation, replacement: replacement.generation });
  metrics.add('WindowsReplaced', 1);
  const executionName = windowExecutionName(session, replacement.generation);
  if (await ensureRunning(session, replacement, { ...dependencies, log: log.with({ executionName }) })) {
    return 'REPLACED';
  }
  // Its name is taken as well, as by the replacement of another stream group's window: the next one's may be free.
  return replaceDeadWindow(session, replacement, dependencies);
}

export interface StartWindowDependencies {
  readonly stepFunctions: SFNClient;
  readonly log: Log;
  readonly settings: { readonly RECONNECTION_WINDOW_ARN: string };
}

/**
 * Starts the window's execution unless it is known to run, which its first wait writes down. The function that opened the
 * window may have died before the start, so every later event repeats it: the same name with the same input is
 * the same execution.
 *
 * Why: docs/decisions/windows.md#a-window-whose-name-is-taken-becomes-the-next-window
 *
 * @returns false when an execution of that name exists that is not this one running: it has ended, as a rule.
 * @throws DependencyUnavailableException
 */
export async function ensureRunning(
  session: SessionKey,
  window: WindowItem,
  { stepFunctions, log, settings }: StartWindowDependencies,
): Promise<boolean> {
  if (window.running) return true;
  const { generation, executionInput } = window;
  const started = await attempt(
    () =>
      stepFunctions.send(
        new StartExecutionCommand({
          stateMachineArn: settings.RECONNECTION_WINDOW_ARN,
          name: windowExecutionName(session, generation),
          input: executionInput,
        }),
      ),
    // It ran and has ended, or another version of this code started it.
    'ExecutionAlreadyExists',
  );
  if (started.ok) log.info('WindowStarted', { generation });
  return started.ok;
}
