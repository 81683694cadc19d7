import type { Correction } from '../shared/window/correct-deadline.ts';
import { CLOCK_SKEW_MS, deadlineOf } from '../shared/window/deadline.ts';
import type { Disconnect } from '../shared/window/open-window.ts';
import type { WindowItem } from '../shared/window/window-item.ts';

/**
 * What a further report of a window's disconnect changes in its deadline. Feeds know it differently well: the
 * watcher has the service's LastUpdatedAt and no timeout, a backend the moment and, as a rule, the timeout.
 *
 * The earliest credible deadline counts: one that is too early costs a look, one that is too late costs the
 * outcome its time. A later one replaces only a default that nobody has told. Differences that two clocks may
 * have change nothing.
 *
 * @returns undefined when the window's deadline stands.
 */
export function credibleCorrection(
  window: WindowItem,
  report: Disconnect,
  nowMs: number,
): Correction | undefined {
  if (window.phase !== 'AWAITING_RECONNECTION') return undefined;
  const connectionTimeoutSeconds = report.connectionTimeoutSeconds ?? window.connectionTimeoutSeconds;
  const sessionEndsAtMs = report.sessionEndsAtMs ?? window.sessionEndsAtMs;
  const deadlineSince = (sinceMs: number) =>
    deadlineOf({ sinceMs, connectionTimeoutSeconds, sessionEndsAtMs });

  const sinceMs = window.pendingSinceMs ?? window.disconnectedAtMs;
  const isEarlier =
    report.disconnectedAtMs < sinceMs - CLOCK_SKEW_MS &&
    // Of this disconnect, not of one before it that the service has seen reconnected, …
    report.disconnectedAtMs > (window.previousOutcomeAtMs ?? 0) &&
    sinceMs === window.disconnectedAtMs &&
    // … and not so early that the service would have ended the session.
    deadlineSince(report.disconnectedAtMs) > nowMs;
  const corrected = deadlineSince(isEarlier ? report.disconnectedAtMs : sinceMs);
  const laterByMs = corrected - window.deadlineMs;
  const isTold = window.isDefaultTimeout === true && report.connectionTimeoutSeconds !== undefined;
  return laterByMs < -CLOCK_SKEW_MS || (isTold && laterByMs > CLOCK_SKEW_MS)
    ? { deadlineMs: corrected, connectionTimeoutSeconds }
    : undefined;
}
