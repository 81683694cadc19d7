import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { HideMessages } from './queue-batch.ts';

/** Amazon SQS Developer Guide, ChangeMessageVisibilityBatch: at most 10 entries. */
const MAX_ENTRIES = 10;

/** Sets by ChangeMessageVisibilityBatch when messages of one queue come back. */
export function hideMessagesOf(sqs: SQSClient, queueUrl: string): HideMessages {
  return async (messages) => {
    for (let first = 0; first < messages.length; first += MAX_ENTRIES) {
      const entries = messages.slice(first, first + MAX_ENTRIES).map(({ receiptHandle, seconds }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: seconds,
      }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
    }
  };
}
