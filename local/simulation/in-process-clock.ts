import type { VirtualClock } from 'local-server-kit';

/** A clock that stands still until it is told to move, with sockets (`VirtualClock`) or without (`InProcessClock`). */
export type SimulatedClock = Pick<VirtualClock, keyof VirtualClock>;

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/**
 * Virtual time without input or output: between two timers there are only promises, so the same seed gives the same history
 * to the last step. A heap holds a hundred thousand timers, and each millisecond in which something happens takes one turn
 * of the event loop.
 */
export class InProcessClock implements SimulatedClock {
  #nowMs: number;
  #order = 0;
  readonly #heap: Timer[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(delayMs, resolve);
    });
  }

  /** Due in whole milliseconds, as Node's timers are. */
  setTimer(delayMs: number, callback: () => void): () => void {
    const timer: Timer = {
      dueMs: Math.ceil(this.#nowMs + Math.max(0, delayMs)),
      order: this.#order++,
      callback,
    };
    this.#push(timer);
    return () => {
      timer.callback = undefined;
    };
  }

  /** Moves on until nothing is due any more, until `endMs`, or until `isDone` says so. */
  async run(endMs = Number.POSITIVE_INFINITY, isDone: () => boolean = () => false): Promise<void> {
    await settle();
    for (
      let next = this.#heap[0];
      next !== undefined && next.dueMs <= endMs && !isDone();
      next = this.#heap[0]
    ) {
      this.#nowMs = next.dueMs;
      while (this.#heap[0]?.dueMs === this.#nowMs) this.#pop()?.callback?.();
      await settle();
    }
  }

  /** Nothing needs to be tracked: no work is on its way through a socket. */
  track<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  untracked<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  /** Moves time on by `durationMs`. */
  async advance(durationMs: number): Promise<void> {
    this.setTimer(durationMs, () => {});
    await this.run(this.nowMs() + durationMs);
  }

  /** Resolves when every promise that can go on has gone on. */
  async idle(): Promise<void> {
    await this.run(this.nowMs());
  }

  /**
   * Moves time on until the work has ended, and no further.
   *
   * @throws Error when nothing is due that could end it: something waits for ever.
   */
  async until<Result>(work: Promise<Result>): Promise<Result> {
    let hasEnded = false;
    const end = () => {
      hasEnded = true;
    };
    work.then(end, end);
    await this.run(Number.POSITIVE_INFINITY, () => hasEnded);
    if (!hasEnded) throw new Error('Nothing is due any more, and the work has not ended.');
    return work;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, timer)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      let child = heap[left];
      if (child === undefined) break;
      let at = left;
      const right = heap[left + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        at = left + 1;
      }
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = at;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Every promise that can go on has gone on when the event loop comes round. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
