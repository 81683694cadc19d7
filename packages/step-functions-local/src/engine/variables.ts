/**
 * "The total size of all stored variables cannot exceed 10MiB per execution" (developer guide, Passing data
 * between states with variables). That page does not say what counts: here it is each value's JSON.
 */
const MAX_TOTAL_BYTES = 10 * 1024 * 1024;

interface Variable {
  readonly value: unknown;
  readonly bytes: number;
}

/** The variables of an execution as they are in one state; the next state may have others. */
export class Variables {
  static readonly NONE = new Variables(new Map());
  /** By name, for an expression. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly #byName: ReadonlyMap<string, Variable>;
  readonly #totalBytes: number;

  private constructor(byName: ReadonlyMap<string, Variable>) {
    this.#byName = byName;
    this.values = Object.fromEntries([...byName].map(([name, { value }]) => [name, value]));
    this.#totalBytes = [...byName.values()].reduce((total, { bytes }) => total + bytes, 0);
  }

  get isTooLarge(): boolean {
    return this.#totalBytes > MAX_TOTAL_BYTES;
  }

  /** @param textByName each value's JSON, as the history shows it */
  with(textByName: Readonly<Record<string, string>>): Variables {
    const assigned = Object.entries(textByName);
    if (assigned.length === 0) return this;
    const byName = new Map(this.#byName);
    for (const [name, text] of assigned) {
      byName.set(name, { value: JSON.parse(text), bytes: Buffer.byteLength(text) });
    }
    return new Variables(byName);
  }
}
