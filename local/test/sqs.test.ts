import { VirtualClock } from 'local-server-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { Queue, type QueueOptions } from '../sqs/queue.ts';
import { startSqs } from '../sqs/server.ts';

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function queueAt(clock: VirtualClock, overrides: Partial<QueueOptions> = {}): Queue {
  let ids = 0;
  const queue = new Queue({
    name: 'inbox',
    arn: 'arn:aws:sqs:us-west-2:123456789012:inbox',
    visibilityTimeoutSeconds: 30,
    retentionSeconds: 3600,
    clock,
    newId: () => `id-${++ids}`,
    ...overrides,
  });
  closers.push(() => queue.close());
  return queue;
}

const bodies = (queue: Queue, limit = 10) => queue.receive(limit).map(({ body }) => body);

describe('a queue', () => {
  it('gives a message to one receiver, and again when its visibility timeout is over', async () => {
    const clock = new VirtualClock();
    const queue = queueAt(clock);
    queue.send('a');

    expect([bodies(queue), bodies(queue)]).toEqual([['a'], []]);
    await clock.advance(29_999);
    expect(bodies(queue)).toEqual([]);
    await clock.advance(1);
    expect(queue.receive(10)).toMatchObject([{ body: 'a', receiveCount: 2 }]);
  });

  it('holds a message back for its delay, and counts it as received only then', async () => {
    const clock = new VirtualClock();
    const queue = queueAt(clock);
    queue.send('later', 5);

    await clock.advance(4_999);
    expect(bodies(queue)).toEqual([]);
    await clock.advance(1);
    expect(queue.receive(10)).toMatchObject([
      { body: 'later', receiveCount: 1, sentAtMs: clock.nowMs() - 5_000 },
    ]);
  });

  it('forgets a message that is deleted by its latest handle, not by an older one', async () => {
    const clock = new VirtualClock();
    const queue = queueAt(clock);
    queue.send('a');
    const [first] = queue.receive(1);
    await clock.advance(30_000);
    const [second] = queue.receive(1);

    queue.delete(first?.receiptHandle ?? '');
    expect(queue.bodies()).toEqual(['a']);
    queue.delete(second?.receiptHandle ?? '');
    await clock.advance(60_000);
    expect(queue.bodies()).toEqual([]);
  });

  it('shows a message again when its visibility was changed to, and not at the old time', async () => {
    const clock = new VirtualClock();
    const queue = queueAt(clock);
    queue.send('a');
    const [received] = queue.receive(1);

    expect(queue.changeVisibility(received?.receiptHandle ?? '', 2)).toBeUndefined();
    await clock.advance(2_000);
    const [again] = queue.receive(1);
    expect(again?.body).toBe('a');
    await clock.advance(28_000);
    expect(bodies(queue)).toEqual([]);
    expect(queue.changeVisibility(received?.receiptHandle ?? '', 2)).toBe('MessageNotInflight');
    expect(queue.changeVisibility(again?.receiptHandle ?? '', 43_201)).toBe('InvalidParameterValue');
  });

  it('moves what was received too often to its dead-letter queue', async () => {
    const clock = new VirtualClock();
    const dead = queueAt(clock, { name: 'dead' });
    const queue = queueAt(clock, { redrive: { to: dead, maxReceiveCount: 2 } });
    queue.send('a');
    for (let times = 0; times < 2; times++) {
      expect(bodies(queue)).toEqual(['a']);
      await clock.advance(30_000);
    }

    expect([bodies(queue), queue.bodies(), dead.bodies()]).toEqual([[], [], ['a']]);
  });

  it('forgets what is older than its retention, also in the dead-letter queue', async () => {
    const clock = new VirtualClock();
    const queue = queueAt(clock);
    queue.send('a');
    await clock.advance(3_600_001);
    queue.send('b');

    expect([queue.bodies(), bodies(queue)]).toEqual([['b'], ['b']]);
  });

  it('that nothing reads keeps its latest 1,000 messages', () => {
    const queue = queueAt(new VirtualClock());
    for (let number = 0; number < 1_200; number++) queue.send(String(number));

    expect([queue.bodies().length, queue.bodies()[0]]).toEqual([1000, '200']);
  });

  it('has 20,000 messages come back in the order of their times', async () => {
    const clock = new VirtualClock();
    const queue = queueAt(clock);
    const order: string[] = [];
    queue.consume(() => {});
    for (let number = 0; number < 20_000; number++) queue.send(String(number));
    for (const { receiptHandle, body } of queue.receive(20_000)) {
      queue.changeVisibility(receiptHandle, (Number(body) * 7) % 29);
    }
    for (let second = 0; second < 29; second++) {
      order.push(...bodies(queue, 20_000).map((body) => String((Number(body) * 7) % 29)));
      await clock.advance(1_000);
    }

    expect(order).toHaveLength(20_000);
    expect(order).toEqual(order.toSorted((one, other) => Number(one) - Number(other)));
  });
});

