import type { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { windowExecutionName } from '../../functions/shared/contracts/names.ts';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import type { Log } from '../../functions/shared/runtime/logging.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { parseJson } from '../../functions/shared/runtime/text.ts';
import { replaceWindow, type WindowSettings } from '../../functions/shared/window/open-window.ts';
import { ensureRunning } from '../../functions/shared/window/replace-window.ts';
import { isOpen, outcomeOf, type WindowItem } from '../../functions/shared/window/window-item.ts';
import type { FoundWindow } from './find-windows.ts';

export interface RetryDependencies {
  readonly table: Table;
  readonly stepFunctions: SFNClient;
  readonly clock: Clock;
  readonly stateMachineArn: string;
}

export type Retried =
  | { readonly kind: 'STARTED'; readonly executionName: string }
  /** It is open, and its execution runs. */
  | { readonly kind: 'OPEN'; readonly executionName: string }
  | { readonly kind: 'HAS_OUTCOME'; readonly outcome: string }
  /** It was closed, replaced or signalled since it was read. */
  | { readonly kind: 'CHANGED_MEANWHILE' };

/** Names of executions that are taken, one after the other, mean that something else is wrong. */
const MAX_TRIES = 5;

/** What a failed execution was given, as far as the next one is to have the same. */
const executionInputSchema = z.object({ marginSeconds: z.number(), terminateAbandoned: z.boolean() });

/** This command tells what it does itself. */
const NO_LOG: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => NO_LOG };

/**
 * Gives a failed window's disconnect to the session's next window, in the same way as the service replaces a window
 * whose execution has died: by a conditional write, so that a disconnect never has two windows. An operator may do so
 * however often it has failed. An open window that was never started is started.
 *
 * Why: docs/decisions/failed-windows.md#failed-windows-are-retried-by-a-command-that-scans-the-table
 *
 * @throws DependencyUnavailableException, UnexpectedError
 */
export async function retryWindow(
  { session, window: found }: FoundWindow,
  { table, stepFunctions, clock, stateMachineArn }: RetryDependencies,
): Promise<Retried> {
  const outcome = outcomeOf(found);
  if (outcome !== undefined) return { kind: 'HAS_OUTCOME', outcome };
  let window = found;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const executionName = windowExecutionName(session, window.generation);
    if (isOpen(window)) {
      if (window.running) return { kind: 'OPEN', executionName };
      const settings = { RECONNECTION_WINDOW_ARN: stateMachineArn };
      if (await ensureRunning(session, window, { stepFunctions, log: NO_LOG, settings })) {
        return { kind: 'STARTED', executionName };
      }
    }
    const next = await replaceWindow(table, session, window, settingsOf(window), clock.nowMs());
    if (next === undefined) return { kind: 'CHANGED_MEANWHILE' };
    window = next;
  }
  return { kind: 'CHANGED_MEANWHILE' };
}

/** The settings that the window was opened with. */
function settingsOf({ executionInput, connectionTimeoutSeconds }: WindowItem): WindowSettings {
  const { marginSeconds, terminateAbandoned } = executionInputSchema.parse(parseJson(executionInput));
  return {
    DEFAULT_CONNECTION_TIMEOUT_SECONDS: connectionTimeoutSeconds,
    WINDOW_MARGIN_SECONDS: marginSeconds,
    TERMINATE_ABANDONED_SESSIONS: terminateAbandoned,
  };
}
