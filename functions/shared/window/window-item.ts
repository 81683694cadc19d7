import * as z from 'zod';
import { reportedBySchema, storedStoryShape, toStatusReason } from '../contracts/fields.ts';
import { type Outcome, outcomeSchema, type SessionKey, windowPhaseSchema } from '../contracts/index.ts';
import { windowKey } from '../contracts/table-keys.ts';
import { readItem, type Table, type Update, updateIf, wholeNumberSchema } from '../runtime/table.ts';

/**
 * Why a session is terminated before its deadline: its player may have left (`POST …/leaving`), the report set a time
 * (`giveUpAfterSeconds`), or an operator drains its stream group.
 */
export const endEarlyForSchema = z.enum(['LEFT', 'GIVE_UP', 'OPERATOR']);
export type EndEarlyFor = z.infer<typeof endEarlyForSchema>;

/**
 * A session's latest window: one item, overwritten by the session's next window, so that every step of a
 * window's life is one conditional write. Older outcomes are items of their own (`publish-outcome.ts`).
 *
 * Why: docs/decisions/windows.md#one-item-for-a-sessions-latest-window-one-for-each-outcome
 */
export const windowItemSchema = z.object({
  generation: wholeNumberSchema,
  phase: windowPhaseSchema,
  /** The input of the window's execution: kept as first written, so that a repeated start is the same start. */
  executionInput: z.string(),
  /** Whether the execution is known to have started. */
  running: z.boolean(),
  disconnectedAtMs: wholeNumberSchema,
  /** Who has opened the window. A feed, as far as an item of earlier code tells. */
  reportedBy: reportedBySchema.optional().catch(undefined),
  /** Since when the session waits, as its execution knows it: the disconnect, or a later one found by a read. */
  pendingSinceMs: wholeNumberSchema.optional(),
  /** Until when the service keeps the session in the present phase, as far as is known. */
  deadlineMs: wholeNumberSchema,
  connectionTimeoutSeconds: wholeNumberSchema,
  /** Whether nobody has told the timeout: then it is the configured default. */
  isDefaultTimeout: z.boolean().optional(),
  sessionEndsAtMs: wholeNumberSchema.optional(),
  /** The mailbox: how many signals have come, and who has asked to be told. */
  seq: wholeNumberSchema,
  /** The last `seq` that the execution had seen when it began its present wait. */
  ackSeq: wholeNumberSchema.optional(),
  /** The signal, by its `seq`, that a feed knew the deadline better, and how. */
  correction: z
    .object({
      seq: wholeNumberSchema,
      deadlineMs: wholeNumberSchema,
      connectionTimeoutSeconds: wholeNumberSchema,
    })
    .optional(),
  /** The latest signals, so that a repeat counts once: a set that fills up, and the full one before it. */
  signalIds: z.set(z.string()).optional().catch(undefined),
  earlierSignalIds: z.set(z.string()).optional().catch(undefined),
  taskToken: z.string().optional(),
  /** Where in the execution's life the token was asked for; an older asker never replaces a newer one. */
  waitOrder: wholeNumberSchema.optional(),
  /** Only while the execution waits for the service: how often in a row it could not be read. */
  serviceChecks: wholeNumberSchema.optional(),
  connectionCreatedAtMs: wholeNumberSchema,
  connectionAttempts: wholeNumberSchema,
  /**
   * When this code last had the service's word that the session waits for a client (PENDING_CLIENT_RECONNECTION,
   * ACTIVE or RECONNECTING, in a read or a list). Absent until then: a report alone is no evidence.
   */
  seenWaitingAtMs: wholeNumberSchema.optional(),
  /**
   * The latest loss that a feed has reported while the window was open, if it was later than the disconnect: a client
   * that is CONNECTED since before it may be lost again.
   */
  lostAgainAtMs: wholeNumberSchema.optional(),
  /** When the session is to be terminated although the service still keeps it, and for whom. */
  endEarlyAtMs: wholeNumberSchema.optional(),
  endEarlyFor: endEarlyForSchema.optional().catch(undefined),
  /** What the reports have said about the loss; the first one that says it counts. */
  dropCause: storedStoryShape.dropCause,
  giveUpAfterSeconds: storedStoryShape.giveUpAfterSeconds,
  /** How the session stood when the window closed. `outcomeOf` tells the outcome. */
  outcome: outcomeSchema.exclude(['NOT_DISCONNECTED']).optional(),
  /**
   * Whether the outcome is NOT_DISCONNECTED. Apart from `outcome`, because code that does not know that value could not
   * read the item, and a watcher that cannot read one item sees none.
   */
  isNotDisconnected: z.literal(true).optional(),
  /** Brought into form again: earlier code wrote the service's text as it was. */
  statusReason: z.string().nullable().transform(toStatusReason).optional(),
  outcomeAtMs: wholeNumberSchema.optional(),
  /** What the outcome tells beside its facts; absent in windows that earlier code has closed. */
  story: z.object(storedStoryShape).optional(),
  closedAtMs: wholeNumberSchema.optional(),
  /** Why a window ended red: the error's name. */
  failure: z.string().optional(),
  /** How many windows of the same disconnect have failed before this one, in a row. */
  failedBefore: wholeNumberSchema.optional(),
  /** When the window before this one ended, as the service says. */
  previousOutcomeAtMs: wholeNumberSchema.optional(),
});
export type WindowItem = z.infer<typeof windowItemSchema>;

