import { describe, expect, it } from 'vitest';
import { backoffPolicy } from '../../bench/storm/backoff-policy.ts';
import { boundOf, fairTimes } from '../../bench/storm/bound.ts';
import { ourPolicy } from '../../bench/storm/our-policy.ts';
import { pictureOf } from '../../bench/storm/picture.ts';
import { tableOf, verdictOf } from '../../bench/storm/report.ts';
import { RetryPolicy } from '../../bench/storm/retry-policy.ts';
import { runStorm, type StormResult } from '../../bench/storm/run-storm.ts';
import { AT_ONCE_SECONDS, playersOf, type Scenario } from '../../bench/storm/scenario.ts';
import { sdkPolicy } from '../../bench/storm/sdk-policy.ts';
import { InProcessClock } from '../../local/simulation/in-process-clock.ts';

const scenario = (overrides: Partial<Scenario> = {}): Scenario => ({
  sessions: 400,
  windows: 10,
  backWithinSeconds: AT_ONCE_SECONDS,
  foreignPerSecond: 0,
  lostReplies: 0,
  ...overrides,
});
const CAPACITY = { perSecond: 20, burst: 20, foreignPerSecond: 0 };
const players = (count: number, deadlineMs: number, backAtMs = 0) =>
  Array.from({ length: count }, (_, index) => ({ id: `${deadlineMs}-${index}`, backAtMs, deadlineMs }));

describe('the bound', () => {
  it('is the burst and the rate until the deadline', () => {
    expect(boundOf(players(1000, 10_000), CAPACITY)).toBe(220);
  });

  it('is less by what somebody else takes', () => {
    expect(boundOf(players(1000, 10_000), { ...CAPACITY, foreignPerSecond: 5 })).toBe(170);
  });

  it('is never more than the sessions', () => {
    expect(boundOf(players(100, 10_000), CAPACITY)).toBe(100);
  });

  it('grants the early deadlines first, and the rest to the late ones', () => {
    const mixed = [...players(500, 120_000), ...players(500, 10_000)];

    expect(boundOf(mixed, CAPACITY)).toBe(220 + 500);
  });

  it('begins with the first player who is back: until then the bucket is full', () => {
    expect(boundOf(players(1000, 10_000, 5000), CAPACITY)).toBe(120);
  });

  it('is reached by serving deadlines first', () => {
    const mixed = [...players(500, 120_000), ...players(500, 10_000)];

    expect(fairTimes(mixed, CAPACITY).size).toBe(boundOf(mixed, CAPACITY));
  });
});

describe('the clock of a storm', () => {
  it('fires timers in the order of time, and cancelled ones not at all', async () => {
    const clock = new InProcessClock(0);
    const fired: number[] = [];
    for (const delayMs of [30, 10, 20, 10, 40]) clock.setTimer(delayMs, () => fired.push(delayMs));
    clock.setTimer(15, () => fired.push(-1))();

    await clock.run();

    expect(fired).toEqual([10, 10, 20, 30, 40]);
    expect(clock.nowMs()).toBe(40);
  });
});

describe('the retry policy of the shipped machine', () => {
  it('retries a throttled call six times, at most four seconds apart', () => {
    const policy = new RetryPolicy();

    const delays = Array.from({ length: 7 }, () => policy.delayMs('ThrottlingException', () => 1));

    expect(delays).toEqual([1000, 2000, 4000, 4000, 4000, 4000, undefined]);
  });

  it('does not retry what the machine does not', () => {
    expect(new RetryPolicy().delayMs('UnexpectedError', () => 0)).toBeUndefined();
  });
});

