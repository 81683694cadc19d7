import { bucketEndMs, type LineState } from './table/line.ts';
import { nextPermitMs, type PermitState, paceOf } from './table/permits.ts';

export interface Standing {
  readonly line: LineState;
  readonly permits: PermitState;
  readonly perSecond: number;
  readonly nowMs: number;
}

/**
 * When a number's call may go out, in epoch ms, if everybody before it is there: those with earlier deadlines
 * first, as many of them as can be saved by then, then the lower numbers of the same deadlines. In the past when
 * it may go out at once.
 */
export function turnMs(
  { line, permits, perSecond, nowMs }: Standing,
  place: { readonly bucket: number; readonly number: number },
): number {
  const pace = paceOf(permits, perSecond, nowMs);
  let freeMs = nextPermitMs(permits, pace, nowMs);
  let servedBefore = 0;
  for (const { bucket, drawn, served } of line) {
    if (bucket === place.bucket) servedBefore = served;
    const endMs = bucketEndMs(bucket);
    if (bucket >= place.bucket || endMs <= nowMs) continue;
    // Whoever has not had a call by then is lost, and takes none.
    freeMs = Math.max(freeMs, Math.min(freeMs + (drawn - served) * pace.intervalMs, endMs));
  }
  return freeMs + Math.max(0, place.number - servedBefore) * pace.intervalMs;
}

/** The number that would be drawn next. */
export function nextNumber(line: LineState, bucket: number): number {
  return line.find((other) => other.bucket === bucket)?.drawn ?? 0;
}

/** How many calls could go out this moment. */
export function sparePermits({ permits, perSecond, nowMs }: Omit<Standing, 'line'>): number {
  const pace = paceOf(permits, perSecond, nowMs);
  const savedMs = nowMs - nextPermitMs(permits, pace, nowMs);
  return Math.max(0, Math.floor(savedMs / pace.intervalMs) + 1);
}

/** How many calls could go out in a moment at most, after nobody has called for a while. */
export function mostSparePermits({ permits, perSecond, nowMs }: Omit<Standing, 'line'>): number {
  const pace = paceOf(permits, perSecond, nowMs);
  return Math.floor(pace.burstMs / pace.intervalMs) + 1;
}

/** How many numbers wait whose deadline has not passed. */
export function waitingInLine(line: LineState, nowMs: number): number {
  return line
    .filter(({ bucket }) => bucketEndMs(bucket) > nowMs)
    .reduce((sum, { drawn, served }) => sum + Math.max(0, drawn - served), 0);
}
