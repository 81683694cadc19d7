/**
 * During a deployment the code before 2026-11-28 and the code after share the items of the permits. `earlier` does what
 * that code did with the item: fractions of a millisecond in `bookedUntilMs`, fractions of a call in `slowedTo`.
 */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { DEFAULT_QUOTAS, QuotaBuckets } from 'game-lift-streams-local';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { paceOf, readPermits, slowDown, takePermit } from '../../functions/shared/quota/permits.ts';
import { useTable } from '../helpers/table.ts';
import { watchWrites } from '../helpers/watch-writes.ts';

const table = useTable({ integersOnly: false });
const OPERATION = 'GetStreamSession' as const;
const KEY = { pk: `permit#${OPERATION}`, sk: 'permit' };

const earlierItemSchema = z.object({
  bookedUntilMs: z.number().default(0),
  slowedTo: z.number().optional(),
  slowedAtMs: z.number().optional(),
});

function prepare(perSecond: number) {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const buckets = new QuotaBuckets({ ...DEFAULT_QUOTAS, [OPERATION]: perSecond }, startMs);
  let rejected = 0;
  const call = () => {
    if (!buckets.take(OPERATION, clock.nowMs())) rejected++;
    return clock.nowMs() - startMs;
  };
  const latestMs = () => clock.nowMs() + 3000;
  const take = () =>
    clock.track(async () => {
      const request = { operation: OPERATION, perSecond, latestMs: latestMs() };
      return (await takePermit(request, { table: table(), clock })) ? call() : undefined;
    });
  const takeEarlier = () =>
    clock.track(async () => ((await earlier.take(perSecond, latestMs(), clock)) ? call() : undefined));
  const empty = (item: object = {}) =>
    table().documents.send(new PutCommand({ TableName: table().name, Item: { ...KEY, ...item } }));
  const stored = async () => {
    const { Item } = await table().documents.send(new GetCommand({ TableName: table().name, Key: KEY }));
    return Item ?? {};
  };
  return {
    clock,
    startMs,
    take,
    takeEarlier,
    empty,
    stored,
    rejected: () => rejected,
    slow: () => slowDown({ operation: OPERATION, perSecond }, { table: table(), clock }),
    slowEarlier: () => earlier.slowDown(perSecond, clock),
    read: () => readPermits(table(), OPERATION, { consistent: true }),
  };
}

const earlier = {
  async read() {
    const { Item } = await table().documents.send(
      new GetCommand({ TableName: table().name, Key: KEY, ConsistentRead: true }),
    );
    return earlierItemSchema.parse(Item ?? {});
  },

  pace({ slowedTo, slowedAtMs }: z.infer<typeof earlierItemSchema>, perSecond: number, nowMs: number) {
    const slowForMs = Math.max(0, nowMs - (slowedAtMs ?? nowMs));
    const rate = Math.min(perSecond, (slowedTo ?? perSecond) + (perSecond * 0.01 * slowForMs) / 1000);
    const intervalMs = 1000 / rate;
    const burstMs = Math.max(0, (rate < perSecond ? 0.25 : 1) * 1000 - intervalMs - 20);
    return { rate, intervalMs, burstMs };
  },

  async take(perSecond: number, latestMs: number, clock: VirtualClock): Promise<boolean> {
    for (let tries = 0; tries < 20; tries++) {
      const item = await earlier.read();
      const nowMs = clock.nowMs();
      const { intervalMs, burstMs } = earlier.pace(item, perSecond, nowMs);
      if (Math.max(item.bookedUntilMs, nowMs) - burstMs > latestMs) return false;
      const isSamePace =
        item.slowedAtMs === undefined ? 'attribute_not_exists(slowedAtMs)' : 'slowedAtMs = :slowedAt';
      const isIdle = item.bookedUntilMs < nowMs;
      const booked = await earlier.update(
        isIdle ? 'SET bookedUntilMs = :next' : 'SET bookedUntilMs = bookedUntilMs + :interval',
        isIdle
          ? `(attribute_not_exists(bookedUntilMs) OR bookedUntilMs < :now) AND ${isSamePace}`
          : `bookedUntilMs >= :now AND bookedUntilMs <= :last AND ${isSamePace}`,
        {
          ':now': nowMs,
          ...(isIdle
            ? { ':next': nowMs + intervalMs }
            : { ':interval': intervalMs, ':last': latestMs + burstMs }),
          ...(item.slowedAtMs === undefined ? {} : { ':slowedAt': item.slowedAtMs }),
        },
      );
      if (booked === undefined) continue;
      await clock.sleep(Math.max(0, booked - intervalMs - burstMs - clock.nowMs()));
      return true;
    }
    return false;
  },

  async slowDown(perSecond: number, clock: VirtualClock): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      const item = await earlier.read();
      const nowMs = clock.nowMs();
      if (item.slowedAtMs !== undefined && nowMs - item.slowedAtMs < 1000) return;
      const before = earlier.pace(item, perSecond, nowMs);
      const slowedTo = Math.max(perSecond * 0.1, before.rate * 0.9);
      const after = earlier.pace({ ...item, slowedTo, slowedAtMs: nowMs }, perSecond, nowMs);
      const nextMs = Math.max(Math.max(item.bookedUntilMs, nowMs) - before.burstMs, nowMs + after.intervalMs);
      const slowed = await earlier.update(
        'SET slowedTo = :slowedTo, slowedAtMs = :now, bookedUntilMs = :booked',
        item.bookedUntilMs === 0 ? 'attribute_not_exists(bookedUntilMs)' : 'bookedUntilMs = :seen',
        {
          ':slowedTo': slowedTo,
          ':now': nowMs,
          ':booked': nextMs + after.burstMs,
          ...(item.bookedUntilMs === 0 ? {} : { ':seen': item.bookedUntilMs }),
        },
      );
      if (slowed !== undefined) return;
    }
  },

  async update(
    UpdateExpression: string,
    ConditionExpression: string,
    ExpressionAttributeValues: Readonly<Record<string, number>>,
  ): Promise<number | undefined> {
    try {
      const { Attributes } = await table().documents.send(
        new UpdateCommand({
          TableName: table().name,
          Key: KEY,
          ReturnValues: 'ALL_NEW',
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeValues,
        }),
      );
      return earlierItemSchema.parse(Attributes).bookedUntilMs;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  },
};

