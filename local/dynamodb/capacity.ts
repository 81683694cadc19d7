import { ThrottlingException } from '@aws-sdk/client-dynamodb';
import { type Attributes, writeUnits } from './attributes.ts';
import { MAX_READ_UNITS_PER_SECOND, MAX_WRITE_UNITS_PER_SECOND } from './limits.ts';

/** DynamoDB's words for an on-demand table, whose tables and keys are throttled with the same error (API reference). */
export const THROTTLED_MESSAGE =
  'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html';

const PER_SECOND = { read: MAX_READ_UNITS_PER_SECOND, write: MAX_WRITE_UNITS_PER_SECOND };
export type Access = keyof typeof PER_SECOND;

interface Used {
  readonly read: number;
  readonly write: number;
}

/** A global secondary index of the table with all attributes, by the attribute that is its partition key. */
export interface CapacityIndex {
  readonly name: string;
  readonly key: string;
}

/**
 * What one partition key of the table, or of an index, takes in a second. A request is refused when what is known of its
 * size before it is carried out does not fit any more, and uses what it really was.
 */
export class KeyCapacity {
  readonly #nowMs: () => number;
  readonly #indexes: readonly CapacityIndex[];
  readonly #used = new Map<string, Used>();
  #second = 0;

  constructor(nowMs: () => number, indexes: readonly CapacityIndex[] = []) {
    this.#nowMs = nowMs;
    this.#indexes = indexes;
  }

  /** Whether a read of the key, or of the index's key, is to be refused. */
  isReadTooMuch(key: string, index = ''): boolean {
    return !this.#fits('read', `${index}\n${key}`, 0.5);
  }

  read(units: number, key: string, index = ''): void {
    this.#use('read', `${index}\n${key}`, units);
  }

  /** Whether a write of the item is to be refused. A throttled index throttles its table. */
  isWriteTooMuch(key: string, old: Attributes | undefined): boolean {
    if (!this.#fits('write', `\n${key}`, writeUnits(old))) return true;
    return this.#indexes.some((index) => {
      const indexKey = old?.[index.key]?.S;
      return indexKey !== undefined && !this.#fits('write', `${index.name}\n${indexKey}`, 1);
    });
  }

  /** A failed condition uses what the item that is there takes. */
  write(key: string, old: Attributes | undefined, changed: Attributes | undefined): void {
    this.#use('write', `\n${key}`, writeUnits(old, changed));
    if (changed === undefined) return;
    for (const index of this.#indexes) {
      const [before, after] = [old?.[index.key]?.S, changed[index.key]?.S];
      if (before !== undefined && before !== after) {
        this.#use('write', `${index.name}\n${before}`, writeUnits(old));
      }
      if (after !== undefined) this.#use('write', `${index.name}\n${after}`, writeUnits(changed));
    }
  }

  /** What the key has used in this second. */
  used(access: Access, key: string): number {
    return this.#usedOf(`\n${key}`)[access];
  }

  #fits(access: Access, id: string, units: number): boolean {
    const used = this.#usedOf(id)[access];
    // What is larger than a whole second's worth goes alone.
    return used === 0 || used + units <= PER_SECOND[access];
  }

  #use(access: Access, id: string, units: number): void {
    const used = this.#usedOf(id);
    this.#used.set(id, { ...used, [access]: used[access] + units });
  }

  #usedOf(id: string): Used {
    const second = Math.floor(this.#nowMs() / 1000);
    if (second !== this.#second) this.#used.clear();
    this.#second = second;
    return this.#used.get(id) ?? { read: 0, write: 0 };
  }
}

export function throttled(): ThrottlingException {
  return new ThrottlingException({ message: THROTTLED_MESSAGE, $metadata: { httpStatusCode: 400 } });
}
