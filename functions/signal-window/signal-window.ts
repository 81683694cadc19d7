import * as z from 'zod';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { type MailboxDependencies, signalWindow } from '../shared/window/mailbox.ts';

export const signalWindowInputSchema = z.object({
  ...taskInputShape,
  connectionCreatedAtMs: epochMsSchema,
  connectionAttempts: z.int().min(1),
});
export type SignalWindowInput = z.infer<typeof signalWindowInputSchema>;

export interface SignalWindowResult {
  /** False when no window is open: a reconnection works without one. */
  readonly signalled: boolean;
}

/**
 * Tells the session's open window that a connection was created. A repeat, by its execution's name, counts once.
 *
 * Why: docs/decisions/windows.md#a-disconnect-that-only-our-own-api-saw-opens-no-window
 */
export async function signalConnection(
  input: SignalWindowInput,
  dependencies: MailboxDependencies,
): Promise<SignalWindowResult> {
  const { streamGroupId, streamSessionId, executionName } = input;
  const window = await signalWindow(
    { streamGroupId, streamSessionId },
    {
      id: executionName,
      connection: { createdAtMs: input.connectionCreatedAtMs, attempts: input.connectionAttempts },
    },
    dependencies,
  );
  return { signalled: window !== undefined };
}

export const signalWindowTask = defineTask({
  clients: ['stepFunctions'],
  input: signalWindowInputSchema,
  decide: signalConnection,
});
