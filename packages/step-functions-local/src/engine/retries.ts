import type { Retrier } from '../definition/schema.ts';
import { STATES_ERRORS } from './failure.ts';

// Defaults and their source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const DEFAULT_INTERVAL_SECONDS = 1;
const DEFAULT_MAX_ATTEMPTS = 3;
const DEFAULT_BACKOFF_RATE = 2;

/**
 * Whether an ErrorEquals names this error. Nothing matches States.Runtime, which always ends the execution;
 * the wildcards do not match States.DataLimitExceeded either, and States.TaskFailed not a time-out.
 */
export function matchesError(errorEquals: readonly string[], errorName: string | undefined): boolean {
  if (errorName === STATES_ERRORS.runtime) return false;
  if (errorName !== undefined && errorEquals.includes(errorName)) return true;
  if (errorName === STATES_ERRORS.dataLimitExceeded) return false;
  if (errorEquals.includes(STATES_ERRORS.all)) return true;
  return errorEquals.includes(STATES_ERRORS.taskFailed) && errorName !== STATES_ERRORS.timeout;
}

/** The retriers of one visit to a state, each with its own count; a new visit starts new ones. */
export class Retries {
  readonly #retriers: readonly { readonly retrier: Retrier; used: number }[];
  readonly #random: () => number;

  constructor(retriers: readonly Retrier[], random: () => number) {
    this.#retriers = retriers.map((retrier) => ({ retrier, used: 0 }));
    this.#random = random;
  }

  /** How long to wait before the next attempt; undefined when the error's retrier is used up or there is none. */
  nextDelayMs(errorName: string | undefined): number | undefined {
    const match = this.#retriers.find(({ retrier }) => matchesError(retrier.ErrorEquals, errorName));
    if (match === undefined) return undefined;
    const { retrier, used } = match;
    if (used >= (retrier.MaxAttempts ?? DEFAULT_MAX_ATTEMPTS)) return undefined;
    match.used++;
    const backoff = (retrier.BackoffRate ?? DEFAULT_BACKOFF_RATE) ** used;
    const seconds = Math.min(
      (retrier.IntervalSeconds ?? DEFAULT_INTERVAL_SECONDS) * backoff,
      retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY,
    );
    return seconds * 1000 * (retrier.JitterStrategy === 'FULL' ? this.#random() : 1);
  }
}
