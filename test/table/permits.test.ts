import { DEFAULT_QUOTAS, QuotaBuckets } from 'game-lift-streams-local';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import type { QuotaOperation } from '../../functions/shared/contracts/quotas.ts';
import {
  nextPermitMs,
  paceOf,
  readPermits,
  slowDown,
  takePermit,
} from '../../functions/shared/quota/permits.ts';
import { MemoryTable } from '../../local/dynamodb/memory-table.ts';
import { failNext, raceReads } from '../helpers/failing-table.ts';
import { bookPermits } from '../helpers/permits.ts';
import { allItems, useTable } from '../helpers/table.ts';
import { watchReads } from '../helpers/watch-reads.ts';
import { watchWrites } from '../helpers/watch-writes.ts';

const table = useTable();
const OPERATION = 'GetStreamSession' as const;
let nextStartMs = Date.UTC(2026, 0, 1);

/** A clock in hours that no other test has used: they share the permits' items. */
function prepare({ perSecond = 20 }: { perSecond?: number } = {}) {
  nextStartMs += 3_600_000;
  const clock = new VirtualClock(nextStartMs);
  const startMs = clock.nowMs();
  const dependencies = { table: table(), clock };
  /** When the call went out, in ms from the start; undefined where there was no permit. */
  const take = (
    waitMs: number,
    {
      operation = OPERATION,
      priority = 'NORMAL',
      skewMs = 0,
    }: {
      operation?: QuotaOperation;
      priority?: 'NORMAL' | 'LOW';
      skewMs?: number;
    } = {},
  ) =>
    clock.track(async () => {
      const own = { ...dependencies, clock: skewed(clock, skewMs) };
      const latestMs = own.clock.nowMs() + waitMs;
      const granted = await takePermit({ operation, perSecond, latestMs, priority }, own);
      return granted ? clock.nowMs() - startMs : undefined;
    });
  return { clock, startMs, dependencies, take, quota: { operation: OPERATION, perSecond } };
}

/** A Lambda whose clock is off. */
function skewed(clock: VirtualClock, skewMs: number) {
  return {
    nowMs: () => clock.nowMs() + skewMs,
    sleep: (delayMs: number) => clock.sleep(delayMs),
    setTimer: (delayMs: number, callback: () => void) => clock.setTimer(delayMs, callback),
  };
}

const many = <Result>(count: number, make: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** The most calls in any stretch of `lengthMs`. */
function mostWithin(timesMs: readonly number[], lengthMs: number): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  return Math.max(
    ...sorted.map((startMs) => sorted.filter((atMs) => atMs >= startMs && atMs < startMs + lengthMs).length),
  );
}

const granted = (times: readonly (number | undefined)[]) => times.filter((atMs) => atMs !== undefined);

