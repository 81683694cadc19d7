import type { Clock } from 'local-server-kit';

/** How a call waits inside the server. */
export interface Activity {
  sleep(delayMs: number): Promise<void>;
  /** Waits for something that is not this clock's. The default is to await it. */
  untracked?<Result>(wait: () => Promise<Result>): Promise<Result>;
}

/** The ways in which a call waits for its reply. */
export interface Waiting {
  /** Waits until the clock shows `atMs` or later. */
  readonly until: (atMs: number) => Promise<void>;
  /** Waits until the caller is gone, or no caller would be there any more. */
  readonly inVain: (callerGone: AbortSignal | undefined) => Promise<void>;
}

/** How long a caller may wait for a reply that does not come. Longer than any function runs. */
const HELD_OPEN_MS = 15 * 60 * 1000;

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

/** Keeps a call without a reply until its caller gives up, so that nothing sleeps on in the caller's name. */
export async function holdOpen(clock: Clock, activity: Activity, callerGone?: AbortSignal): Promise<void> {
  const untracked = activity.untracked?.bind(activity) ?? ((wait) => wait());
  await untracked(
    () =>
      new Promise<void>((resolve) => {
        if (callerGone?.aborted) return resolve();
        const cancel = clock.setTimer(HELD_OPEN_MS, resolve);
        callerGone?.addEventListener('abort', () => {
          cancel();
          resolve();
        });
      }),
  );
}
