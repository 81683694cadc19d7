import type { SFNClient } from '@aws-sdk/client-sfn';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HiddenMessage, HideMessages } from '../queue-batch.ts';

/** Of one ChangeMessageVisibilityBatch. */
const MAX_ENTRIES = 10;
/** A message that is not hidden in time comes back all the same, after the queue's visibility timeout. */
const TIMEOUT_MS = 1_000;

export interface QueueClientOptions {
  readonly queueUrl: string;
  /** Whose Region and credentials the requests are signed with. */
  readonly signingClient: Pick<SFNClient, 'config'>;
  /** In place of the queue's own host, as on a local stack. */
  readonly endpoint?: string | undefined;
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Sets when messages come back, by SQS's ChangeMessageVisibilityBatch (AWS JSON 1.0). It is the one call of SQS that a
 * function makes, and signed by hand: the SDK's client for SQS would be 60 KB of a bundle for it.
 */
export function queueClient({
  queueUrl,
  signingClient,
  endpoint,
  fetch = globalThis.fetch,
}: QueueClientOptions): HideMessages {
  const url = new URL(endpoint ?? queueUrl);
  const { region, credentials, sha256 } = signingClient.config;
  const signer = new SignatureV4({ service: 'sqs', region, credentials, sha256 });

  const send = async (messages: readonly HiddenMessage[]): Promise<void> => {
    const body = JSON.stringify({
      QueueUrl: queueUrl,
      Entries: messages.map(({ receiptHandle, seconds }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: seconds,
      })),
    });
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      path: '/',
      query: {},
      headers: {
        host: url.host,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.ChangeMessageVisibilityBatch',
      },
      body,
    });
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url.origin, { method: 'POST', headers, body, signal });
    // Undrained, the connection would not be used again.
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`SQS answered with ${response.status}.`);
  };

  return async (messages) => {
    for (let first = 0; first < messages.length; first += MAX_ENTRIES) {
      await send(messages.slice(first, first + MAX_ENTRIES));
    }
  };
}
