import { SQSClient } from '@aws-sdk/client-sqs';
import { CALL_TIMEOUTS } from './timeouts.ts';

/**
 * Makes one attempt, because a message whose visibility was not changed comes back after the queue's visibility timeout.
 * By default the client takes its endpoint from the queue's URL and ignores AWS_ENDPOINT_URL_SQS.
 */
export const sqs = new SQSClient({
  maxAttempts: 1,
  requestHandler: CALL_TIMEOUTS,
  useQueueUrlAsEndpoint: false,
});
