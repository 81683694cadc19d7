import * as z from 'zod';
import type { Clock } from '../shared/runtime/clock.ts';
import type { Log } from '../shared/runtime/logging.ts';
import type { Metrics } from '../shared/runtime/metrics.ts';
import type { Table } from '../shared/runtime/table.ts';
import { defineTask, taskInputShape } from '../shared/runtime/task.ts';
import { failWindow } from '../shared/window/close-window.ts';

export const recordFailureInputSchema = z.object({
  ...taskInputShape,
  generation: z.int().min(1),
  /** The error's name, as the execution will end with it. */
  error: z.string().min(1).max(256),
});
export type RecordFailureInput = z.infer<typeof recordFailureInputSchema>;

export interface RecordFailureDependencies {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: { readonly OUTCOME_RETENTION_DAYS: number };
}

/**
 * Closes the window of an execution that is about to end red, without an outcome: the next report of the same
 * disconnect opens a new window. A window that is closed already stays as it is.
 *
 * @throws DependencyUnavailableException
 */
export async function recordFailure(
  input: RecordFailureInput,
  { table, clock, log, metrics, settings }: RecordFailureDependencies,
): Promise<void> {
  const { generation, error } = input;
  const failed = await failWindow(table, input, {
    generation,
    error,
    nowMs: clock.nowMs(),
    retentionDays: settings.OUTCOME_RETENTION_DAYS,
  });
  log.warn('WindowFailed', { generation, error });
  if (failed !== undefined) metrics.add('WindowsFailed', 1);
}

export const recordFailureTask = defineTask({
  settings: ['OUTCOME_RETENTION_DAYS'],
  input: recordFailureInputSchema,
  decide: recordFailure,
});
