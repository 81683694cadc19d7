import * as z from 'zod';
import type { Clock } from '../shared/runtime/clock.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { type MailboxDependencies, signalWindow } from '../shared/window/mailbox.ts';
import { readWaitingList, rememberGroup } from '../shared/window/waiting-sessions.ts';

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

export interface SignalConnectionDependencies extends MailboxDependencies {
  readonly clock: Clock;
}

/**
 * Tells the session's open window that a connection was created. A repeat, by its execution's name, counts once. It
 * also keeps that the service has the session's stream group.
 *
 * Why: docs/decisions/windows.md#a-disconnect-that-only-our-own-api-saw-opens-no-window
 */
export async function signalConnection(
  input: SignalWindowInput,
  dependencies: SignalConnectionDependencies,
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
  await keepGroup(streamGroupId, dependencies);
  return { signalled: window !== undefined };
}

/** One read; a write only for the first connection of a group. What fails here the next connection makes good. */
async function keepGroup(
  streamGroupId: string,
  { table, clock, log }: SignalConnectionDependencies,
): Promise<void> {
  try {
    const nowMs = clock.nowMs();
    const { isKnown } = await readWaitingList(table, streamGroupId, nowMs);
    if (!isKnown) await rememberGroup(table, streamGroupId, nowMs);
  } catch (error) {
    log.error('GroupNotKept', error);
  }
}

export const signalWindowTask = defineTask({
  clients: ['stepFunctions'],
  input: signalWindowInputSchema,
  decide: signalConnection,
});
