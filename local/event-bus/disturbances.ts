import type { Clock } from 'local-server-kit';
import { z } from 'zod';

const MAX_COUNT = 100_000;
const countSchema = z.int().min(0).max(MAX_COUNT);

/** What a delivery "at least once, in any order" may look like; each count is of deliveries still to come. */
export const disturbanceSchema = z.strictObject({
  /** These are made twice. */
  duplicateNext: countSchema.optional(),
  /** These come `delayMs` late, and so after others. */
  delayNext: z.strictObject({ count: countSchema, delayMs: z.number().min(0).max(86_400_000) }).optional(),
  /** These are held until all of them are there, and then made in reverse. */
  reverseNext: countSchema.optional(),
});
export type Disturbance = z.output<typeof disturbanceSchema>;

/** Stands between the rules and the targets, and lets through what nobody disturbs. */
export class Disturbances {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();
  #duplicates = 0;
  #delay = { count: 0, delayMs: 0 };
  #toReverse = 0;
  #held: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces what is named; a count of 0 ends it, and lets go what is held. */
  plan({ duplicateNext, delayNext, reverseNext }: Disturbance): void {
    if (duplicateNext !== undefined) this.#duplicates = duplicateNext;
    if (delayNext !== undefined) this.#delay = delayNext;
    if (reverseNext === undefined) return;
    this.#toReverse = reverseNext;
    this.#release();
  }

  /** Calls `deliver` as often and as late as is planned. */
  apply(deliver: () => void): void {
    const copies = this.#duplicates > 0 ? 2 : 1;
    this.#duplicates = Math.max(0, this.#duplicates - 1);
    for (let copy = 0; copy < copies; copy++) this.#applyOnce(deliver);
  }

  close(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#held = [];
  }

  #applyOnce(deliver: () => void): void {
    if (this.#toReverse > 0) {
      this.#held.unshift(deliver);
      if (this.#held.length < this.#toReverse) return;
      this.#toReverse = 0;
      this.#release();
      return;
    }
    if (this.#delay.count > 0) {
      const { count, delayMs } = this.#delay;
      this.#delay = { count: count - 1, delayMs };
      const cancel = this.#clock.setTimer(delayMs, () => {
        this.#cancels.delete(cancel);
        deliver();
      });
      this.#cancels.add(cancel);
      return;
    }
    deliver();
  }

  #release(): void {
    for (const deliver of this.#held.splice(0)) deliver();
  }
}
