/**
 * What a caller of a Lambda function sees. The error types are Lambda's own, unchanged:
 * - the `name` of what the handler threw;
 * - `Sandbox.Timedout`, `Runtime.ImportModuleError`, `Runtime.ExitError`, … for what the runtime reports;
 * - `Lambda.<exception>` where the Invoke call itself is refused, as Step Functions names it.
 *
 * Nothing maps a timeout to `Lambda.Unknown`: "Unhandled errors in Lambda runtimes were historically reported
 * only as Lambda.Unknown. In newer runtimes, timeouts are reported as Sandbox.Timedout in the error output."
 * (Step Functions Developer Guide, Handling errors.) A state machine matches both.
 */
export type LambdaResult =
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly failure: LambdaFailure };

export interface LambdaFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: string[];
}

/**
 * Invokes by name or ARN and waits for the reply. A function's failure is a result: an invoker should not
 * throw, and callers take one that does for a failed invocation.
 */
export type InvokeLambda = (functionName: string, payload: unknown) => Promise<LambdaResult>;
