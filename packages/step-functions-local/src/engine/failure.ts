/** Error names that Step Functions gives itself; https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
export const STATES_ERRORS = {
  all: 'States.ALL',
  taskFailed: 'States.TaskFailed',
  timeout: 'States.Timeout',
  runtime: 'States.Runtime',
  dataLimitExceeded: 'States.DataLimitExceeded',
  queryEvaluationError: 'States.QueryEvaluationError',
  noChoiceMatched: 'States.NoChoiceMatched',
} as const;

// The API's own limits for an error's name and cause, in characters.
const MAX_ERROR_NAME = 256;
const MAX_CAUSE = 32_768;

/** A state failed: its Retry and Catch decide what that means, else the execution fails with this. */
export class StateFailure extends Error {
  override readonly name = 'StateFailure';
  readonly errorName: string | undefined;
  readonly causeText: string | undefined;

  constructor(errorName: string | undefined, causeText: string | undefined) {
    super(`${errorName ?? 'failed'}: ${causeText ?? ''}`);
    this.errorName = errorName?.slice(0, MAX_ERROR_NAME);
    this.causeText = causeText?.slice(0, MAX_CAUSE);
  }

  /**
   * `$states.errorOutput`, as AWS fills it where a part is missing: a time-out's Cause is empty, and a
   * SendTaskFailure without error and cause gives null for both.
   */
  get errorOutput(): { Error: string | null; Cause: string | null } {
    const noCause = this.errorName === STATES_ERRORS.timeout ? '' : null;
    return { Error: this.errorName ?? null, Cause: this.causeText ?? noCause };
  }
}

export function dataLimitExceeded(what: string): StateFailure {
  return new StateFailure(
    STATES_ERRORS.dataLimitExceeded,
    `The state/task '${what}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}

/** Thrown into whatever an execution waits for when it is stopped, times out or is forgotten from outside. */
export class ExecutionEnded extends Error {
  override readonly name = 'ExecutionEnded';
}