describe('the SQS API', () => {
  async function started() {
    const clock = new VirtualClock();
    const queue = queueAt(clock);
    const server = await startSqs({ port: 0, queues: [queue] });
    closers.push(() => server.close());
    const call = async (operation: string, body: object) => {
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { 'x-amz-target': `AmazonSQS.${operation}` },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    };
    return { clock, queue, call };
  }

  it('changes the visibility of each message, and tells which were not in flight', async () => {
    const { queue, call, clock } = await started();
    queue.send('a');
    const [received] = queue.receive(1);

    const reply = await call('ChangeMessageVisibilityBatch', {
      QueueUrl: 'https://sqs.us-west-2.amazonaws.com/123456789012/inbox',
      Entries: [
        { Id: '0', ReceiptHandle: received?.receiptHandle, VisibilityTimeout: 1 },
        { Id: '1', ReceiptHandle: 'gone', VisibilityTimeout: 1 },
      ],
    });

    expect(reply).toMatchObject({
      status: 200,
      body: { Successful: [{ Id: '0' }], Failed: [{ Id: '1', Code: 'MessageNotInflight' }] },
    });
    await clock.advance(1_000);
    expect(bodies(queue)).toEqual(['a']);
  });

  it('sends messages with a delay of at most 900 s each, and tells which it refused', async () => {
    const { queue, call, clock } = await started();

    const reply = await call('SendMessageBatch', {
      QueueUrl: 'https://sqs.us-west-2.amazonaws.com/123456789012/inbox',
      Entries: [
        { Id: '0', MessageBody: 'now' },
        { Id: '1', MessageBody: 'later', DelaySeconds: 5 },
        { Id: '2', MessageBody: 'too late', DelaySeconds: 901 },
      ],
    });

    expect(reply).toMatchObject({
      status: 200,
      body: { Successful: [{ Id: '0' }, { Id: '1' }], Failed: [{ Id: '2', Code: 'InvalidParameterValue' }] },
    });
    expect(bodies(queue)).toEqual(['now']);
    await clock.advance(5_000);
    expect(bodies(queue)).toEqual(['later']);
  });

  it.each([
    ['another operation', 'SendMessage', {}, 'UnknownOperationException'],
    [
      'a queue that is not there',
      'ChangeMessageVisibilityBatch',
      { QueueUrl: 'x/y', Entries: [] },
      'QueueDoesNotExist',
    ],
    ['no entries', 'ChangeMessageVisibilityBatch', { QueueUrl: 'x/inbox', Entries: [] }, 'EmptyBatchRequest'],
    [
      'eleven entries',
      'ChangeMessageVisibilityBatch',
      {
        QueueUrl: 'x/inbox',
        Entries: Array.from({ length: 11 }, (_, index) => ({
          Id: String(index),
          ReceiptHandle: 'a',
          VisibilityTimeout: 1,
        })),
      },
      'TooManyEntriesInBatchRequest',
    ],
  ])('refuses %s', async (_, operation, body, errorName) => {
    const { call } = await started();

    expect(await call(operation, body)).toMatchObject({
      status: 400,
      body: { __type: expect.stringMatching(new RegExp(`#${errorName}$`)) },
    });
  });
});
