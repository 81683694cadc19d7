/**
 * What is due when, as a binary heap.
 *
 * No clock timer stands behind it: whoever looks at the service first lets happen what was due by then, each
 * at its own time. So 10,000 waiting sessions cost 10,000 small entries and no timer.
 */
export class DueTimes<Item> {
  readonly #heap: { readonly dueMs: number; readonly order: number; readonly item: Item }[] = [];
  #order = 0;

  add(dueMs: number, item: Item): void {
    const entry = { dueMs, order: this.#order++, item };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  /** Takes out the earliest item that is due at `nowMs`; first come first served at the same time. */
  takeDue(nowMs: number): Item | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    const last = heap.pop();
    if (last !== undefined && last !== first) this.#sinkFromTop(last);
    return first.item;
  }

  #sinkFromTop(entry: { readonly dueMs: number; readonly order: number; readonly item: Item }): void {
    const heap = this.#heap;
    let index = 0;
    while (true) {
      const left = heap[2 * index + 1];
      if (left === undefined) break;
      const right = heap[2 * index + 2];
      const takeRight = right !== undefined && isBefore(right, left);
      const child = takeRight ? right : left;
      if (!isBefore(child, entry)) break;
      heap[index] = child;
      index = 2 * index + (takeRight ? 2 : 1);
    }
    heap[index] = entry;
  }
}

interface Position {
  readonly dueMs: number;
  readonly order: number;
}

function isBefore(one: Position, other: Position): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}