describe('a permit', () => {
  it('is given to fifty concurrent Lambdas as a burst, then one by one, evenly spaced', async () => {
    const { clock, take } = prepare();

    const taking = many(50, () => take(3000));
    await clock.advance(3000);
    const times = granted(await taking).toSorted((a, b) => a - b);

    expect(times).toHaveLength(50);
    expect(times.filter((atMs) => atMs === 0)).toHaveLength(19);
    const spaced = times.slice(20).map((atMs, index) => atMs - (times[index + 19] ?? 0));
    for (const gapMs of spaced) expect(gapMs).toBeCloseTo(50, 3);
  });

  it('is never one too many for a service that fills its quota continuously', async () => {
    const { clock, startMs, take } = prepare();
    const buckets = new QuotaBuckets(DEFAULT_QUOTAS, startMs);

    const taking = many(75, () => take(3000));
    await clock.advance(3000);
    const times = granted(await taking).toSorted((a, b) => a - b);

    expect(times).toHaveLength(75);
    expect(times.filter((atMs) => !buckets.take(OPERATION, startMs + atMs))).toEqual([]);
  });

  it('is counted for each operation by itself', async () => {
    const { take } = prepare({ perSecond: 1 });

    expect(await take(0)).toBe(0);
    expect(await take(0, { operation: 'CreateStreamSessionConnection' })).toBe(0);
    expect(await take(0)).toBeUndefined();
  });

  it('is refused at once when it comes too late for the caller, and nothing is taken', async () => {
    const { clock, startMs, take } = prepare({ perSecond: 1 });
    await take(0);
    const before = await readPermits(table(), OPERATION, { consistent: true });

    expect(await take(999)).toBeUndefined();

    expect(clock.nowMs()).toBe(startMs);
    expect(await readPermits(table(), OPERATION, { consistent: true })).toEqual(before);
  });

  it('can be asked about before anybody has taken one', async () => {
    expect(await readPermits(table(), 'TerminateStreamSession')).toEqual({});
  });

  it('is given at the very millisecond at which the quota is full again', async () => {
    const { take, startMs, quota } = prepare();
    await bookPermits(table(), quota, startMs - 930);

    expect(await take(0)).toBe(0);
  });

  it('is told of when it is booked, before the wait for its time, and not when there is none', async () => {
    const { clock, startMs, dependencies, quota } = prepare();
    await bookPermits(table(), quota, startMs + 2000);
    const bookedAtMs: number[] = [];
    const onBooked = () => bookedAtMs.push(clock.nowMs() - startMs);
    const take = (latestMs: number) =>
      clock.track(() => takePermit({ ...quota, latestMs, onBooked }, dependencies));

    const [refused, taking] = [await take(startMs + 1000), take(startMs + 3000)];
    await clock.advance(3000);

    expect([refused, await taking]).toEqual([false, true]);
    expect(bookedAtMs).toEqual([0]);
  });

  it('is a retryable failure when the table fails, not one that was lost to somebody else', async () => {
    const { take } = prepare();
    failNext(table(), 'UpdateItemCommand', 'BEFORE');

    await expect(take(0)).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
  });

  it('that a dead caller had booked is the only one lost', async () => {
    const { clock, take } = prepare({ perSecond: 1 });
    await take(0);
    take(3000).catch(() => {});
    await clock.idle();

    const next = take(3000);
    await clock.advance(3000);

    expect(await next).toBe(2000);
  });

  it('saves up one burst and no more, however long nobody calls', async () => {
    const { clock, take } = prepare();
    await clock.advance(600_000);

    expect(granted(await many(50, () => take(0)))).toHaveLength(19);
  });
});

describe('a quota whose interval is no whole millisecond', () => {
  it.each([7, 30, 300, 450])('of %i a second is neither exceeded nor wasted', async (perSecond) => {
    const clock = new VirtualClock();
    const { table: inMemory } = new MemoryTable({
      nowMs: () => clock.nowMs(),
      travel: async () => {},
    });
    const buckets = new QuotaBuckets({ ...DEFAULT_QUOTAS, [OPERATION]: perSecond }, clock.nowMs());
    const take = () =>
      takePermit({ operation: OPERATION, perSecond, latestMs: clock.nowMs() }, { table: inMemory, clock });
    const seconds = Math.max(4, Math.ceil(140 / perSecond));
    let [calls, rejected] = [0, 0];

    for (let step = 0; step < seconds * 10; step++) {
      for (let caller = 0; caller < perSecond / 6; caller++) {
        if (!(await take())) continue;
        calls++;
        if (!buckets.take(OPERATION, clock.nowMs())) rejected++;
      }
      await clock.advance(100);
    }

    expect(rejected).toBe(0);
    // All of the burst at first, and 99.5 % of the quota.
    expect(calls).toBeGreaterThanOrEqual(Math.floor(perSecond * (0.97 + (seconds - 0.1) * 0.995)) - 1);
  });
});

describe('a permit that somebody else is quicker to take', () => {
  /** The item is now idle, now not: a write that was made for the one does not fit the other. */
  const flip = (startMs: number) => (read: number) =>
    bookPermits(
      table(),
      { operation: OPERATION, perSecond: 20 },
      startMs + (read % 2 === 0 ? -60_000 : -900),
    );

  it('is tried for again', async () => {
    const { take, startMs } = prepare();
    const reads = raceReads(table(), 1, flip(startMs));

    expect(await take(0)).toBe(0);

    expect(reads()).toBe(1);
    const { bookedUntilMs } = await readPermits(table(), OPERATION, { consistent: true });
    expect(bookedUntilMs).toBeCloseTo(startMs + 30 + 50, 3);
  });

  it('is none after twenty tries', async () => {
    const { take, startMs } = prepare();
    const reads = raceReads(table(), 25, flip(startMs));

    expect(await take(0)).toBeUndefined();

    expect(reads()).toBe(20);
  });
});

