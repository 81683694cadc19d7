/**
 * The mark of an end on purpose: one item beside the session's window, written before the session is terminated. It tells a
 * player who left, and an operator who ended the session, from a player who was lost.
 */
import * as z from 'zod';
import type { SessionKey } from '../contracts/index.ts';
import { endMarkKey } from '../contracts/table-keys.ts';
import { epochSeconds, putIf, readItem, type Table, updateIf, wholeNumberSchema } from '../runtime/table.ts';
import { CLOCK_SKEW_MS } from './deadline.ts';

export const endedBySchema = z.enum(['LEFT', 'OPERATOR']);
export type EndedBy = z.infer<typeof endedBySchema>;

const endMarkSchema = z.object({
  endedBy: endedBySchema,
  markedAtMs: wholeNumberSchema,
  /** Whether the service is known not to have taken the termination. Earlier code does not say so. */
  isRefused: z.boolean().optional(),
});
export type EndMark = z.infer<typeof endMarkSchema>;

/** A session lives 24 h at most, and its window an hour longer. */
const RETENTION_MS = 25 * 3600 * 1000;
/** Within this time the first mark stays, because the first termination is the one that the service has carried out. */
const FIRST_STAYS_MS = 60_000;

/**
 * Marks the session as ended on purpose. Of two marks within a minute the first stays, unless its termination was refused; an
 * older one is replaced, because its player must have come back.
 *
 * @returns the mark; undefined when an earlier one stays.
 * @throws DependencyUnavailableException
 */
export async function markEnd(
  table: Table,
  session: SessionKey,
  { endedBy, nowMs }: { readonly endedBy: EndedBy; readonly nowMs: number },
): Promise<EndMark | undefined> {
  const markedAtMs = Math.floor(nowMs);
  const isMarked = await putIf(
    table,
    { ...endMarkKey(session), endedBy, markedAtMs, expiresAt: epochSeconds(nowMs + RETENTION_MS) },
    {
      ConditionExpression: 'attribute_not_exists(pk) OR markedAtMs < :staleMs OR isRefused = :true',
      ExpressionAttributeValues: { ':staleMs': markedAtMs - FIRST_STAYS_MS, ':true': true },
    },
  );
  return isMarked ? { endedBy, markedAtMs } : undefined;
}

/**
 * Notes on a mark that the service has not taken its termination. The mark stays: a player who left and does not come back
 * was not lost. Another mark that stands by now is left as it is.
 *
 * @throws DependencyUnavailableException
 */
export async function noteRefusedEnd(
  table: Table,
  session: SessionKey,
  { endedBy, markedAtMs }: EndMark,
): Promise<void> {
  await updateIf(table, endMarkKey(session), {
    UpdateExpression: 'SET isRefused = :true',
    ConditionExpression: 'endedBy = :endedBy AND markedAtMs = :markedAtMs',
    ExpressionAttributeValues: { ':true': true, ':endedBy': endedBy, ':markedAtMs': markedAtMs },
  });
}

/**
 * Reads the session's mark in its latest state.
 *
 * @returns undefined when the session was not ended on purpose.
 * @throws DependencyUnavailableException
 */
export async function readEndMark(table: Table, session: SessionKey): Promise<EndMark | undefined> {
  const item = await readItem(table, endMarkKey(session));
  return item === undefined ? undefined : endMarkSchema.parse(item);
}

/** What a window knows of the end that a mark may explain. */
export interface MarkedEnd {
  readonly statusReason: string | null;
  readonly disconnectedAtMs: number;
  /** 0 when no connection was created in this window. */
  readonly connectionCreatedAtMs: number;
}

/**
 * Returns who ended the session of a window. A mark explains a termination by the API at any time, unless the service is known
 * to have refused the mark's own. The mark of a termination that failed explains the end of the loss that it was about, and no
 * later one: a player who comes back after the mark has not left.
 */
export function endedByOf(
  mark: EndMark | undefined,
  { statusReason, disconnectedAtMs, connectionCreatedAtMs }: MarkedEnd,
): EndedBy | undefined {
  if (mark === undefined) return undefined;
  const isLater = Math.max(disconnectedAtMs, connectionCreatedAtMs) > mark.markedAtMs + CLOCK_SKEW_MS;
  const isByApi = statusReason === 'apiTerminated' && mark.isRefused !== true;
  return isByApi || !isLater ? mark.endedBy : undefined;
}
