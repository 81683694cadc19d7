import type { CancelTimer, Clock } from 'local-server-kit';

/** The longest delay that Node's setTimeout takes (2^31 - 1 ms, 24.8 days); a longer one would fire at once. */
const MAX_DELAY_MS = 2_147_483_647;

/** Like `clock.setTimer`, for delays of any length. */
export function setLongTimer(clock: Clock, delayMs: number, callback: () => void): CancelTimer {
  const dueMs = clock.nowMs() + delayMs;
  let cancel: CancelTimer;
  const arm = (): void => {
    const leftMs = dueMs - clock.nowMs();
    cancel =
      leftMs > MAX_DELAY_MS
        ? clock.setTimer(MAX_DELAY_MS, arm)
        : clock.setTimer(Math.max(0, leftMs), callback);
  };
  arm();
  return () => cancel();
}
