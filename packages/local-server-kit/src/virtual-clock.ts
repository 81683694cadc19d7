import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from './clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

const STEP_MS = 10;

/** One piece of tracked work, with the strands of it that let time move on. */
interface Work {
  asleep: number;
  hasEnded: boolean;
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
  readonly #work = new AsyncLocalStorage<Work>();
  readonly #timers = new Set<Timer>();
  readonly #idleWaiters = new Set<() => void>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  /** Whole milliseconds, as `Date.now()` gives them. Timers are exact. */
  nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Time stands still while `run` does, except where it sleeps on this clock. */
  async track<Result>(run: () => Promise<Result>): Promise<Result> {
    const work: Work = { asleep: 0, hasEnded: false };
    this.#busy++;
    try {
      return await this.#work.run(work, run);
    } finally {
      // A process that was killed leaves strands asleep. They wake for nobody: counted as awake, one of them held time
      // for ever.
      work.hasEnded = true;
      this.#busy += work.asleep;
      this.#release();
    }
  }

  /** For tracked work that waits for others' work: time may move on until `wait` has ended. */
  async untracked<Result>(wait: () => Promise<Result>): Promise<Result> {
    const goOn = this.#pause();
    try {
      return await wait();
    } finally {
      goOn();
    }
  }

  /** For tracked work that waits: time may move on while it sleeps. */
  async sleep(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const goOn = this.#pause();
      this.setTimer(delayMs, () => {
        goOn();
        resolve();
      });
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

  /**
   * Moves time on until the work has ended. In small steps, because a request on its way through a socket is not tracked
   * before its server has it.
   */
  async until<Result>(work: Promise<Result>): Promise<Result> {
    let hasEnded = false;
    const end = () => {
      hasEnded = true;
    };
    work.then(end, end);
    while (!hasEnded) await this.advance(STEP_MS);
    return work;
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

  /** What sleeps on the other side of a socket does so in the name of whoever waits for its reply. */
  #pause(): () => void {
    const work = this.#work.getStore();
    const isTracked = work === undefined ? this.#busy > 0 : !work.hasEnded;
    if (!isTracked) return () => {};
    if (work !== undefined) work.asleep++;
    this.#release();
    return () => {
      if (work?.hasEnded === true) return;
      if (work !== undefined) work.asleep--;
      this.#busy++;
    };
  }

  #release(): void {
    this.#busy--;
    if (this.#busy > 0) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
  }
}