export type Report = Pick<WindowItem, 'dropCause' | 'giveUpAfterSeconds'>;

/** Returns what the reports of a window's loss have said about it. */
export function reportIn({ dropCause, giveUpAfterSeconds }: Report): Report {
  return { dropCause, giveUpAfterSeconds };
}

/** A wait is one attempt of its state at least; a Retry has fewer than 1,000. */
const WAIT_ORDER_STEP = 1000;

/** Returns the place of a wait in its execution's life: later waits, and later attempts of one wait, have higher numbers. */
export function waitOrderOf(waitNumber: number, retryCount: number): number {
  return waitNumber * WAIT_ORDER_STEP + retryCount;
}

/** Returns how many waits the execution had begun before this one. */
export function waitNumberOf(waitOrder: number): number {
  return Math.floor(waitOrder / WAIT_ORDER_STEP);
}

/** What closing a window takes off its item: nobody waits, and the index of open windows loses it. */
export const REMOVED_AT_CLOSE = 'taskToken, signalIds, earlierSignalIds, openIn, serviceChecks';

/** Phases in which a window waits for its end. */
export const OPEN_PHASES = {
  ':awaitingReconnection': 'AWAITING_RECONNECTION',
  ':awaitingClient': 'AWAITING_CLIENT',
  ':awaitingEnd': 'AWAITING_END',
} as const;
export const IS_OPEN = 'phase IN (:awaitingReconnection, :awaitingClient, :awaitingEnd)';

/** The outcome of a closed window; undefined while it is open and when it has failed. */
export function outcomeOf({ outcome, isNotDisconnected }: WindowItem): Outcome | undefined {
  return isNotDisconnected === true ? 'NOT_DISCONNECTED' : outcome;
}

export function isOpen(window: WindowItem): boolean {
  return window.phase !== 'CLOSED' && window.phase !== 'FAILED';
}

/**
 * @returns the session's latest window, or undefined when it never had one or its TTL has passed.
 * @throws DependencyUnavailableException
 */
export async function readWindow(table: Table, session: SessionKey): Promise<WindowItem | undefined> {
  const item = await readItem(table, windowKey(session));
  return item === undefined ? undefined : windowItemSchema.parse(item);
}

/**
 * @returns the window as it is after the update, or undefined when the condition did not hold.
 * @throws DependencyUnavailableException
 */
export async function updateWindow(
  table: Table,
  session: SessionKey,
  update: Update,
): Promise<WindowItem | undefined> {
  const item = await updateIf(table, windowKey(session), update);
  return item === undefined ? undefined : windowItemSchema.parse(item);
}

/**
 * Notes on an open window that the service was seen waiting for the session's client; what was noted before stays.
 *
 * @throws DependencyUnavailableException
 */
export async function noteSeenWaiting(
  table: Table,
  session: SessionKey,
  generation: number,
  seenWaitingAtMs: number,
): Promise<void> {
  await updateWindow(table, session, {
    UpdateExpression: 'SET seenWaitingAtMs = :seen',
    ConditionExpression: `generation = :generation AND ${IS_OPEN} AND attribute_not_exists(seenWaitingAtMs)`,
    ExpressionAttributeValues: { ...OPEN_PHASES, ':generation': generation, ':seen': seenWaitingAtMs },
  });
}
