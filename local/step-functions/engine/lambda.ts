/** A failed invocation, as Lambda reports it: what the function threw, or `Lambda.…` for the service's own errors. */
export interface LambdaFailure {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export type LambdaResult = { ok: true; payload: unknown } | { ok: false; failure: LambdaFailure };

/**
 * Runs a function. `functionName` is what the definition has in Arguments.FunctionName: a name or an ARN.
 * `payload` is the invocation's own copy. An invoker that throws is taken for `Lambda.Unknown`.
 */
export type InvokeLambda = (functionName: string, payload: unknown) => Promise<LambdaResult>;

/** The error name and cause that Step Functions makes of a failed invocation. */
export function failureOf(failure: LambdaFailure): { errorName: string; causeText: string } {
  const { errorType, errorMessage, trace = [] } = failure;
  // The service's own errors (Lambda.TooManyRequestsException, Lambda.Unknown …) have a sentence as their cause.
  const causeText = errorType.startsWith('Lambda.')
    ? errorMessage
    : JSON.stringify({ errorType, errorMessage, trace });
  return { errorName: errorType, causeText };
}
