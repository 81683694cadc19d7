import { describe, expect, inject, it } from 'vitest';
import { runOpenings } from '../../bench/openings/run.ts';
import { throughQueue, throughQueueWithoutBus, WAYS } from '../../bench/openings/ways.ts';

const openings = (way: (typeof WAYS)[number], drops: number) => runOpenings(way, drops, inject('service'), 1);
const asBefore = WAYS.find(({ name }) => name === 'direct, as before') ?? throughQueue;

describe('the queue between the bus and on-status-change', () => {
  it('saves every disconnect of a storm, within a tenth of what the quota allows', async () => {
    const storm = await openings(throughQueue, 3_000);

    expect(storm).toMatchObject({ started: 3_000, lost: 0, throttledRequests: 0 });
    // Two seconds until Lambda has twenty batches at one time: the bucket holds 5 s of starts for the rest.
    expect(storm.lastSeconds).toBeLessThanOrEqual(storm.boundSeconds * 1.1 + 2);
  }, 120_000);

  it('waits half a second for a bus that does not answer, and announces each window later', async () => {
    const [storm, withoutBus] = await Promise.all([
      openings(throughQueue, 300),
      openings(throughQueueWithoutBus, 300),
    ]);

    expect(withoutBus).toMatchObject({ started: 300, lost: 0, announced: 300 });
    // Half a second for the first call of each function instance.
    expect(withoutBus.lastSeconds).toBeLessThanOrEqual(storm.lastSeconds + 0.6);
    expect(storm).toMatchObject({ announced: 300, announcements: 300 });
  });

  it('opens a window at a quiet time at most half a second later than without it', async () => {
    const [ours, before] = await Promise.all([openings(throughQueue, 1), openings(asBefore, 1)]);

    expect(ours.lastSeconds).toBeLessThanOrEqual(before.lastSeconds + 0.5);
  });
});