describe('a simulated storm', () => {
  it('is saved by the shipped code to 99 % of the bound, with no call in vain', async () => {
    const result = await runStorm(scenario(), ourPolicy(), 7);

    expect(result.bound).toBe(219);
    expect(result.saved / result.bound).toBeGreaterThanOrEqual(0.99);
    expect(result.calls / result.saved).toBeLessThanOrEqual(1.02);
    expect(result.rejected).toBe(0);
  });

  it('is saved to 97 % of the bound with windows of 10, 120, 600 and 3,600 s', async () => {
    const result = await runStorm(scenario({ sessions: 1000, windows: 'wide' }), ourPolicy(), 3);

    expect(result.saved / result.bound).toBeGreaterThanOrEqual(0.97);
    expect(result.calls / result.saved).toBeLessThanOrEqual(1.02);
  });

  it('is saved to 95 % of the bound with windows of ten seconds and two minutes', async () => {
    const result = await runStorm(scenario({ sessions: 1000, windows: 'mixed' }), ourPolicy(), 7);

    expect(result.saved / result.bound).toBeGreaterThanOrEqual(0.95);
  });

  it('loses nothing to slowing down for good when somebody else uses the account', async () => {
    // Of ten seeds the share is 0.92 to 0.96, 0.935 in the mean: one storm alone says little.
    const results: StormResult[] = [];
    for (const seed of [1, 2, 3, 4, 5]) {
      results.push(await runStorm(scenario({ foreignPerSecond: 5 }), ourPolicy(), seed));
    }
    const meanOf = (share: (result: StormResult) => number) =>
      results.reduce((sum, result) => sum + share(result), 0) / results.length;

    expect(Math.min(...results.map(({ rejected }) => rejected))).toBeGreaterThan(0);
    expect(meanOf(({ saved, bound }) => saved / bound)).toBeGreaterThanOrEqual(0.92);
    expect(meanOf(({ calls, saved }) => calls / saved)).toBeLessThanOrEqual(1.1);
  });

  it.each([
    ['ours', ourPolicy],
    ['backoff alone', () => backoffPolicy],
    ['the SDK', () => sdkPolicy('standard')],
    ['the SDK, adaptive', () => sdkPolicy('adaptive')],
  ])('is the same again with the same seed: %s', async (_, policy) => {
    const once = await runStorm(scenario({ sessions: 200 }), policy(), 3);
    const again = await runStorm(scenario({ sessions: 200 }), policy(), 3);

    expect(again).toEqual(once);
  });

  it('leaves the process with its own clock', async () => {
    const { now } = Date;
    await runStorm(scenario({ sessions: 20 }), sdkPolicy('standard'), 1);

    expect(Date.now).toBe(now);
    expect(Date.now()).toBeGreaterThan(Date.UTC(2026, 0, 2));
  });

  it('has the same players for every policy, and none who is back too late', () => {
    const back = scenario({ backWithinSeconds: 30 });
    const random = () => 0.5;

    expect(playersOf(back, 0, random)).toEqual([]);
    expect(playersOf(scenario({ backWithinSeconds: 10 }), 0, random)).toHaveLength(400);
  });
});

describe('the report', () => {
  it('has a row for each policy and the bound, and says which goals are missed', async () => {
    const result = await runStorm(scenario({ sessions: 50 }), ourPolicy(), 1);
    const cell = { scenario: scenario({ sessions: 50 }), results: [result] };
    const poor = { ...cell, results: [{ ...result, saved: 40 }] };

    expect(tableOf(cell)).toContain('the bound');
    expect(verdictOf([cell], result.policy).met).toBe(true);
    expect(verdictOf([poor], result.policy)).toMatchObject({
      met: false,
      text: expect.stringContaining('80.0 % of the bound'),
    });
    expect(pictureOf([cell])).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  it.each<[number, Partial<Scenario>]>([
    [0.99, { sessions: 1000, windows: 30 }],
    [0.94, { sessions: 10_000, windows: 10 }],
    [0.95, { sessions: 1000, windows: 'mixed' }],
    [0.95, { sessions: 1000, windows: 30, foreignPerSecond: 15 }],
    // Too short to find out what a foreign load leaves.
    [0, { sessions: 1000, windows: 10, foreignPerSecond: 15 }],
  ])('asks for %f of the bound in a storm of %o', async (share, overrides) => {
    const result = await runStorm(scenario({ sessions: 20 }), ourPolicy(), 1);
    const of = (saved: number) => {
      const counted = { ...result, bound: 1000, saved, calls: saved };
      return verdictOf([{ scenario: scenario(overrides), results: [counted] }], result.policy).met;
    };

    expect([of(share * 1000 + 1), of(share * 1000 - 1)]).toEqual([true, share === 0]);
  });
});
