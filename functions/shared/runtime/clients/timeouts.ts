/**
 * How long one attempt of a call may take. The SDK has no limit of its own: a socket whose other side is gone (a thawed
 * Lambda sandbox has such) would hold a function until its timeout, which is 10 s for most. Five attempts with their
 * backoff fit in that: 5 × 1 s and less than 1 s for the table, 5 × 1.5 s and less than 2 s for the others. The services
 * answer within 0.1 s. Without `throwOnRequestTimeout` the SDK only logs a warning.
 */
const shared = { connectionTimeout: 1000, throwOnRequestTimeout: true };

export const TABLE_TIMEOUTS = { ...shared, requestTimeout: 1000 };
export const CALL_TIMEOUTS = { ...shared, requestTimeout: 1500 };
/** StartSyncExecution replies when the execution has ended: whoever calls it says how long that may take. */
export const SYNC_TIMEOUTS = { ...shared, requestTimeout: 0 };
