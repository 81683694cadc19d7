import { compareDeadlines, deadlinesOf, isBehind, type Rank } from './deadline-bucket.ts';
import type { LineState } from './line.ts';
import { nextPermitMs, type PermitState, paceOf } from './permits.ts';

export interface QuotaSnapshot {
  readonly line: LineState;
  readonly permits: PermitState;
  readonly perSecond: number;
  readonly nowMs: number;
}

/**
 * When a number's call may go out, in epoch ms, if every session before it is there. In the past when it may go out at
 * once. Before it are the earlier buckets of the line, each with as many numbers as can be called before it is over, and
 * then the lower numbers of its own counter.
 */
export function turnOf(
  { line, permits, perSecond, nowMs }: QuotaSnapshot,
  place: { readonly counter: string; readonly number: number },
): number {
  const own = deadlinesOf(place.counter);
  const pace = paceOf(permits, perSecond, nowMs);
  let freeMs = nextPermitMs(permits, pace, nowMs);
  let servedBefore = 0;
  for (const bucket of line) {
    const { counter, drawn, served, endMs } = bucket;
    if (counter === place.counter) servedBefore = served;
    if (endMs <= nowMs || own === undefined || compareDeadlines(bucket, own) >= 0) continue;
    // A session that has had no call by then is lost, and takes none.
    freeMs = Math.max(freeMs, Math.min(freeMs + (drawn - served) * pace.intervalMs, endMs));
  }
  return freeMs + Math.max(0, place.number - servedBefore) * pace.intervalMs;
}

/** The number that would be drawn next. */
export function nextNumber(line: LineState, counter: string): number {
  return line.find((other) => other.counter === counter)?.drawn ?? 0;
}

/**
 * How many calls could go out this moment.
 *
 * Why: docs/decisions/quota-and-line.md#idle-permits-are-three-or-as-many-as-the-burst-can-hold
 */
export function sparePermits({ permits, perSecond, nowMs }: Omit<QuotaSnapshot, 'line'>): number {
  const pace = paceOf(permits, perSecond, nowMs);
  const savedMs = nowMs - nextPermitMs(permits, pace, nowMs);
  return Math.max(0, Math.floor(savedMs / pace.intervalMs) + 1);
}

/** How far calls may run ahead of the even spacing, in ms, after nobody has called for a while. */
export function longestAheadMs({ permits, perSecond, nowMs }: Omit<QuotaSnapshot, 'line'>): number {
  return paceOf(permits, perSecond, nowMs).burstMs;
}

/** How many calls could go out in a moment at most, after nobody has called for a while. */
export function mostSparePermits({ permits, perSecond, nowMs }: Omit<QuotaSnapshot, 'line'>): number {
  const pace = paceOf(permits, perSecond, nowMs);
  return Math.floor(pace.burstMs / pace.intervalMs) + 1;
}

/** How many numbers of this rank and of those before it wait whose deadline has not passed. */
export function waitingInLine(line: LineState, nowMs: number, rank: Rank): number {
  return line
    .filter((bucket) => bucket.endMs > nowMs && !isBehind(bucket.rank, rank))
    .reduce((sum, { drawn, served }) => sum + Math.max(0, drawn - served), 0);
}
