import * as z from 'zod';
import { windowPhaseSchema } from '../shared/contracts/index.ts';
import { WINDOW_OPENED_DETAIL_TYPE } from '../shared/contracts/names.ts';
import type { Metrics } from '../shared/runtime/metrics.ts';
import { type EventBus, publish } from '../shared/runtime/publish-events.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { announcementOf, isAnotherDeadline } from '../shared/window/announce-window.ts';
import { type MailboxDependencies, registerTaskToken } from '../shared/window/mailbox.ts';
import { isOpen, readWindow, waitOrderOf } from '../shared/window/window-item.ts';

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
  /** The deadline that receivers of events know; 0 when the window was not announced. */
  toldDeadlineMs: epochMsSchema.optional(),
  executionArn: z.string().max(2048).optional(),
});
export type RegisterTaskTokenInput = z.infer<typeof registerTaskTokenInputSchema>;

export interface RegisterTaskTokenDependencies extends MailboxDependencies, EventBus {
  readonly metrics: Metrics;
}

/**
 * Begins a wait of a reconnection window. Returns nothing: the state's result is the signal.
 *
 * A deadline that receivers do not know is announced before the wait begins. So the state's Retry announces it until the
 * bus has taken it, and a signal that ends the wait at once cannot end that.
 *
 * Why: docs/decisions/events.md#an-opening-is-announced-at-least-once-and-delays-nothing
 *
 * @throws what `registerTaskToken` throws.
 */
export async function beginWait(
  input: RegisterTaskTokenInput,
  dependencies: RegisterTaskTokenDependencies,
): Promise<void> {
  const { streamGroupId, streamSessionId, executionName: _, ...registration } = input;
  const { serviceChecks, retryCount } = registration;
  await announceDeadline(input, dependencies);
  await registerTaskToken({ streamGroupId, streamSessionId }, registration, dependencies);
  // Only of the first attempt, because a repeat may have been counted before its reply was lost.
  if (serviceChecks === 1 && retryCount === 0) dependencies.metrics.add('WindowsWaitingForService', 1);
}

/** A session that is ending has no deadline any more: its outcome follows. */
async function announceDeadline(
  { phase, deadlineMs, toldDeadlineMs, executionArn, ...input }: RegisterTaskTokenInput,
  dependencies: RegisterTaskTokenDependencies,
): Promise<void> {
  if (phase === 'AWAITING_END' || toldDeadlineMs === undefined || executionArn === undefined) return;
  if (!isAnotherDeadline(deadlineMs, toldDeadlineMs)) return;
  const window = await readWindow(dependencies.table, input);
  if (window?.generation !== input.generation || !isOpen(window)) return;
  const announced = { ...window, deadlineMs, waitOrder: waitOrderOf(input.waitNumber, input.retryCount) };
  await publish(dependencies, WINDOW_OPENED_DETAIL_TYPE, announcementOf(input, announced, executionArn));
}

export const registerTaskTokenTask = defineTask({
  settings: ['EVENT_BUS_NAME', 'EVENT_SOURCE'],
  clients: ['eventBridge', 'stepFunctions'],
  input: registerTaskTokenInputSchema,
  decide: beginWait,
});
