import { SQSClient } from '@aws-sdk/client-sqs';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hideInQueue } from '../../../functions/shared/runtime/queue-batch.ts';
import { Queue } from '../../../local/sqs/queue.ts';
import { startSqs } from '../../../local/sqs/server.ts';

const QUEUE_URL = 'https://sqs.us-west-2.amazonaws.com/123456789012/inbox';

async function sqsWith(queues: readonly Queue[]): Promise<SQSClient> {
  const server = await startSqs({ port: 0, queues });
  onTestFinished(() => server.close());
  return new SQSClient({
    region: 'us-west-2',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    endpoint: server.url,
    maxAttempts: 1,
  });
}

describe('hiding messages', () => {
  it('sets when each message comes back, ten messages in a call', async () => {
    let ids = 0;
    const clock = new VirtualClock();
    const queue = new Queue({
      name: 'inbox',
      arn: 'arn:inbox',
      visibilityTimeoutSeconds: 120,
      retentionSeconds: 3600,
      clock,
      newId: () => `id-${++ids}`,
    });
    for (let number = 0; number < 12; number++) queue.send(String(number));
    const received = queue.receive(12);
    const sqs = await sqsWith([queue]);

    await hideInQueue(
      sqs,
      QUEUE_URL,
      received.map(({ receiptHandle }) => ({ receiptHandle, seconds: 3 })),
    );
    await clock.advance(3_000);

    expect(queue.visibleCount).toBe(12);
  });

  it('rejects when SQS refuses the call', async () => {
    const sqs = await sqsWith([]);

    await expect(hideInQueue(sqs, QUEUE_URL, [{ receiptHandle: 'a', seconds: 1 }])).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
    });
  });
});
