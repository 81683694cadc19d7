import { type LambdaResult, VirtualClock } from 'local-server-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EventSourceMapping, type EventSourceMappingOptions } from '../lambda/event-source-mapping.ts';
import { Queue } from '../sqs/queue.ts';

const eventSchema = z.object({
  Records: z.array(z.looseObject({ messageId: z.string(), body: z.string() })),
});
const OK: LambdaResult = { ok: true, payload: null };
const failed = (errorType: string): LambdaResult => ({
  ok: false,
  failure: { errorType, errorMessage: 'x' },
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Batch {
  readonly atMs: number;
  readonly bodies: readonly string[];
  readonly ids: readonly string[];
}

/** A mapping whose function answers with what `answer` gives, after `lastsMs`. */
function start(
  answer: (batch: Batch) => LambdaResult,
  overrides: Partial<EventSourceMappingOptions> = {},
  lastsMs = 0,
) {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  let ids = 0;
  const shared = { retentionSeconds: 86_400, clock, newId: () => `id-${++ids}`, arn: 'arn:inbox' };
  const dead = new Queue({ ...shared, name: 'dead', visibilityTimeoutSeconds: 30 });
  const queue = new Queue({
    ...shared,
    name: 'inbox',
    visibilityTimeoutSeconds: 60,
    redrive: { to: dead, maxReceiveCount: 3 },
  });
  const batches: Batch[] = [];
  let running = 0;
  let peak = 0;
  const mapping = new EventSourceMapping({
    queue,
    functionName: 'fn',
    functionTimeoutSeconds: 10,
    batchSize: 2,
    batchingWindowSeconds: 0,
    reportsItemFailures: true,
    clock,
    region: 'us-west-2',
    invokeLambda: (_, payload) =>
      clock.track(async () => {
        const { Records } = eventSchema.parse(payload);
        const bodies = Records.map(({ body }) => body);
        const batch = {
          atMs: clock.nowMs() - startMs,
          bodies,
          ids: Records.map(({ messageId }) => messageId),
        };
        batches.push(batch);
        peak = Math.max(peak, ++running);
        if (lastsMs > 0) await clock.sleep(lastsMs);
        running--;
        return answer(batch);
      }),
    ...overrides,
  });
  closers.push(
    () => mapping.close(),
    () => queue.close(),
  );
  return { clock, queue, dead, batches, peak: () => peak };
}

const send = (queue: Queue, count: number) => {
  for (let number = 0; number < count; number++) queue.send(String(number));
};

describe('a queue that invokes a function', () => {
  it('does so as soon as a message comes, and deletes what was handled', async () => {
    const { queue, batches, clock } = start(() => OK);
    send(queue, 1);
    await clock.idle();

    expect([batches.map(({ bodies }) => bodies), queue.bodies()]).toEqual([[['0']], []]);
  });

  it('gathers messages for its batching window, or until a batch is full', async () => {
    const { queue, batches, clock } = start(() => OK, { batchingWindowSeconds: 5 });
    send(queue, 1);
    await clock.advance(4_999);
    expect(batches).toEqual([]);
    await clock.advance(1);
    send(queue, 2);
    await clock.idle();

    expect(batches.map(({ bodies }) => bodies)).toEqual([['0'], ['0', '1']]);
  });

  it('begins with five batches at once and adds five a second while messages are left', async () => {
    const { queue, peak, clock } = start(() => OK, { batchSize: 1 }, 900);
    send(queue, 100);
    await clock.advance(500);
    expect(peak()).toBe(5);
    await clock.advance(1_000);
    expect(peak()).toBe(10);
  });

  it('never goes above its maximum concurrency', async () => {
    const { queue, peak, batches, clock } = start(() => OK, { batchSize: 1, maximumConcurrency: 7 }, 900);
    send(queue, 100);
    await clock.advance(60_000);

    expect([peak(), batches.length]).toEqual([7, 100]);
  });

  it('gives the messages that failed again when their visibility timeout is over, and no others', async () => {
    const { queue, batches, clock } = start(({ bodies, ids }) => {
      const index = bodies.indexOf('1');
      const failures = index < 0 ? [] : [{ itemIdentifier: ids[index] }];
      return { ok: true, payload: { batchItemFailures: failures } };
    });
    send(queue, 2);
    await clock.advance(60_000);

    expect(batches.map(({ atMs, bodies }) => [atMs, bodies])).toEqual([
      [0, ['0', '1']],
      [60_000, ['1']],
    ]);
  });

  it('leaves what fails again and again to the dead-letter queue', async () => {
    const { queue, dead, batches, clock } = start(() => failed('Error'));
    send(queue, 1);
    await clock.advance(180_000);

    expect([batches.length, queue.bodies(), dead.bodies()]).toEqual([3, [], ['0']]);
  });

  it.each<[string, unknown, number]>([
    ['null', null, 0],
    ['an empty object', {}, 0],
    ['no failures', { batchItemFailures: [] }, 0],
    ['null for failures', { batchItemFailures: null }, 0],
    ['a text', 'ok', 2],
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }, 2],
    ['another member', { batchItemFailures: [{ id: 'id-1' }] }, 2],
    ['a message that is not in the batch', { batchItemFailures: [{ itemIdentifier: 'id-99' }] }, 2],
  ])('takes the reply %j as AWS does', async (_, payload, left) => {
    const { queue, clock } = start(() => ({ ok: true, payload }));
    send(queue, 2);
    await clock.idle();

    expect(queue.bodies()).toHaveLength(left);
  });

  it('that is throttled tries the same batch again, until the messages are visible again', async () => {
    let refusals = 2;
    const { queue, batches, clock } = start(() =>
      refusals-- > 0 ? failed('Lambda.TooManyRequestsException') : OK,
    );
    send(queue, 1);
    await clock.advance(10_000);

    expect(batches.map(({ atMs }) => atMs)).toEqual([0, 1_000, 3_000]);
    expect(queue.bodies()).toEqual([]);
  });

  it.each<[string, Partial<EventSourceMappingOptions>, RegExp]>([
    ['a maximum concurrency of 1', { maximumConcurrency: 1 }, /MaximumConcurrency/],
    ['a maximum concurrency of 1,001', { maximumConcurrency: 1_001 }, /MaximumConcurrency/],
    ['eleven messages without a window', { batchSize: 11 }, /batch window/],
    ['a function that may run longer than messages are hidden', { functionTimeoutSeconds: 61 }, /visibility/],
  ])('is refused with %s', (_, overrides, message) => {
    expect(() => start(() => OK, overrides)).toThrow(message);
  });
});
