import type { LambdaFailure } from '../shared/invoke-lambda.ts';

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
