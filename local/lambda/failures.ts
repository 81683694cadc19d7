import type { LambdaFailure } from 'local-server-kit';

/** How the Node.js runtime reports what a handler threw. */
export function failureOf(thrown: unknown): LambdaFailure {
  if (thrown instanceof Error) {
    return {
      errorType: thrown.name,
      errorMessage: thrown.message,
      trace: (thrown.stack ?? '').split('\n'),
    };
  }
  return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
}

/** What the runtime says by its own name, such as `Runtime.HandlerNotFound`. */
export function runtimeFailure(errorType: string, errorMessage: string, cause?: unknown): LambdaFailure {
  const trace = cause instanceof Error ? (cause.stack ?? '').split('\n') : [];
  return { errorType, errorMessage, trace };
}

/** Lambda's own errors, not the function's and not the caller's: Invoke answers them with 429 or 5xx. */
const LAMBDA_AT_FAULT: ReadonlySet<string> = new Set([
  'Lambda.TooManyRequestsException',
  'Lambda.ServiceException',
  'Lambda.EC2ThrottledException',
  'Lambda.EC2UnexpectedException',
  'Lambda.ENILimitReachedException',
  'Lambda.ResourceNotReadyException',
]);

/** Whether an invocation never reached the function, so that Lambda repeats it without counting it. */
export function isLambdaAtFault(errorType: string): boolean {
  return LAMBDA_AT_FAULT.has(errorType);
}
