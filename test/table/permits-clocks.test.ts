import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it, vi } from 'vitest';
import {
  nextPermitMs,
  paceOf,
  readPermits,
  slowDown,
  takePermit,
} from '../../functions/shared/quota/permits.ts';
import { beforeNext } from '../helpers/failing-table.ts';
import { useTable } from '../helpers/table.ts';

const table = useTable();
const OPERATION = 'GetStreamSession' as const;
const MINUTES = 60_000;

async function prepare({ perSecond = 20, lane = '' }: { perSecond?: number; lane?: '' | '#low' } = {}) {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const quota = { operation: OPERATION, perSecond };
  const at = (skewMs: number) => ({
    table: table(),
    clock: {
      nowMs: () => clock.nowMs() + skewMs,
      sleep: (delayMs: number) => clock.sleep(delayMs),
      setTimer: (delayMs: number, callback: () => void) => clock.setTimer(delayMs, callback),
    },
  });
  /** When the call went out, in ms from the start; undefined where there was no permit. */
  const take = (
    skewMs = 0,
    { waitMs = 3000, priority = 'NORMAL' }: { waitMs?: number; priority?: 'LOW' | 'NORMAL' } = {},
  ) =>
    clock.track(async () => {
      const own = at(skewMs);
      const latestMs = own.clock.nowMs() + waitMs;
      return (await takePermit({ ...quota, latestMs, priority }, own)) ? clock.nowMs() - startMs : undefined;
    });
  const write = (item: object, ofLane: '' | '#low' = lane) =>
    table().documents.send(
      new PutCommand({
        TableName: table().name,
        Item: { pk: `permit#${OPERATION}${ofLane}`, sk: 'permit', ...item },
      }),
    );
  await Promise.all([write({}, ''), write({}, '#low')]);
  return {
    clock,
    startMs,
    take,
    write,
    slow: (skewMs = 0) => slowDown(quota, at(skewMs)),
    state: () => readPermits(table(), OPERATION, { consistent: true }),
  };
}

const granted = (times: readonly (number | undefined)[]) => times.filter((atMs) => atMs !== undefined);

describe('a permit booked by a clock that is ten minutes ahead', () => {
  it('costs a lone caller a second', async () => {
    const { clock, take } = await prepare();
    await take(10 * MINUTES);

    const next = take();
    await clock.advance(3000);

    expect(await next).toBeLessThan(1000);
  });

  it.each([1, 7, 20])(
    'costs callers that come one by one a few seconds at %i a second',
    async (perSecond) => {
      const { clock, take } = await prepare({ perSecond });
      await take(10 * MINUTES);

      const times: (number | undefined)[] = [];
      for (let second = 0; second < 6; second++) {
        const next = take(0, { waitMs: 0 });
        await clock.advance(1000);
        times.push(await next);
      }

      expect(granted(times).length).toBeGreaterThan(0);
    },
  );

  it('costs nobody the quota: the callers that wait get the permits of the next seconds', async () => {
    const { clock, take } = await prepare();
    await take(10 * MINUTES);

    const taking = Promise.all(Array.from({ length: 60 }, () => take()));
    await clock.advance(3000);

    expect(granted(await taking).length).toBeGreaterThan(20 * 2);
  });

  it('again and again leaves the others most of the quota', async () => {
    const { clock, take } = await prepare();
    const ahead: Promise<unknown>[] = [];
    const taking: Promise<number | undefined>[] = [];

    for (let step = 0; step < 50; step++) {
      if (step % 5 === 0) ahead.push(take(10 * MINUTES));
      for (let caller = 0; caller < 3; caller++) taking.push(take());
      await clock.advance(100);
    }
    await clock.advance(3000);
    await Promise.all(ahead);

    // 8 seconds' worth is 160.
    expect(granted(await Promise.all(taking)).length).toBeGreaterThan(80);
  });

  it('is no reason for low priority to wait, either', async () => {
    const { clock, startMs, write, take } = await prepare();
    await write({ bookedUntilMs: startMs + 10 * MINUTES }, '#low');

    const next = take(0, { priority: 'LOW' });
    await clock.advance(3000);

    expect(await next).toBeLessThan(1500);
  });

  it('shows the line that the next permit is about to be free', async () => {
    const { startMs } = await prepare();
    const state = { bookedUntilMs: startMs + 10 * MINUTES };
    const pace = paceOf(state, 20, startMs);

    expect(nextPermitMs(state, pace, startMs)).toBe(startMs + 50);
  });

  it('is believed where it is no further ahead than two clocks may be apart', async () => {
    const { clock, take } = await prepare();
    await take(1000);

    const next = take();
    await clock.advance(3000);

    // Booked until 1,050 ms from now, less the burst of 930 ms.
    expect(await next).toBe(120);
  });
});

describe('a clock that is two minutes behind', () => {
  it('gives nobody a second burst while others book', async () => {
    const { clock, take } = await prepare();
    const times: Promise<number | undefined>[] = [];
    const behind: Promise<unknown>[] = [];

    for (let step = 0; step < 50; step++) {
      if (step % 5 === 0) behind.push(take(-2 * MINUTES));
      for (let caller = 0; caller < 3; caller++) times.push(take());
      await clock.advance(100);
    }
    await clock.advance(3000);
    await Promise.all(behind);

    // One burst, and the quota of 8 seconds.
    expect(granted(await Promise.all(times)).length).toBeLessThanOrEqual(19 + 20 * 8);
  });
});

describe('a throttling written by a clock that is ten minutes ahead', () => {
  it('slows nobody down for ten minutes', async () => {
    const { clock, slow, state } = await prepare();
    await slow(10 * MINUTES);

    expect(paceOf(await state(), 20, clock.nowMs()).ratePerSecond).toBe(20);
  });

  it('does not keep the next one from slowing everybody down', async () => {
    const { clock, slow, state, startMs } = await prepare();
    await slow(10 * MINUTES);

    await slow();

    expect(await state()).toMatchObject({ slowedAtMs: startMs });
    expect(paceOf(await state(), 20, clock.nowMs()).ratePerSecond).toBe(18);
  });
});

describe('a clock that is set back while a caller waits for its permit', () => {
  it('does not make the wait longer than three seconds', async () => {
    const { clock, startMs, write, take } = await prepare();
    await write({ bookedUntilMs: startMs + 930 + 2000 });
    const nowMs = clock.nowMs.bind(clock);
    beforeNext(table(), 'UpdateItemCommand', async () => {
      vi.spyOn(clock, 'nowMs').mockImplementation(() => nowMs() - 10 * MINUTES);
    });
    const taking = take();

    await clock.advance(3000);

    expect(await taking).toBeDefined();
  });
});
