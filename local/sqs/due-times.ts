import type { Clock } from 'local-server-kit';

interface Due<Item> {
  readonly item: Item;
  readonly dueMs: number;
}

/**
 * Many times to come with one timer of the clock: a heap, so that 20,000 messages in flight cost no 20,000 timers.
 */
export class DueTimes<Item> {
  readonly #clock: Clock;
  readonly #onDue: (item: Item, dueMs: number) => void;
  readonly #heap: Due<Item>[] = [];
  #timer: { readonly dueMs: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, onDue: (item: Item, dueMs: number) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  add(item: Item, dueMs: number): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push({ item, dueMs });
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) break;
      this.#swap(parent, index);
      index = parent;
    }
    this.#setTimer();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#heap.length = 0;
  }

  #setTimer(): void {
    const dueMs = this.#heap[0]?.dueMs;
    if (dueMs === undefined || (this.#timer !== undefined && this.#timer.dueMs <= dueMs)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.setTimer(dueMs - this.#clock.nowMs(), () => {
      this.#timer = undefined;
      this.#callDue();
    });
    this.#timer = { dueMs, cancel };
  }

  #callDue(): void {
    const nowMs = this.#clock.nowMs();
    const due: Due<Item>[] = [];
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= nowMs; next = this.#heap[0]) {
      due.push(next);
      this.#removeFirst();
    }
    this.#setTimer();
    for (const { item, dueMs } of due) this.#onDue(item, dueMs);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let index = 0; ; ) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      let least = index;
      if (this.#at(left) < this.#at(least)) least = left;
      if (this.#at(right) < this.#at(least)) least = right;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    const [first, second] = [heap[one], heap[other]];
    if (first === undefined || second === undefined) return;
    heap[one] = second;
    heap[other] = first;
  }
}
