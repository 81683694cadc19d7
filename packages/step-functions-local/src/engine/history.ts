import { STATES_ERRORS, StateFailure } from './failure.ts';

/*
 * Names, order, numbering and details of events are those of histories recorded on AWS, as they are in the
 * snapshots of LocalStack's tests (tests/aws/services/stepfunctions/v2) and in AWS's own documentation.
 */

/** An event in the API's own JSON: details under the member that belongs to the type, time in epoch seconds. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly [detailsMember: `${string}EventDetails`]: Readonly<Record<string, unknown>>;
}

export type EventDetails = {
  readonly [detailsMember: `${string}EventDetails`]: Readonly<Record<string, unknown>>;
};

/** A Standard execution's history holds at most 25,000 events, the last of them its end. */
const MAX_STANDARD_EVENTS = 25_000;
/** AWS sets Express no limit but five minutes; this one only keeps an endless loop from freezing the process. */
const MAX_EXPRESS_EVENTS = 250_000;

/** Numbers the events of one execution, and keeps them unless it is Express, which has no history to read. */
export class History {
  readonly #kept: HistoryEvent[] = [];
  readonly #keep: boolean;
  readonly #maxEvents: number;
  readonly #nowMs: () => number;
  #count = 0;
  #previous = 0;

  constructor(options: { keep: boolean; nowMs: () => number }) {
    this.#keep = options.keep;
    this.#maxEvents = options.keep ? MAX_STANDARD_EVENTS : MAX_EXPRESS_EVENTS;
    this.#nowMs = options.nowMs;
  }

  get events(): readonly HistoryEvent[] {
    return this.#kept;
  }

  /** The event that the next one follows. */
  get previousEventId(): number {
    return this.#previous;
  }

  /** The first event. The first state's event does not follow it: on AWS its previousEventId is 0 too. */
  start(details: EventDetails): void {
    this.#add('ExecutionStarted', 0, details);
  }

  /**
   * @returns the event's id.
   * @throws StateFailure States.Runtime when only the execution's end still fits.
   */
  record(type: string, details: EventDetails, previousEventId = this.#previous): number {
    if (this.#count + 1 >= this.#maxEvents) {
      throw new StateFailure(
        STATES_ERRORS.runtime,
        `The execution reached the maximum number of history events (${this.#maxEvents}).`,
      );
    }
    this.#previous = this.#add(type, previousEventId, details);
    return this.#previous;
  }

  /** The last event. What ends an execution from outside (stopped, timed out) follows event 0. */
  end(type: string, details: EventDetails, from: 'inside' | 'outside'): void {
    this.#add(type, from === 'inside' ? this.#previous : 0, details);
  }

  #add(type: string, previousEventId: number, details: EventDetails): number {
    this.#count++;
    if (this.#keep) {
      const timestamp = this.#nowMs() / 1000;
      this.#kept.push({ timestamp, type, id: this.#count, previousEventId, ...details });
    }
    return this.#count;
  }
}