const granted = (times: readonly (number | undefined)[]) => times.filter((atMs) => atMs !== undefined);

describe('permits of the code before and of the code after, on one item', () => {
  it.each([7, 20, 30, 50])('are together no more than the quota of %i a second', async (perSecond) => {
    const { clock, empty, take, takeEarlier, rejected } = prepare(perSecond);
    await empty();

    const taking = Promise.all(
      Array.from({ length: perSecond * 3 }, (_, index) => (index % 2 === 0 ? take() : takeEarlier())),
    );
    await clock.advance(3100);

    expect(rejected()).toBe(0);
    expect(granted(await taking).length).toBeGreaterThan(perSecond * 2.9);
  });

  it.each([7, 20, 30, 50])('slow down after fractions were left at %i a second', async (perSecond) => {
    const { clock, empty, takeEarlier, slow, slowEarlier, read } = prepare(perSecond);
    await empty();
    const waiting = Promise.all(Array.from({ length: 20 }, takeEarlier));
    await clock.idle();
    await slowEarlier();
    await clock.advance(1500);
    const writes = watchWrites(table());

    await slow();

    const { ratePerSecond } = paceOf(await read(), perSecond, clock.nowMs());
    // Where the interval is no whole number of ms, the code before could not slow anybody down.
    expect(ratePerSecond).toBeLessThanOrEqual(0.9 * perSecond);
    expect(writes).toHaveLength(1);
    await clock.advance(3000);
    expect(granted(await waiting)).toHaveLength(20);
  });

  it.each([
    [1, 1],
    [7, 6],
    [20, 18],
    [30, 27],
  ])('are slowed for the code before, too: %i a second to %i', async (perSecond, expected) => {
    const { clock, empty, take, takeEarlier, slow, stored } = prepare(perSecond);
    await empty();
    await slow();
    const next = [takeEarlier(), take()];
    await clock.advance(3000);

    expect(await stored()).toMatchObject({ slowedTo: expected });
    expect(granted(await Promise.all(next))).toHaveLength(2);
  });

  it('are as slow as the latest throttling says, whichever code it met', async () => {
    const { clock, empty, slow, slowEarlier, read } = prepare(20);
    await empty();
    await slow();
    await clock.advance(1000);
    await slowEarlier();
    const afterEarlier = paceOf(await read(), 20, clock.nowMs()).ratePerSecond;
    await clock.advance(1000);
    await slow();

    // The code before lowers by a tenth what had recovered by 0.2 calls a second. Soon after it three tenths are due.
    expect(afterEarlier).toBeCloseTo(0.9 * 18.2, 6);
    expect(paceOf(await read(), 20, clock.nowMs()).ratePerSecond).toBeCloseTo(0.7 * (0.9 * 18.2 + 0.2), 2);
  });

  it('leave whole numbers again once nobody has called for a moment', async () => {
    const { clock, startMs, empty, take, stored } = prepare(30);
    await empty({ bookedUntilMs: startMs + 99.5 });
    await clock.advance(200);

    await take();

    expect(Object.values(await stored()).filter((value) => typeof value === 'number')).toSatisfy(
      (numbers: number[]) => numbers.every(Number.isInteger),
    );
  });
});
