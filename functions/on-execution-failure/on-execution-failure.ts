import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { sessionKeySchema } from '../shared/contracts/fields.ts';
import {
  EXECUTION_STATUS_CHANGE_DETAIL_TYPE,
  windowExecutionArn,
  windowExecutionName,
} from '../shared/contracts/names.ts';
import { ContentionException } from '../shared/runtime/errors.ts';
import { defineEvent } from '../shared/runtime/event.ts';
import type { LogFields } from '../shared/runtime/logging.ts';
import { attempt } from '../shared/runtime/service-fault.ts';
import { OPENING_SETTINGS } from '../shared/runtime/settings.ts';
import { parseJson } from '../shared/runtime/text.ts';
import { causeOf } from '../shared/window/cause.ts';
import { isVerdict } from '../shared/window/failed-windows.ts';
import { type PublishOutcomeDependencies, publishOutcome } from '../shared/window/publish-outcome.ts';
import {
  ensureRunning,
  type ReplaceDependencies,
  replaceDeadWindow,
} from '../shared/window/replace-window.ts';
import { isOpen, outcomeOf, readWindow, reportIn, type WindowItem } from '../shared/window/window-item.ts';

export interface OnExecutionFailureDependencies extends ReplaceDependencies, PublishOutcomeDependencies {
  readonly settings: ReplaceDependencies['settings'] & PublishOutcomeDependencies['settings'];
}

export interface OnExecutionFailureResult {
  readonly result: /** The disconnect has a new window, whose execution asks the service first. */
    | 'WINDOW_REPLACED'
    /** The window stays failed: too many in a row have. */
    | 'WINDOW_GIVEN_UP'
    /** The window stays failed: its execution has found out that there is nothing to wait for. */
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
 * Gives the window of a failed execution an owner again, whatever the execution has left behind: it is
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
      // The function that opened it may have died before starting it; it may have been this one.
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
      executionArn: windowExecutionArn(
        dependencies.settings.RECONNECTION_WINDOW_ARN,
        { streamGroupId, streamSessionId },
        generation,
      ),
      story: { ...(window.story ?? { cause: causeOf({ outcome, statusReason }) }), ...reportIn(window) },
    },
    dependencies,
  );
}

/**
 * The parts that this service reads of the event by which Step Functions says that a Standard execution has
 * failed: "Execution Status Change" of its Developer Guide ("Automating Step Functions event delivery with
 * EventBridge"). The rule lets no other status through.
 */
export const executionFailureEventSchema = z.object({
  source: z.literal('aws.states'),
  'detail-type': z.literal(EXECUTION_STATUS_CHANGE_DETAIL_TYPE),
  detail: z.object({
    executionArn: z.string().min(1).max(2048),
    name: z.string().min(1).max(80),
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
    /** JSON text; left out where it is too large for an event, or encrypted with a key of the customer's. */
    input: z.string().nullish(),
  }),
});
export type ExecutionFailureEvent = z.infer<typeof executionFailureEventSchema>;

/** What names the window in the input of its execution; `open-window.ts` builds the whole. */
export const windowInputSchema = z.object({ ...sessionKeySchema.shape, generation: z.int().min(1) });

/** A window's execution that has failed, by its event. */
export interface FailedExecution extends z.infer<typeof windowInputSchema> {
  readonly executionName: string;
  readonly status: ExecutionFailureEvent['detail']['status'];
}

/**
 * Which window's execution the event is about. Its name alone does not say: it has no stream group.
 *
 * Why: docs/decisions/failed-windows.md#the-event-of-a-failed-execution-is-believed
 *
 * @returns undefined for an event of another form, and for an execution that somebody started by hand: no
 *   window of this service is without an owner by its end.
 * @throws DependencyUnavailableException
 */
export async function parseExecutionFailure(
  raw: unknown,
  stepFunctions: SFNClient,
): Promise<FailedExecution | undefined> {
  const event = executionFailureEventSchema.safeParse(raw);
  if (!event.success) return undefined;
  const { executionArn, name, status } = event.data.detail;
  const text = event.data.detail.input ?? (await inputOf(executionArn, stepFunctions));
  const input = windowInputSchema.safeParse(parseJson(text));
  if (!input.success || windowExecutionName(input.data, input.data.generation) !== name) return undefined;
  return { ...input.data, executionName: name, status };
}

/**
 * "Execution Input, Output, Error, and Cause will not be included" in the events of a machine that is encrypted
 * with a key of the customer's (Step Functions Developer Guide, "Data at rest encryption").
 *
 * @returns undefined when Step Functions knows no such execution.
 */
async function inputOf(executionArn: string, stepFunctions: SFNClient): Promise<string | undefined> {
  const described = await attempt(
    () => stepFunctions.send(new DescribeExecutionCommand({ executionArn })),
    'ExecutionDoesNotExist',
    'InvalidArn',
  );
  return described.ok ? described.result.input : undefined;
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
