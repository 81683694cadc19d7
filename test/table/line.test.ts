import { PutCommand, type UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import type { QuotaOperation } from '../../functions/shared/contracts/quotas.ts';
import { deadlinesOf, type Rank } from '../../functions/shared/quota/deadline-bucket.ts';
import {
  counterIn,
  countServed,
  drawNumber,
  type LineState,
  readLine,
} from '../../functions/shared/quota/line.ts';
import { itemBytes } from '../helpers/item-bytes.ts';
import { narrowBucket } from '../helpers/line.ts';
import { useTable } from '../helpers/table.ts';

const table = useTable({ integersOnly: false });
const NOW_MS = Date.UTC(2026, 0, 1);
const SECOND = 1000;
const OPERATION = 'CreateStreamSessionConnection';
const DRAWN = 10_000_000;
/** Each test has the line of an operation to itself, or gives the item what it holds. */
const line = (operation: QuotaOperation) => ({
  read: () => readLine(table(), operation),
  draw: async (counter: string, nowMs = NOW_MS) =>
    drawNumber(table(), operation, {
      counter,
      seen: await readLine(table(), operation),
      overBeforeMs: nowMs,
    }),
  serve: (counter: string) => countServed(table(), operation, counter),
});
/** Every clock agrees. */
const NOW = { overBeforeMs: NOW_MS, latestMs: NOW_MS };
const counterAt = (ms: number) => narrowBucket(NOW_MS + ms).counter;
const counts = (state: LineState) => state.map(({ counter, drawn, served }) => ({ counter, drawn, served }));

async function givenItem(counters: Readonly<Record<string, unknown>>): Promise<void> {
  await table().documents.send(
    new PutCommand({ TableName: table().name, Item: { pk: `line#${OPERATION}`, sk: 'line', ...counters } }),
  );
}

describe('the line of an operation', () => {
  it('is empty before anybody has drawn', async () => {
    expect(await line('GetStreamSession').read()).toEqual([]);
  });

  it('gives numbers from 0 for each counter and counts calls, in the order of deadlines', async () => {
    const { read, draw, serve } = line('GetStreamSession');
    const [sooner, later] = [counterAt(0), counterAt(60_000)];

    const numbers: number[] = [];
    for (const counter of [later, later, sooner, later]) numbers.push((await draw(counter)).number);
    await serve(later);

    expect(numbers).toEqual([0, 1, 0, 2]);
    expect(await read()).toEqual([
      { ...narrowBucket(NOW_MS), drawn: 1, served: 0 },
      { ...narrowBucket(NOW_MS + 60_000), drawn: 3, served: 1 },
    ]);
  });

  it('is told with a number as it is with it', async () => {
    const { draw } = line('TerminateStreamSession');
    const counter = counterAt(0);

    expect(await draw(counter)).toEqual({ counter, number: 0, line: [narrowBucket(NOW_MS, { drawn: 1 })] });
  });

  it('knows calls that were counted before the number was drawn, as two processes may do', async () => {
    const { read, serve } = line('CreateStreamSessionAdminShell');

    await serve(counterAt(0));

    expect(counts(await read())).toEqual([{ counter: counterAt(0), drawn: 0, served: 1 }]);
  });

  it('has sessions with an open window before all others, whatever their deadlines', async () => {
    const unknown = narrowBucket(NOW_MS, { drawn: 1, rank: 'UNKNOWN' });
    const known = narrowBucket(NOW_MS + 60_000, { drawn: 1 });
    await givenItem({ [unknown.counter]: DRAWN, [known.counter]: DRAWN });

    expect(await line(OPERATION).read()).toEqual([known, unknown]);
  });

  it('forgets a bucket a minute after its end, because clocks differ', async () => {
    const { read, draw, serve } = line('ListStreamSessions');
    const [over, next] = [counterAt(0), counterAt(120_000)];
    await draw(over);
    await serve(over);

    const kept = await draw(next, NOW_MS + 2000 + 60_000);
    const forgotten = await draw(next, NOW_MS + 2000 + 60_001);

    expect(counts(kept.line).map(({ counter }) => counter)).toEqual([over, next]);
    expect(counts(forgotten.line)).toEqual([{ counter: next, drawn: 2, served: 0 }]);
    expect(await read()).toEqual(forgotten.line);
  });

  it('ignores attributes that are no counters and counters that are no whole numbers', async () => {
    await givenItem({
      unknown1: 1,
      A: 1,
      Ax_y: 1,
      M1: 1,
      A1: 'text',
      A2: 1.5,
      A3: -1,
      drawn1x: 1,
      withdrawn1: 1,
    });

    expect(await line(OPERATION).read()).toEqual([]);
  });
});

describe('the bucket of a deadline', () => {
  const LONGEST_MS = 3_600_000;

  it('is at most a quarter of the time left wide, two seconds at least, and holds the deadline', () => {
    for (let leftMs = 0; leftMs <= LONGEST_MS; leftMs += 777) {
      for (const rank of ['CONFIRMED', 'REPORTED', 'UNKNOWN'] as const) {
        const deadlineMs = NOW_MS + leftMs;
        const bucket = deadlinesOf(counterIn([], { deadlineMs, nowMs: NOW_MS, rank }, NOW) ?? '');
        const widthMs = (bucket?.endMs ?? 0) - (bucket?.startMs ?? 0);

        expect(widthMs).toBeGreaterThanOrEqual(Math.max(2000, leftMs / 12));
        expect(widthMs).toBeLessThanOrEqual(Math.max(2000, leftMs / 4));
        expect(bucket).toMatchObject({ rank });
        expect(bucket?.startMs).toBeLessThanOrEqual(deadlineMs);
        expect(bucket?.endMs).toBeGreaterThan(deadlineMs);
      }
    }
  });

  it('is the one of now for a deadline that has passed', () => {
    const wait = { nowMs: NOW_MS, rank: 'REPORTED' } as const;

    expect(counterIn([], { ...wait, deadlineMs: NOW_MS - 60_000 }, NOW)).toBe(counterAt(0));
  });
});

/** An item in memory, drawn from as the functions do, so that an hour takes no time. */
function simulatedLine() {
  const counters = new Map<string, { drawn: number; served: number }>();
  const state = (): LineState =>
    [...counters].flatMap(([counter, counted]) => {
      const deadlines = deadlinesOf(counter);
      return deadlines === undefined ? [] : [{ ...deadlines, ...counted }];
    });
  return {
    /** @returns the bytes of the item after the draw. */
    async draw(deadlineMs: number, nowMs: number, rank: Rank): Promise<number> {
      const seen = state();
      const counter = counterIn(seen, { deadlineMs, nowMs, rank }, { overBeforeMs: nowMs });
      if (counter === undefined) return 0;
      const send = async ({ input }: UpdateCommand) => {
        const { UpdateExpression = '', ExpressionAttributeNames = {} } = input;
        expect(UpdateExpression.length).toBeLessThan(500);
        for (const [placeholder, name] of Object.entries(ExpressionAttributeNames)) {
          if (placeholder !== '#drawn') counters.delete(name);
        }
        const { drawn, served } = counters.get(counter) ?? { drawn: 0, served: 0 };
        counters.set(counter, { drawn: drawn + 1, served });
        return { Attributes: item() };
      };
      const documents = Object.assign(Object.create(table().documents), { send });
      await drawNumber({ documents, name: 'Table' }, OPERATION, { counter, seen, overBeforeMs: nowMs });
      return itemBytes(item());
    },
    serveAll() {
      for (const [counter, { drawn }] of counters)
        counters.set(counter, { drawn, served: Math.floor(drawn * 0.7) });
    },
  };

  function item() {
    const entries = [...counters].map(([name, { drawn, served }]) => [name, drawn * DRAWN + served]);
    return { pk: `line#${OPERATION}`, sk: 'line', ...Object.fromEntries(entries) };
  }
}

describe("the line's item", () => {
  it.each([
    ['3,600 s, players back at once', 4000, () => [3600]],
    ['3,600 s, players back at any time', 4000, (random: () => number) => [random() * 3600]],
    [
      'all timeouts, known and unknown',
      5000,
      (random: () => number) => [10 * random(), -120 * random(), 600 * random(), 3600 * random()],
    ],
    [
      'every bucket that there is',
      4400,
      () =>
        [2, 6, 18, 54, 162, 300].flatMap((width) =>
          [4.1, 6, 8, 11.9].flatMap((share) => [width * share, -width * share]),
        ),
    ],
  ])('stays below 1 KB for hours: %s', async (_, seconds, deadlinesIn) => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const simulated = simulatedLine();
    let largest = 0;

    // Once in a while for an hour, then every two seconds: narrow buckets last for seconds only.
    for (let second = 0; second < seconds; second += second < seconds - 200 ? 20 : 2) {
      const nowMs = NOW_MS + second * SECOND;
      for (const left of deadlinesIn(random)) {
        const bytes = await simulated.draw(
          nowMs + Math.abs(left) * SECOND,
          nowMs,
          left > 0 ? 'REPORTED' : 'UNKNOWN',
        );
        largest = Math.max(largest, bytes);
      }
      if (second % 60 === 0) simulated.serveAll();
    }

    if (process.env['SHOW']) console.log(_, largest);
    expect(largest).toBeLessThan(1024);
  });

  it('gives a deadline the narrowest bucket around it, when there is no room for another counter', () => {
    const many = Array.from({ length: 90 }, (_, index) => narrowBucket(NOW_MS + index * 2000, { drawn: 10 }));
    const [wide, wider] = ['C', 'D'].map((level) => {
      const atMs = NOW_MS + 600_000;
      const deadlines = deadlinesOf(
        `${level}${Math.floor(atMs / (level === 'C' ? 18_000 : 54_000)).toString(36)}`,
      );
      if (deadlines === undefined) throw new Error('It is a counter.');
      return { ...deadlines, drawn: 1, served: 0 };
    });
    if (wide === undefined || wider === undefined) throw new Error('There are two.');
    const wait = { deadlineMs: NOW_MS + 600_000, nowMs: NOW_MS + 595_000, rank: 'REPORTED' } as const;

    expect(counterIn([...many, wider, wide], wait, NOW)).toBe(wide.counter);
    expect(counterIn([...many, wider], wait, NOW)).toBe(wider.counter);
    expect(counterIn(many, wait, NOW)).toBeUndefined();
    expect(counterIn([wider, wide], wait, NOW)).toBe(narrowBucket(NOW_MS + 600_000).counter);
  });

  it.each([
    ['over', -86_400_000],
    ['of a day from now, by a clock that was ahead', 86_400_000],
  ])('has room again when its buckets are %s', async (_, offsetMs) => {
    const buckets = Array.from({ length: 90 }, (__, index) =>
      narrowBucket(NOW_MS + offsetMs + index * 2000, { drawn: 10 }),
    );
    await givenItem(Object.fromEntries(buckets.map(({ counter }) => [counter, 10 * DRAWN])));
    const wait = { deadlineMs: NOW_MS + 120_000, nowMs: NOW_MS, rank: 'REPORTED' } as const;

    for (let draws = 0; draws < 6; draws++) {
      const seen = await readLine(table(), OPERATION);
      const counter = counterIn(seen, wait, NOW);
      if (counter === undefined) continue;
      await drawNumber(table(), OPERATION, { counter, seen, ...NOW });
    }

    expect(counts(await readLine(table(), OPERATION))).toEqual([
      { counter: expect.any(String), drawn: 6, served: 0 },
    ]);
  });
});
