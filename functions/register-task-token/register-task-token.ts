import * as z from 'zod';
import { windowPhaseSchema } from '../shared/contracts/index.ts';
import type { Metrics } from '../shared/runtime/metrics.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { type MailboxDependencies, registerTaskToken } from '../shared/window/mailbox.ts';

export const registerTaskTokenInputSchema = z.object({
  ...taskInputShape,
  taskToken: z.string().min(1).max(2048),
  generation: z.int().min(1),
  phase: windowPhaseSchema.extract(['AWAITING_RECONNECTION', 'AWAITING_CLIENT', 'AWAITING_END']),
  deadlineMs: epochMsSchema,
  pendingSinceMs: epochMsSchema,
  ackSeq: z.int().min(0),
  waitNumber: z.int().min(0),
  retryCount: z.int().min(0),
  /** When the service was seen waiting for a client; 0 while it has not been. */
  seenWaitingAtMs: epochMsSchema.optional(),
  /** Only when the window waits for the service: how often in a row it could not be read. */
  serviceChecks: z.int().min(1).optional(),
});
export type RegisterTaskTokenInput = z.infer<typeof registerTaskTokenInputSchema>;

export interface RegisterTaskTokenDependencies extends MailboxDependencies {
  readonly metrics: Metrics;
}

/** Begins a wait of a reconnection window. Returns nothing: the state's result is the signal. */
export async function beginWait(
  input: RegisterTaskTokenInput,
  dependencies: RegisterTaskTokenDependencies,
): Promise<void> {
  const { streamGroupId, streamSessionId, executionName: _, ...registration } = input;
  const { serviceChecks, retryCount } = registration;
  await registerTaskToken({ streamGroupId, streamSessionId }, registration, dependencies);
  // Only of the first attempt, because a repeat may have been counted before its reply was lost.
  if (serviceChecks === 1 && retryCount === 0) dependencies.metrics.add('WindowsWaitingForService', 1);
}

export const registerTaskTokenTask = defineTask({
  clients: ['stepFunctions'],
  input: registerTaskTokenInputSchema,
  decide: beginWait,
});
