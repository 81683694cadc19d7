import type { Clock } from '../shared/clock.ts';

/** How a call waits inside the server. */
export interface Activity {
  sleep(delayMs: number): Promise<void>;
}

/** Waits by the clock's timers, and lets go of them when the server closes. */
export class ClockSleeper implements Activity {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(delayMs, () => {
        this.#cancels.delete(cancel);
        resolve();
      });
      this.#cancels.add(cancel);
    });
  }

  /** Who still sleeps never wakes: the connections that wait for it are cut. */
  close(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}

/** A timer may fire a millisecond before the clock shows its time, so the clock decides. */
export async function sleepUntil(clock: Clock, activity: Activity, atMs: number): Promise<void> {
  for (let nowMs = clock.nowMs(); nowMs < atMs; nowMs = clock.nowMs()) await activity.sleep(atMs - nowMs);
}
