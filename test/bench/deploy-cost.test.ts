import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { billOf, type Counts, priceNames, quantitiesOf } from '../../bench/deploy-cost/bill.ts';
import { readCounts } from '../../bench/deploy-cost/counts.ts';
import { DOCUMENT, tablesIn } from '../../bench/deploy-cost/document.ts';
import { markdownOf } from '../../bench/deploy-cost/tables.ts';
import { REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';

let counts: Counts;

beforeAll(async () => {
  counts = await readCounts(inject('service'));
}, 180_000);

describe('the bill of a month', () => {
  it('stands in docs/deploy.md as it is computed: npm run bench:deploy-cost -- --write puts it there', async () => {
    const document = await readFile(join(REPOSITORY_DIRECTORY, DOCUMENT), 'utf8');

    expect(tablesIn(document)).toBe(markdownOf(counts));
  });

  it('grows with the disconnects, from what the watcher and the metrics cost anyway', () => {
    const none = quantitiesOf(counts, 0);
    const [some, twice] = [quantitiesOf(counts, 1_000_000), quantitiesOf(counts, 2_000_000)];

    expect(none.stateTransition).toBe(0);
    // A look every 5 s is an invocation of its own, and nothing waits between two of them.
    expect(none.lambdaRequest).toBeCloseTo(13 * 60 * 24 * 30.4, 0);
    expect(billOf(none).lambdaGigabyteSecond).toBeLessThan(0.5);
    expect(none.queueRequest).toBeGreaterThan(2 * 12 * 60 * 24 * 30.4);
    // A permit for each of twelve lists a minute: one write and one read.
    expect(none.writeUnit).toBeGreaterThan(12 * 60 * 24 * 30);
    expect(none.readUnit).toBeGreaterThan(12 * 60 * 24 * 30);
    for (const name of priceNames) {
      if (name === 'trace') continue; // Sampled, so it grows slower.
      if (name === 'metric') continue; // Paid for every hour that has one: all of them are, from here on.
      expect(twice[name] - some[name], name).toBeCloseTo(some[name] - none[name], 3);
    }
  });

  it('of no disconnects is half of what it was when the watcher slept between its looks', () => {
    const total = priceNames.reduce((sum, name) => sum + billOf(quantitiesOf(counts, 0))[name], 0);

    expect(total).toBeLessThan(13);
  });

  it('charges alarms by their metrics, and a metric only for the hours in which it has a value', () => {
    const [none, some] = [quantitiesOf(counts, 0), quantitiesOf(counts, 1000)];

    expect(none.alarm).toBeGreaterThan(55);
    expect(none.compositeAlarm).toBe(1);
    expect(none.metric).toBeCloseTo(1.33, 2);
    expect(some.metric).toBe(counts.metrics);
  });

  it('charges a window that nobody waits for with the transitions and calls that were counted', () => {
    const { expires, reconnects } = counts;

    expect(expires).toMatchObject({ stateTransitions: 8, apiRequests: 0, expressExecutions: 0, events: 3 });
    expect(reconnects).toMatchObject({
      stateTransitions: 10,
      apiRequests: 1,
      expressExecutions: 1,
      events: 4,
    });
    expect(reconnects.invocations).toMatchObject({
      requestConnection: 1,
      createConnection: 1,
      recordOutcome: 1,
    });
    expect(quantitiesOf({ ...counts, expires: reconnects }, 10).stateTransition).toBeCloseTo(100);
  });
});
