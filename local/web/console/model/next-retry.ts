import type { Retrier, State } from './definition.ts';
import type { Visit } from './visits.ts';

/** Not caught by States.ALL nor by States.TaskFailed: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
const NEVER_BY_ALL = ['States.DataLimitExceeded', 'States.Runtime'];

export interface NextRetry {
  readonly atEarliestMs: number;
  readonly atLatestMs: number;
}

/**
 * When a task that has just failed will be tried again, as far as its Retry tells: full jitter takes any time up
 * to the backoff. Undefined while an attempt runs, or when no retry is left.
 */
export function nextRetryOf({ attempts, leftAtMs }: Visit, state: State | undefined): NextRetry | undefined {
  const last = attempts.at(-1);
  if (state === undefined || leftAtMs !== undefined || last?.endedAtMs === undefined) return undefined;
  if (last.result === 'succeeded') return undefined;
  const errorOf = (attempt: typeof last) =>
    attempt.result === 'timedOut' ? 'States.Timeout' : (attempt.error ?? '');
  const retrier = retrierFor(state.Retry, errorOf(last));
  if (retrier === undefined) return undefined;
  // Each retrier counts its own attempts.
  const count = attempts.filter((attempt) => retrierFor(state.Retry, errorOf(attempt)) === retrier).length;
  if (count > retrier.MaxAttempts) return undefined;
  const backoffSeconds = Math.min(
    retrier.IntervalSeconds * retrier.BackoffRate ** (count - 1),
    retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY,
  );
  const atLatestMs = last.endedAtMs + backoffSeconds * 1000;
  return { atEarliestMs: retrier.JitterStrategy === 'FULL' ? last.endedAtMs : atLatestMs, atLatestMs };
}

function retrierFor(retriers: readonly Retrier[], error: string): Retrier | undefined {
  return retriers.find(
    ({ ErrorEquals }) =>
      ErrorEquals.includes(error) ||
      (ErrorEquals.includes('States.ALL') && !NEVER_BY_ALL.includes(error)) ||
      (ErrorEquals.includes('States.TaskFailed') &&
        error !== 'States.Timeout' &&
        !NEVER_BY_ALL.includes(error)),
  );
}
