/**
 * The time a stand-in lives by: passed in, so that a test can run an hour's window in milliseconds.
 * All times are epoch milliseconds, all durations milliseconds.
 */
export interface Clock {
  nowMs(): number;
  /** Runs `callback` once, `delayMs` from now. The returned function cancels it; cancelling twice is harmless. */
  setTimer(delayMs: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
