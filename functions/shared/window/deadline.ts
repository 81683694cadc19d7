/**
 * When the service ends a session that nobody comes back to: the beginning of the wait plus
 * ConnectionTimeoutSeconds, cut by the session's own maximum length. All in epoch milliseconds.
 */
export function deadlineOf(wait: {
  readonly sinceMs: number;
  readonly connectionTimeoutSeconds: number;
  readonly sessionEndsAtMs: number | null | undefined;
}): number {
  const timeoutMs = wait.sinceMs + wait.connectionTimeoutSeconds * 1000;
  return Math.min(timeoutMs, wait.sessionEndsAtMs ?? Number.POSITIVE_INFINITY);
}

/** How far the clocks of two feeds may differ before their times are taken for two different moments. */
export const CLOCK_SKEW_MS = 2000;

/**
 * How long CONNECTED may mean that the service has not noticed the loss yet, in ms, counted from the first report of
 * the loss or the first request of the player. How soon the service notices is not documented; WebRTC consent runs out
 * after 30 s (RFC 7675, section 5.1), and this is twice that.
 */
export const LOSS_NOTICE_MS = 60_000;
