/** The API's functions end after 29 s, as API Gateway does. What is not known by then gets a reply that says so. */
const REPLY_WITHIN_MS = 28_500;

/**
 * Options of the SDK for a StartSyncExecution of a request: the call ends before its function does. An aborted call is
 * not repeated, for the execution may have run.
 */
export function syncExecutionOptions(requestedAtMs: number, nowMs: number) {
  const leftMs = Math.max(1000, requestedAtMs + REPLY_WITHIN_MS - nowMs);
  return { abortSignal: AbortSignal.timeout(leftMs), requestTimeout: 0 };
}
