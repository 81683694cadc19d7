/**
 * How often a disconnect whose windows end red is tried again, and how soon. Two things may kill an execution:
 * what passes (somebody stopped it, a dependency was down) and what stays (a bug, a missing permission). Nobody
 * can tell them apart, so there are three tries within a minute, then one now and then for as long as somebody
 * says that the session waits.
 */
import { CLOCK_SKEW_MS } from './deadline.ts';
import type { WindowItem } from './window-item.ts';

/** What kills four executions of one disconnect in a row will kill the fifth. */
const MAX_REPLACEMENTS = 3;
/** Before the first, second and third replacement. A window may be as short as 10 s, so the first has no delay. */
const REPLACEMENT_DELAYS_MS: readonly number[] = [0, 5000, 30_000];
const FIRST_RETRY_MS = 60_000;
const MAX_RETRY_MS = 3_600_000;

/** What an execution found out about its session and ended with: trying again would find the same. */
const VERDICTS: ReadonlySet<string> = new Set([
  'SessionNotFound',
  // Only of executions that began on a definition of 2026-11-21 or before.
  'SessionNotEnded',
  'UnexpectedSessionStatus',
]);

type RedEnd = Pick<WindowItem, 'failedBefore' | 'failure'>;

/** Whether another window may follow this one at once, should it end red. */
export function canBeRetried({ failedBefore = 0 }: RedEnd): boolean {
  return failedBefore < MAX_REPLACEMENTS;
}

/**
 * How long the window that follows this one waits before it does anything.
 *
 * Why: docs/decisions/failed-windows.md#three-replacements-after-0-5-and-30-s-waited-for-in-the-state-machine
 */
export function replacementDelayMs({ failedBefore = 0 }: RedEnd): number {
  return REPLACEMENT_DELAYS_MS[failedBefore] ?? 0;
}

/**
 * Whether the window ended red by what the service says of its session, and not by a breakage.
 *
 * Why: docs/decisions/failed-windows.md#a-failure-that-a-person-must-look-at-is-not-retried
 */
export function isVerdict({ failure }: RedEnd): boolean {
  return failure !== undefined && VERDICTS.has(failure);
}

/**
 * Since when a session whose window ended red, and was not replaced at once, is due for another, in epoch ms. A later
 * drop is; the same one after a minute, 2, 4, … an hour.
 *
 * @param disconnectedAtMs of the report in hand; undefined when it has none, or none that counts.
 * @returns undefined when it is not due yet.
 */
export function retryDueSinceMs(
  closed: Pick<WindowItem, 'disconnectedAtMs' | 'failedBefore' | 'closedAtMs'>,
  disconnectedAtMs: number | undefined,
  nowMs: number,
): number | undefined {
  const { closedAtMs = 0, failedBefore = 0 } = closed;
  if (disconnectedAtMs !== undefined && disconnectedAtMs > closed.disconnectedAtMs + CLOCK_SKEW_MS) {
    return Math.min(disconnectedAtMs, nowMs);
  }
  const dueAtMs = closedAtMs + Math.min(FIRST_RETRY_MS * 2 ** failedBefore, MAX_RETRY_MS);
  return nowMs >= dueAtMs ? dueAtMs : undefined;
}

/** Whether it is due now: `retryDueSinceMs` has what and when. */
export function isRetryDue(...report: Parameters<typeof retryDueSinceMs>): boolean {
  return retryDueSinceMs(...report) !== undefined;
}
