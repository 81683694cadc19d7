import type { Execution, ExecutionStatus } from './execution.ts';
import type { StateMachine } from './state-machines.ts';

/**
 * How many finished Standard executions are kept for reading, with their histories. 5,000 of 21 events each
 * hold 39 MB, measured over 15,000 starts; AWS keeps them for 90 days.
 */
export const KEPT_EXECUTIONS = 5_000;

export interface Numbered {
  /** Grows with each start. */
  readonly number: number;
  readonly execution: Execution;
}

/**
 * The executions of one server: all that run, and of the Standard ones the last that finished. A finished
 * Express execution is forgotten at once, for nothing can read it.
 */
export class Executions {
  readonly #running = new Set<Execution>();
  readonly #standard = new Map<string, Numbered>();
  readonly #finished = new Set<Execution>();
  readonly #kept: number;
  #count = 0;

  constructor(kept: number) {
    this.#kept = kept;
  }

  get(arn: string): Execution | undefined {
    return this.#standard.get(arn)?.execution;
  }

  add(execution: Execution): void {
    const standard = execution.machine.type === 'STANDARD';
    this.#running.add(execution);
    if (standard) this.#standard.set(execution.arn, { number: ++this.#count, execution });
    void execution.ended.then(() => {
      this.#running.delete(execution);
      if (standard) this.#keepFinished(execution);
    });
  }

  /** A machine's executions, the latest first. */
  of(machine: StateMachine, status: ExecutionStatus | 'PENDING_REDRIVE' | undefined): readonly Numbered[] {
    return [...this.#standard.values()]
      .filter(
        ({ execution }) =>
          execution.machine.arn === machine.arn && (status === undefined || execution.status === status),
      )
      .reverse();
  }

  /** For a server that closes. */
  abandonAll(): void {
    for (const execution of this.#running) execution.abandon();
  }

  #keepFinished(execution: Execution): void {
    this.#finished.add(execution);
    const [oldest] = this.#finished;
    if (this.#finished.size <= this.#kept || oldest === undefined) return;
    this.#finished.delete(oldest);
    this.#standard.delete(oldest.arn);
  }
}
