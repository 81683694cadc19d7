import type { Clock } from '../../functions/shared/runtime/clock.ts';
import type { Choice } from './world.ts';

/** Time that moves on when it is chosen to: to the next moment that somebody sleeps for, or by a step of its own. */
export class SteppingClock {
  nowMs: number;
  readonly #sleepers: { readonly dueMs: number; readonly wake: () => void }[] = [];
  readonly #stepMs: number;
  #stepsLeft: number;

  constructor(startMs: number, { stepMs, steps }: { readonly stepMs: number; readonly steps: number }) {
    this.nowMs = startMs;
    this.#stepMs = stepMs;
    this.#stepsLeft = steps;
  }

  /** The clock of one Lambda function, which may be off. */
  skewed(skewMs: number): Clock {
    return {
      nowMs: () => this.nowMs + skewMs,
      sleep: (delayMs) =>
        new Promise((resolve) => {
          this.#sleepers.push({ dueMs: this.nowMs + delayMs, wake: resolve });
        }),
      // Nothing here lasts until a timeout.
      setTimer: () => () => {},
    };
  }

  events(): Choice[] {
    const events: Choice[] = [];
    const dueMs = Math.min(...this.#sleepers.map((sleeper) => sleeper.dueMs));
    if (Number.isFinite(dueMs)) {
      events.push({ label: `time moves on to ${dueMs}`, happen: () => this.#moveTo(dueMs) });
    }
    const stepMs = this.nowMs + this.#stepMs;
    if (this.#stepsLeft > 0 && stepMs < dueMs) {
      events.push({
        label: `time moves on to ${stepMs}`,
        happen: () => {
          this.#stepsLeft--;
          this.#moveTo(stepMs);
        },
      });
    }
    return events;
  }

  state(): unknown {
    return [this.nowMs, this.#stepsLeft, this.#sleepers.map(({ dueMs }) => dueMs).sort()];
  }

  #moveTo(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
    const due = this.#sleepers.filter(({ dueMs }) => dueMs <= this.nowMs);
    for (const sleeper of due) this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
    for (const { wake } of due) wake();
  }
}
