import { ContentionException } from '../shared/runtime/errors.ts';
import { defineEvent } from '../shared/runtime/event.ts';
import type { LogFields } from '../shared/runtime/logging.ts';
import { OPENING_SETTINGS } from '../shared/runtime/settings.ts';
import { isVerdict } from '../shared/window/failed-windows.ts';
import { type PublishOutcomeDependencies, publishOutcome } from '../shared/window/publish-outcome.ts';
import { type ReplaceDependencies, replaceDeadWindow } from '../shared/window/replace-window.ts';
import { ensureRunning } from '../shared/window/start-window.ts';
import { isOpen, outcomeOf, readWindow, type WindowItem } from '../shared/window/window-item.ts';
import { type FailedExecution, parseExecutionFailure } from './parse-event.ts';

export interface OnExecutionFailureDependencies extends ReplaceDependencies, PublishOutcomeDependencies {
  readonly settings: ReplaceDependencies['settings'] & PublishOutcomeDependencies['settings'];
}

export interface OnExecutionFailureResult {
  readonly result: /** The disconnect has a new window, whose execution asks the service first. */
    | 'WINDOW_REPLACED'
    /** The window stays closed red: too many in a row have failed. */
    | 'WINDOW_GIVEN_UP'
    /** The window stays closed red: its execution has found out that there is nothing to wait for. */
    | 'VERDICT_STANDS'
    /** The window was closed with its outcome before its execution failed; what was left to do is done. */
    | 'OUTCOME_RECORDED'
    /** The session has a later window, which runs. */
    | 'LATER_WINDOW'
    | 'NO_WINDOW'
    /** Not an execution of a window. */
    | 'IGNORED';
}

/** Losing this many races in a row means that something is wrong with more than the timing. */
const MAX_TRIES = 5;

/**
 * Gives the window of an execution that ended red an owner again, whatever the execution has left behind: it is
 * replaced by the next one, unless it has its outcome, a later window has its place, or there is nothing to wait
 * for. By the event alone nothing is concluded about the session: the new execution asks the service first, with
 * the machine's own retries and under the read quota, and that is the one place that decides.
 *
 * Why: docs/decisions/failed-windows.md#a-failed-execution-is-followed-by-the-next-one-which-asks-the-service
 *
 * @throws DependencyUnavailableException, ContentionException: Lambda invokes the function again, and every step here
 *   is harmless when repeated.
 */
export async function onExecutionFailure(
  execution: FailedExecution,
  dependencies: OnExecutionFailureDependencies,
): Promise<OnExecutionFailureResult> {
  const { table, log } = dependencies;
  log.warn('ExecutionFailed', { generation: execution.generation, status: execution.status });
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const window = await readWindow(table, execution);
    if (window === undefined || window.generation < execution.generation) return { result: 'NO_WINDOW' };
    if (window.generation > execution.generation) {
      // Whoever opened it may have died before starting it; it may have been this function.
      if (isOpen(window)) await ensureRunning(execution, window, dependencies);
      return { result: 'LATER_WINDOW' };
    }
    if (window.phase === 'CLOSED') {
      await finishRecord(execution, window, dependencies);
      return { result: 'OUTCOME_RECORDED' };
    }
    if (isVerdict(window)) return { result: 'VERDICT_STANDS' };
    const replacement = await replaceDeadWindow(execution, window, dependencies);
    if (replacement !== 'CHANGED_MEANWHILE') return { result: `WINDOW_${replacement}` };
  }
  throw new ContentionException();
}

/**
 * An execution that failed between closing its window and publishing the outcome has left the rest of the record
 * undone: the outcome's own item, and its event. Where both were done, the event comes twice.
 */
async function finishRecord(
  { streamGroupId, streamSessionId, generation, executionName }: FailedExecution,
  window: WindowItem,
  dependencies: OnExecutionFailureDependencies,
): Promise<void> {
  const { statusReason = null, outcomeAtMs, disconnectedAtMs, connectionAttempts } = window;
  const outcome = outcomeOf(window);
  if (outcome === undefined || outcomeAtMs === undefined) return;
  await publishOutcome(
    {
      streamGroupId,
      streamSessionId,
      executionName,
      generation,
      outcome,
      statusReason,
      disconnectedAtMs,
      endedAtMs: outcomeAtMs,
      connectionAttempts,
    },
    dependencies,
  );
}

/**
 * Takes the events of failed executions from EventBridge. An event's input and cause never leave the parsing.
 *
 * Why: docs/decisions/failed-windows.md#on-execution-failure-has-no-queue
 */
export const onExecutionFailureEvent = defineEvent({
  settings: OPENING_SETTINGS,
  clients: ['eventBridge', 'stepFunctions'],
  parse: (event, { stepFunctions }) => parseExecutionFailure(event, stepFunctions),
  idsOf: (execution): LogFields => {
    if (execution === undefined) return {};
    const { streamGroupId, streamSessionId, executionName } = execution;
    return { streamGroupId, streamSessionId, executionName };
  },
  decide: async (execution, dependencies): Promise<OnExecutionFailureResult> => {
    if (execution !== undefined) return onExecutionFailure(execution, dependencies);
    dependencies.log.warn('StrangeExecutionIgnored');
    return { result: 'IGNORED' };
  },
});
