import type { LambdaFailure } from 'local-server-kit';

/** The error name and cause that Step Functions makes of a failed invocation. */
export function failureOf(failure: LambdaFailure): { errorName: string; causeText: string } {
  const { errorType, errorMessage, trace = [] } = failure;
  // The service's own errors (Lambda.TooManyRequestsException, Lambda.Unknown …) have a sentence as their cause.
  const causeText = errorType.startsWith('Lambda.')
    ? errorMessage
    : JSON.stringify({ errorType, errorMessage, trace });
  return { errorName: errorType, causeText };
}
