import * as z from 'zod';
import { outcomeSchema } from '../shared/contracts/index.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { type ClosedWindow, closeWindow } from '../shared/window/close-window.ts';
import { type PublishOutcomeDependencies, publishOutcome } from '../shared/window/publish-outcome.ts';

export const recordOutcomeInputSchema = z.object({
  ...taskInputShape,
  generation: z.int().min(1),
  /** The last signal that the execution has seen. */
  ackSeq: z.int().min(0),
  outcome: outcomeSchema,
  /** The session's status that decided the outcome. */
  status: z.string().optional(),
  statusReason: z.string().nullable(),
  disconnectedAtMs: epochMsSchema,
  /** When the session entered the status that decided the outcome. */
  endedAtMs: epochMsSchema,
  connectionAttempts: z.int().min(0),
});
export type RecordOutcomeInput = z.infer<typeof recordOutcomeInputSchema>;

/**
 * Closes the window with its outcome, writes the outcome as an item of its own, and publishes it: in this
 * order, each step harmless when repeated, so that the task's retry completes what a process that died left undone.
 *
 * @returns the window's mailbox; `connectionAttempts` as in the outcome event, once it is recorded.
 * @throws WindowNotOpenError when there is no such window.
 * @throws DependencyUnavailableException
 */
export async function recordOutcome(
  input: RecordOutcomeInput,
  dependencies: PublishOutcomeDependencies,
): Promise<ClosedWindow> {
  const { table, clock, log, settings } = dependencies;
  const closing = { ...input, nowMs: clock.nowMs(), retentionDays: settings.OUTCOME_RETENTION_DAYS };
  const closed = await closeWindow(table, input, closing);
  if (!closed.recorded) {
    log.info('OutcomePostponed', { generation: input.generation, seq: closed.seq });
    return closed;
  }
  const { connectionAttempts } = await publishOutcome(
    { ...input, connectionAttempts: closed.connectionAttempts },
    dependencies,
  );
  return { ...closed, connectionAttempts };
}

export const recordOutcomeTask = defineTask({
  settings: ['EVENT_BUS_NAME', 'EVENT_SOURCE', 'OUTCOME_RETENTION_DAYS'],
  clients: ['eventBridge'],
  input: recordOutcomeInputSchema,
  decide: recordOutcome,
});