describe('clocks that differ by a second either way', () => {
  it('let out no more than the quota for two seconds longer, and one burst', async () => {
    const { clock, take } = prepare();
    const skews = [-1000, 0, 1000];

    const times: (number | undefined)[] = [];
    for (let step = 0; step < 40; step++) {
      const taking = many(15, (index) => take(3000, { skewMs: skews[index % 3] ?? 0 }));
      taking.then((some) => times.push(...some)).catch(() => {});
      await clock.advance(250);
    }
    await clock.advance(5000);
    const calls = granted(times);

    for (const seconds of [1, 2, 5, 10]) {
      expect(mostWithin(calls, seconds * 1000)).toBeLessThanOrEqual(20 * (seconds + 2) + 20);
    }
    // Ten seconds of callers who wait for three: all of the quota is used, and no more than that.
    expect(calls.length).toBeGreaterThan(20 * 10);
    expect(calls.length).toBeLessThanOrEqual(20 * (10 + 3 + 2) + 20);
  });
});

describe('a throttled call', () => {
  it('makes everybody a tenth slower, once for all that are throttled within half a second', async () => {
    const { clock, dependencies, quota } = prepare();

    await many(5, () => slowDown(quota, dependencies));
    await clock.advance(499);
    await slowDown(quota, dependencies);
    const state = await readPermits(table(), OPERATION, { consistent: true });

    expect(paceOf(state, 20, clock.nowMs() - 499).ratePerSecond).toBeCloseTo(18, 6);
  });

  it.each([500, 2999])('makes everybody three tenths slower %i ms after another one', async (laterMs) => {
    const { clock, dependencies, quota } = prepare();
    await slowDown(quota, dependencies);
    await clock.advance(laterMs);

    await slowDown(quota, dependencies);

    const state = await readPermits(table(), OPERATION, { consistent: true });
    const recovered = 18 + (0.2 * laterMs) / 1000;
    expect(paceOf(state, 20, clock.nowMs()).ratePerSecond).toBeCloseTo(0.7 * recovered, 2);
  });

  it('makes everybody a tenth slower again three seconds after another one', async () => {
    const { clock, dependencies, quota } = prepare();
    await slowDown(quota, dependencies);
    await clock.advance(3000);

    await slowDown(quota, dependencies);

    const state = await readPermits(table(), OPERATION, { consistent: true });
    expect(paceOf(state, 20, clock.nowMs()).ratePerSecond).toBeCloseTo(0.9 * 18.6, 2);
  });

  it('finds what somebody else leaves of the quota within two seconds', async () => {
    const { clock, dependencies, quota } = prepare();

    // Somebody else takes 15 of 20 a second, so calls are throttled until ours are down to 5.
    let throttled = 0;
    for (;;) {
      const state = await readPermits(table(), OPERATION, { consistent: true });
      if (paceOf(state, 20, clock.nowMs()).ratePerSecond <= 5) break;
      await slowDown(quota, dependencies);
      throttled++;
      await clock.advance(500);
    }

    expect(throttled).toBe(5);
  });

  it('again and again slows down to a tenth of the quota, not to a standstill', async () => {
    const { clock, dependencies, quota } = prepare();

    for (let times = 0; times < 60; times++) {
      await slowDown(quota, dependencies);
      await clock.advance(1000);
    }
    const state = await readPermits(table(), OPERATION, { consistent: true });

    expect(state.slowedToMilli).toBe(2000);
  });

  it('is forgotten by a hundredth of the quota a second', async () => {
    const { clock, dependencies, quota } = prepare();
    await slowDown(quota, dependencies);
    const state = await readPermits(table(), OPERATION, { consistent: true });

    expect(paceOf(state, 20, clock.nowMs() + 5000).ratePerSecond).toBeCloseTo(19, 6);
    expect(paceOf(state, 20, clock.nowMs() + 10_000).ratePerSecond).toBeCloseTo(20, 6);
  });

  it('leaves nothing saved up: the next call waits its full interval', async () => {
    const { clock, dependencies, quota, take } = prepare();
    await slowDown(quota, dependencies);

    let isTaken = false;
    const next = take(1000).then(() => {
      isTaken = true;
    });
    // 55.556 ms: in whole microseconds, rounded up.
    await clock.advance(55.5);
    const isEarly = isTaken;
    await clock.advance(0.1);
    await next;

    expect(isEarly).toBe(false);
  });

  it('leaves a quarter of the burst while it is slower', () => {
    expect(paceOf({}, 20, 0).burstMs).toBe(1000 - 50 - 20);
    expect(paceOf({ slowedTo: 10, slowedAtMs: 0 }, 20, 0).burstMs).toBe(250 - 100 - 20);
    expect(paceOf({ slowedTo: 10, slowedAtMs: 0 }, 20, 50_000).burstMs).toBe(1000 - 50 - 20);
  });

  it('slows down an operation whose item is not there', async () => {
    const { dependencies, startMs } = prepare();
    const quota = { operation: 'CreateStreamSessionAdminShell', perSecond: 1 } as const;

    await slowDown(quota, dependencies);

    expect(await readPermits(table(), quota.operation)).toMatchObject({
      slowedToMilli: 900,
      slowedAtMs: startMs,
    });
  });

  it('is not forgotten because somebody took a permit meanwhile, whose permit is not either', async () => {
    const { startMs, dependencies, quota } = prepare();
    const reads = raceReads(table(), 1, () => bookPermits(table(), quota, startMs + 2000));

    await slowDown(quota, dependencies);

    const state = await readPermits(table(), OPERATION, { consistent: true });
    expect(reads()).toBe(1);
    expect(state).toMatchObject({ slowedToMilli: 18_000, slowedAtMs: startMs });
    expect(nextPermitMs(state, paceOf(state, 20, startMs), startMs)).toBeCloseTo(startMs + 2000, 3);
  });

  it.each([7, 20, 30, 50])(
    'costs one read and one write at %i a second with twenty waiting',
    async (perSecond) => {
      const { clock, dependencies, quota, take } = prepare({ perSecond });
      const waiting = many(20, () => take(3000));
      await clock.idle();
      const [reads, writes] = [watchReads(table()), watchWrites(table())];

      await slowDown(quota, dependencies);

      expect([reads, writes].map((calls) => calls.length)).toEqual([1, 1]);
      expect(await readPermits(table(), OPERATION, { consistent: true })).toMatchObject({
        slowedToMilli: perSecond * 900,
      });
      await clock.advance(3000);
      expect(granted(await waiting)).toHaveLength(20);
    },
  );

  it.each([7, 20, 30, 50])(
    'slows down again 1.5 s later at %i a second with twenty waiting',
    async (perSecond) => {
      const { clock, dependencies, quota, take } = prepare({ perSecond });
      await slowDown(quota, dependencies);
      const waiting = many(20, () => take(3000));
      await clock.advance(1500);

      await slowDown(quota, dependencies);

      const state = await readPermits(table(), OPERATION, { consistent: true });
      expect(paceOf(state, perSecond, clock.nowMs()).ratePerSecond).toBeLessThan(perSecond * 0.9);
      await clock.advance(3000);
      await waiting;
    },
  );

  it.each([7, 30, 50, 800])('leaves only whole numbers in the table at %i a second', async (perSecond) => {
    const { clock, dependencies, quota, take } = prepare({ perSecond });
    for (let round = 0; round < 3; round++) {
      await many(10, () => take(0));
      await slowDown(quota, dependencies);
      const waiting = many(10, () => take(1100, { priority: 'LOW' }));
      await clock.advance(1100);
      await waiting;
    }

    const items = await allItems(table());
    const numbers = items.flatMap((item) => Object.values(item).filter((value) => typeof value === 'number'));
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers.filter((value) => !Number.isInteger(value))).toEqual([]);
  });

  it('is let go after twenty lost writes: others have been told the same by then', async () => {
    const { startMs, dependencies, quota } = prepare();
    // Now more is booked than the next full interval, now less: a write that was made for the one does not fit the other.
    const reads = raceReads(table(), 25, (read) =>
      bookPermits(table(), quota, startMs + (read % 2 === 0 ? 2000 : -900)),
    );

    await slowDown(quota, dependencies);

    expect(reads()).toBe(20);
    expect(await readPermits(table(), OPERATION, { consistent: true })).not.toHaveProperty('slowedAtMs');
  });

  it('takes nobody the time that is booked', async () => {
    const { clock, startMs, dependencies, quota, take } = prepare();
    await bookPermits(table(), quota, startMs + 2000);
    await slowDown(quota, dependencies);

    const next = take(3000);
    await clock.advance(3000);

    expect(await next).toBeCloseTo(2000, 2);
  });
});

describe('a call of low priority', () => {
  it('leaves a quarter of the quota to the others, however many there are', async () => {
    const { clock, take } = prepare();

    const low = many(200, () => take(3000, { priority: 'LOW' }));
    await clock.advance(1000);
    const normal = many(5, () => take(100));
    await clock.advance(2000);

    expect(granted(await normal)).toHaveLength(5);
    expect(granted(await low).length).toBeLessThanOrEqual(15 * 4);
    expect(granted(await low).length).toBeGreaterThan(15 * 3);
  });
});
