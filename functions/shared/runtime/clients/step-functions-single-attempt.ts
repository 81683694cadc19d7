import { SFNClient } from '@aws-sdk/client-sfn';
import { SYNC_TIMEOUTS } from './timeouts.ts';

/**
 * For an execution that must not be started twice: a synchronous start has no idempotency, and the SDK cannot
 * tell a start that was lost from a reply that was. The caller is told instead.
 * StartSyncExecution puts "sync-" before the host, which no local endpoint has.
 */
export const stepFunctionsSingleAttempt = new SFNClient({
  maxAttempts: 1,
  requestHandler: SYNC_TIMEOUTS,
  disableHostPrefix: process.env['AWS_ENDPOINT_URL_SFN'] !== undefined,
});
