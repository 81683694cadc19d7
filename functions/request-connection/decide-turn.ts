/**
 * What a place in line means at one moment, by what was read of it: a decision without a call, so that every rule of
 * it can be tried by itself.
 */
import { compareDeadlines, deadlinesOf, isBehind, type Rank } from '../shared/quota/deadline-bucket.ts';
import type { LineState } from '../shared/quota/line.ts';
import { nextPermitMs, type PermitState, paceOf } from '../shared/quota/permits.ts';
import type { Place } from '../shared/quota/places.ts';

export type Turn =
  | { readonly kind: 'NOW' }
  /** The place is kept; the same request finds it again. */
  | { readonly kind: 'LATER'; readonly retryAfterSeconds: number }
  /** All calls before the deadline are promised. One may become free if somebody does not return. */
  | { readonly kind: 'NOT_IN_TIME'; readonly retryAfterSeconds: number }
  /** The service said a few seconds ago that it does not know the session. */
  | { readonly kind: 'NOT_FOUND' }
  /** Another offer for the session came later. */
  | { readonly kind: 'SUPERSEDED' }
  /** The session is being terminated before its deadline. */
  | { readonly kind: 'ENDING' };

/** A longer wait would be idling in a Lambda; the caller's own waiting costs nothing. */
const WAIT_MS = 3000;
/** Sessions with earlier deadlines may come meanwhile, so the line is looked at again. */
const LOOK_AGAIN_MS = 500;
/** From here to the booking of the permit: an execution's start, a cold one excepted. */
export const LEAD_MS = 300;
/** How long before its turn a session is asked to come back. */
const BACK_BEFORE_SECONDS = 1;
/** Turns come sooner than told when the sessions ahead do not return, so no session stays away for longer. */
const LONGEST_AWAY_SECONDS = 10;
/** Of a storm's players some have ten seconds and some an hour, and all may ask within the same half second. */
const TIME_TO_SPARE_MS = 60_000;
const FIRST_MOMENT_MS = 500;
/**
 * Idle permits mean that the sessions ahead are not asking, so a session that has stood in line for a second may go first.
 * Many sessions may see the same permit idle, so each takes it by chance: one in ten of the line for each idle permit. A
 * session without a number waits until half a second's worth is idle.
 */
const IDLE_AFTER_MS = 1000;
const IDLE_PERMITS = 3;
const IDLE_SECONDS_WITHOUT_NUMBER = 0.5;
const IDLE_SHARE_OF_LINE = 0.1;

/**
 * Returns whether the session's call may go out now; else how long the caller waits here, or when it is to come back.
 *
 * Why: docs/decisions/quota-and-line.md#places-are-numbers-within-two-seconds-of-deadlines-and-nothing-is-taken-back
 * Why: docs/decisions/quota-and-line.md#sessions-without-an-open-window-stand-behind-those-with-one
 *
 * @param startedAtMs since when the caller waits, in epoch ms.
 * @param random 0 ≤ random() < 1.
 */
export function decideTurn(
  place: Place,
  standing: QuotaSnapshot,
  startedAtMs: number,
  random: () => number,
): Turn | { readonly kind: 'WAIT'; readonly delayMs: number } {
  const { nowMs } = standing;
  const { lineCounter: counter, lineNumber: number, deadlineMs } = place;
  // Its turn has come before, and its call may have been made: only the service can answer the same request.
  if (place.isServed === true) return { kind: 'NOW' };
  if (takesIdlePermit(place, standing, random)) return { kind: 'NOW' };
  const atMs =
    counter === undefined || number === undefined ? undefined : turnOf(standing, { counter, number });
  const readyMs = atMs === undefined ? undefined : atMs + leftForOthersMs(atMs, place, standing);
  if (readyMs !== undefined && readyMs <= nowMs + LEAD_MS) return { kind: 'NOW' };
  if (atMs === undefined || readyMs === undefined || atMs > deadlineMs) {
    const remainingSeconds = Math.max(1, Math.floor((deadlineMs - nowMs) / 1000));
    const retryAfterSeconds = Math.min(remainingSeconds, Math.ceil(LONGEST_AWAY_SECONDS * (0.5 + random())));
    return { kind: 'NOT_IN_TIME', retryAfterSeconds };
  }
  if (atMs > startedAtMs + WAIT_MS) {
    const awaySeconds = Math.floor((atMs - nowMs) / 1000) - BACK_BEFORE_SECONDS;
    return { kind: 'LATER', retryAfterSeconds: Math.min(LONGEST_AWAY_SECONDS, Math.max(1, awaySeconds)) };
  }
  return { kind: 'WAIT', delayMs: Math.min(LOOK_AGAIN_MS, readyMs - LEAD_MS - nowMs) };
}

/**
 * How far a session with time to spare stays behind its turn. At first it leaves the saved permits to those that have less
 * time and come in the same moment, and takes what the quota gives anew. Without saved permits there is nothing to leave.
 */
function leftForOthersMs(atMs: number, { askedAtMs, deadlineMs }: Place, standing: QuotaSnapshot): number {
  const { nowMs } = standing;
  const hasTime = deadlineMs - nowMs > TIME_TO_SPARE_MS && nowMs - askedAtMs < FIRST_MOMENT_MS;
  return hasTime && atMs < nowMs ? longestAheadMs(standing) : 0;
}

function takesIdlePermit(place: Place, standing: QuotaSnapshot, random: () => number): boolean {
  const { line, nowMs, perSecond } = standing;
  // A clock that was ahead may have written `askedAtMs`: such a place has stood in line for long enough.
  if (Math.abs(nowMs - place.askedAtMs) < IDLE_AFTER_MS) return false;
  const spare = sparePermits(standing);
  const isInLine = place.lineNumber !== undefined;
  const enough = isInLine ? IDLE_PERMITS : perSecond * IDLE_SECONDS_WITHOUT_NUMBER;
  // With a quota of two a second, or while the account is throttled, so many are never idle at once.
  if (spare < Math.min(enough, mostSparePermits(standing))) return false;
  const rank = deadlinesOf(place.lineCounter ?? '')?.rank ?? 'UNKNOWN';
  return random() < spare / (1 + waitingInLine(line, nowMs, rank) * IDLE_SHARE_OF_LINE);
}

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
