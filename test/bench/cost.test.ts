import { describe, expect, inject, it } from 'vitest';
import { measureWatcher } from '../../bench/cost/watcher.ts';
import { measureWindow } from '../../bench/cost/windows.ts';
import { percentile } from '../../bench/shared/report.ts';

const LOOKS_PER_DAY = 17_280;

describe('what a window costs', () => {
  it.each([
    ['expires', 'TERMINATED', 8],
    ['reconnects', 'RECONNECTED', 10],
  ] as const)('is counted on the state machine: one that %s', async (ends, outcome, stateTransitions) => {
    expect(await measureWindow(inject('service'), 20, 'backend', ends)).toEqual({
      windowSeconds: 20,
      foundBy: 'backend',
      ends,
      outcome,
      stateTransitions,
      // The first one is left out while the read quota is in use.
      reads: 2,
    });
  });

  it.each([
    [120, 'expires', 8],
    [120, 'reconnects', 10],
    [600, 'reconnects', 12],
  ] as const)(
    'is 12 transitions at most where the watcher has found it: one of %i s that %s',
    async (seconds, ends, most) => {
      const { stateTransitions } = await measureWindow(inject('service'), seconds, 'watcher', ends);

      expect(stateTransitions).toBeLessThanOrEqual(most);
    },
  );
});

describe('what the watcher costs', () => {
  it.each([
    [0, 1],
    [100, 1],
    [101, 2],
  ])('with %i sessions waiting is %i list calls for each look, and wakes nobody', async (waiting, pages) => {
    const cost = await measureWatcher(inject('service'), waiting);

    expect(cost).toMatchObject({ looksPerDay: LOOKS_PER_DAY, stateTransitionsPerDay: 0 });
    expect(cost.callsPerDay['ListStreamSessions']).toBe(pages * LOOKS_PER_DAY);
    expect(cost.callsPerDay['Query']).toBe(8 * LOOKS_PER_DAY);
  });
});

describe('a percentile', () => {
  it('is the nearest rank', () => {
    const values = [30, 10, 20, 40];
    expect([0.25, 0.5, 0.51, 0.99, 1].map((share) => percentile(values, share))).toEqual([
      10, 20, 30, 40, 40,
    ]);
  });
});
