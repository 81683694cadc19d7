import type { Clock } from './clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until it is told to move, for tests and simulations.
 *
 * Work between two timers is real (promises, loopback HTTP), so time must not move while it runs. Whoever
 * does such work does it inside `track`; `advance` waits until everything tracked has ended or sleeps on
 * this clock, and only then goes to the next timer.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  #busy = 0;
  readonly #timers = new Set<Timer>();
  readonly #idleWaiters = new Set<() => void>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Time stands still while `work` runs, except where it sleeps on this clock. */
  async track<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#release();
    }
  }

  /** For tracked work that waits for others' work: time may move on until `work` has ended. */
  async untracked<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#release();
    try {
      return await work();
    } finally {
      this.#busy++;
    }
  }

  /** For tracked work that waits: time may move on while it sleeps. */
  async sleep(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const tracked = this.#busy > 0;
      this.setTimer(delayMs, () => {
        if (tracked) this.#busy++;
        resolve();
      });
      if (tracked) this.#release();
    });
  }

  /** Moves time on by `durationMs`, timer by timer, letting the work each one starts come to rest. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await this.idle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await this.idle();
    }
    this.#nowMs = endMs;
  }

  /** Resolves when no tracked work is under way. */
  async idle(): Promise<void> {
    // Work that a timer or a reply has just started needs some turns of the event loop to be seen.
    for (let quietTurns = 0; quietTurns < 3; quietTurns++) {
      await new Promise((resolve) => setImmediate(resolve));
      // Below zero when work has given up on something that still sleeps in its name: nothing is under way.
      if (this.#busy <= 0) continue;
      quietTurns = -1;
      await new Promise<void>((resolve) => this.#idleWaiters.add(resolve));
    }
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue;
      if (
        next === undefined ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    return next;
  }

  #release(): void {
    this.#busy--;
    if (this.#busy > 0) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
  }
}
