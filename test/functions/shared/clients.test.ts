import { createServer, type Server } from 'node:http';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DescribeExecutionCommand, StartSyncExecutionCommand } from '@aws-sdk/client-sfn';
import { ChangeMessageVisibilityBatchCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { syncExecutionOptions } from '../../../functions/shared/api/sync-execution.ts';

let server: Server;
let requests = 0;
let authorization: string | undefined;
let isDead = (_: number) => true;

/** A server that takes requests and, as a socket whose other side is gone, says nothing to some of them. */
beforeEach(async () => {
  requests = 0;
  server = createServer((request, response) => {
    request.resume();
    authorization = request.headers.authorization;
    if (!isDead(requests++))
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  for (const service of ['DYNAMODB', 'SFN', 'EVENTBRIDGE', 'SQS'])
    vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, url);
  vi.stubEnv('AWS_REGION', 'us-west-2');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  vi.resetModules();
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const QueueUrl = 'https://sqs.us-west-2.amazonaws.com/123456789012/inbox';

const clients = {
  'the table': async () => {
    const { documents } = await import('../../../functions/shared/runtime/clients.ts');
    return documents.send(new DescribeTableCommand({ TableName: 'Table' }));
  },
  'Step Functions': async () => {
    const { stepFunctions } = await import('../../../functions/shared/runtime/clients.ts');
    return stepFunctions.send(new DescribeExecutionCommand({ executionArn: 'arn' }));
  },
  'the queue': async () => {
    const { sqs } = await import('../../../functions/shared/runtime/clients.ts');
    return sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: [] }));
  },
  'the event bus': async () => {
    const { eventBridge } = await import('../../../functions/shared/runtime/clients.ts');
    return eventBridge.send(new PutEventsCommand({ Entries: [] }));
  },
};

describe('a client', () => {
  it.each(Object.entries(clients))('of %s gets over a dead socket within three seconds', async (_, call) => {
    isDead = (request) => request === 0;
    const startedAtMs = performance.now();

    await call();

    expect(performance.now() - startedAtMs).toBeLessThan(3000);
    expect(requests).toBe(2);
  });

  it('of the queue calls the endpoint of the local stack, whatever host the queue has', async () => {
    isDead = () => false;
    const { sqs } = await import('../../../functions/shared/runtime/clients.ts');

    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: [] }));

    expect(authorization).toContain('/us-west-2/sqs/aws4_request');
  });

  it.each(['stepFunctions', 'stepFunctionsSingleAttempt'] as const)(
    '%s lets a synchronous execution take its time, and sends it once',
    async (name) => {
      isDead = () => true;
      const { [name]: client } = await import('../../../functions/shared/runtime/clients.ts');
      const startedAtMs = performance.now();

      // 2 s are left of the request's time.
      const call = client.send(
        new StartSyncExecutionCommand({ stateMachineArn: 'arn' }),
        syncExecutionOptions(0, 26_500),
      );

      await expect(call).rejects.toMatchObject({ name: 'AbortError' });
      expect(performance.now() - startedAtMs).toBeGreaterThan(1900);
      expect(requests).toBe(1);
    },
  );
});
