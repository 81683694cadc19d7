import { SFNClient } from '@aws-sdk/client-sfn';
import { describe, expect, it, onTestFinished } from 'vitest';
import { queueClient } from '../../../../functions/shared/clients/queue.ts';
import { type LoopbackRequest, startLoopbackServer } from '../../../../local/shared/loopback-server.ts';
import { VirtualClock } from '../../../../local/shared/virtual-clock.ts';
import { Queue } from '../../../../local/sqs/queue.ts';
import { startSqs } from '../../../../local/sqs/server.ts';

const QUEUE_URL = 'https://sqs.us-west-2.amazonaws.com/123456789012/inbox';
const signingClient = new SFNClient({
  region: 'us-west-2',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' },
});

describe('the queue client', () => {
  it('has messages come back when it says, ten in a call', async () => {
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
    const server = await startSqs({ port: 0, queues: [queue] });
    onTestFinished(() => server.close());
    for (let number = 0; number < 12; number++) queue.send(String(number));
    const received = queue.receive(12);
    const hide = queueClient({ queueUrl: QUEUE_URL, signingClient, endpoint: server.url });

    await hide(received.map(({ receiptHandle }) => ({ receiptHandle, seconds: 3 })));
    await clock.advance(3_000);

    expect(queue.visibleCount).toBe(12);
  });

  it('signs for SQS, with the session token of a role', async () => {
    const requests: LoopbackRequest[] = [];
    const server = await startLoopbackServer({
      port: 0,
      maxBodyBytes: 10_000,
      handle: async (request) => {
        requests.push(request);
        return { status: 200, body: '{}' };
      },
    });
    onTestFinished(() => server.close());
    const hide = queueClient({ queueUrl: QUEUE_URL, signingClient, endpoint: server.url });

    await hide([{ receiptHandle: 'a', seconds: 1 }]);

    expect(requests[0]?.headers).toMatchObject({
      'x-amz-target': 'AmazonSQS.ChangeMessageVisibilityBatch',
      'x-amz-security-token': 'token',
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/us-west-2\/sqs\/aws4_request, SignedHeaders=/,
      ),
    });
  });

  it('rejects when SQS refuses', async () => {
    const server = await startSqs({ port: 0, queues: [] });
    onTestFinished(() => server.close());
    const hide = queueClient({ queueUrl: QUEUE_URL, signingClient, endpoint: server.url });

    await expect(hide([{ receiptHandle: 'a', seconds: 1 }])).rejects.toThrow('SQS answered with 400.');
  });
});
