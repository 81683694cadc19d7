import * as z from 'zod';
import { windowPhaseSchema } from '../shared/contracts.ts';
import { type MailboxDependencies, registerTaskToken as register } from '../shared/table/mailbox.ts';
import { epochMsSchema, taskInputShape } from '../shared/task.ts';

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
});
export type RegisterTaskTokenInput = z.infer<typeof registerTaskTokenInputSchema>;

/** The beginning of every wait of a reconnection window. Returns nothing: the state's result is the signal. */
export async function registerTaskToken(
  input: RegisterTaskTokenInput,
  dependencies: MailboxDependencies,
): Promise<void> {
  const { streamGroupId, streamSessionId, executionName: _, ...registration } = input;
  await register({ streamGroupId, streamSessionId }, registration, dependencies);
}
