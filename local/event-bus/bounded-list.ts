/** The latest items, oldest first, so that a long run needs no more memory than a short one. */
export class BoundedList<Item> {
  readonly #items: Item[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length > this.#limit) this.#items.shift();
  }

  latest(count = this.#limit): Item[] {
    return count <= 0 ? [] : this.#items.slice(-count);
  }
}
