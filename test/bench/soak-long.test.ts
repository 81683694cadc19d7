import { describe, expect, inject, it } from 'vitest';
import { type LongSoak, runLongSoak } from '../../bench/soak-long/run.ts';
import { verdictOf } from '../../bench/soak-long/verdict.ts';

const HOLDS = { itemsBounded: true, nothingRefused: true, outcomesRight: true };
const SOAK: LongSoak = {
  sessions: 1,
  drops: 2,
  offers: 1,
  outcomes: { RECONNECTED: 1, TERMINATED: 1 },
  wrong: [],
  refused: {},
  largestBytes: { line: 1024, window: 900 },
};

describe('a soak with timeouts of 600 s and 3,600 s', () => {
  it('holds for one loss of each of four players', async () => {
    const soak = await runLongSoak({
      service: inject('service'),
      seed: 1,
      seats: 4,
      minutes: 1,
      offerEverySeconds: 300,
      watching: false,
    });

    expect(verdictOf(soak)).toEqual(HOLDS);
    expect(soak).toMatchObject({ sessions: 4, drops: 4 });
    expect(Object.keys(soak.largestBytes).sort()).toEqual([
      'client-token',
      'line',
      'outcome',
      'owner',
      'permit',
      'place',
      'waiting',
      'window',
    ]);
  });

  it.each<[keyof typeof HOLDS, string, Partial<LongSoak>]>([
    ['itemsBounded', 'an item exceeds its bound', { largestBytes: { line: 1025 } }],
    ['itemsBounded', 'a kind of item has no bound', { largestBytes: { other: 1 } }],
    ['nothingRefused', 'the table refuses a call', { refused: { ValidationException: 1 } }],
    ['outcomesRight', 'an outcome is not what happened', { wrong: ['a: TERMINATED happened'] }],
    ['outcomesRight', 'a loss has no outcome', { drops: 3 }],
  ])('fails by %s when %s', (verdict, _, change) => {
    expect(verdictOf(SOAK)).toEqual(HOLDS);
    expect(verdictOf({ ...SOAK, ...change })).toEqual({ ...HOLDS, [verdict]: false });
  });
});
