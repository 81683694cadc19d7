import { SFNClient } from '@aws-sdk/client-sfn';
import { CALL_TIMEOUTS } from './timeouts.ts';

/**
 * A few seconds of SDK retries, for the next retry of an asynchronous Lambda is a minute away.
 * StartSyncExecution puts "sync-" before the host, which no local endpoint has.
 */
export const stepFunctions = new SFNClient({
  maxAttempts: 5,
  requestHandler: CALL_TIMEOUTS,
  disableHostPrefix: process.env['AWS_ENDPOINT_URL_SFN'] !== undefined,
});
