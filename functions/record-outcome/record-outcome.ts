import * as z from 'zod';
import { applicationArnSchema, locationSchema, type OutcomeStory } from '../shared/contracts/fields.ts';
import { outcomeSchema } from '../shared/contracts/index.ts';
import type { Table } from '../shared/runtime/table.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { causeOf } from '../shared/window/cause.ts';
import { type ClosedWindow, closeWindow } from '../shared/window/close-window.ts';
import { endedByOf, readEndMark } from '../shared/window/end-mark.ts';
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
  /** 0 when no connection was created in this window. */
  connectionCreatedAtMs: epochMsSchema.optional(),
  /** Whether the execution has tried to end the session because its player did not come back. */
  isAbandoned: z.boolean().optional(),
  executionArn: z.string().max(2048).optional(),
  applicationArn: applicationArnSchema.nullish(),
  location: locationSchema.nullish(),
});
export type RecordOutcomeInput = z.infer<typeof recordOutcomeInputSchema>;

export type RecordOutcomeResult = Omit<ClosedWindow, 'story'> & OutcomeStory;

/**
 * Closes the window with its outcome, writes the outcome as an item of its own, and publishes it: in this
 * order, each step harmless when repeated, so that the task's retry completes what a process that died left undone.
 *
 * @returns the window's mailbox; `connectionAttempts` and the outcome's story as in its event, once it is recorded.
 * @throws WindowNotOpenError when there is no such window.
 * @throws DependencyUnavailableException
 */
export async function recordOutcome(
  input: RecordOutcomeInput,
  dependencies: PublishOutcomeDependencies,
): Promise<RecordOutcomeResult> {
  const { table, clock, log, settings } = dependencies;
  const retentionDays = settings.OUTCOME_RETENTION_DAYS;
  const closing = { ...input, story: await storyOf(input, table), nowMs: clock.nowMs(), retentionDays };
  const { story, ...closed } = await closeWindow(table, input, closing);
  if (!closed.recorded) {
    log.info('OutcomePostponed', { generation: input.generation, seq: closed.seq });
    return closed;
  }
  const { connectionAttempts, cause, applicationArn, location } = await publishOutcome(
    { ...input, connectionAttempts: closed.connectionAttempts, story },
    dependencies,
  );
  return { ...closed, connectionAttempts, cause, applicationArn, location };
}

async function storyOf(input: RecordOutcomeInput, table: Table): Promise<OutcomeStory> {
  const { outcome, connectionCreatedAtMs = 0 } = input;
  const mark = outcome === 'TERMINATED' ? await readEndMark(table, input) : undefined;
  return {
    cause: causeOf({ ...input, endedBy: endedByOf(mark, { ...input, connectionCreatedAtMs }) }),
    applicationArn: input.applicationArn ?? undefined,
    location: input.location ?? undefined,
  };
}

export const recordOutcomeTask = defineTask({
  settings: ['EVENT_BUS_NAME', 'EVENT_SOURCE', 'OUTCOME_RETENTION_DAYS'],
  clients: ['eventBridge'],
  input: recordOutcomeInputSchema,
  decide: recordOutcome,
});
