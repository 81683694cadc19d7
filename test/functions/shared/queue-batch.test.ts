import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { DependencyUnavailableException, UnexpectedError } from '../../../functions/shared/runtime/errors.ts';
import {
  type Handled,
  type HiddenMessage,
  handleBatch,
  queueBatchOf,
} from '../../../functions/shared/runtime/queue-batch.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';

const NOW_MS = Date.UTC(2026, 0, 1);

function named(name: string): Error {
  return Object.assign(new Error('x'), { name });
}
const throttled = () => new DependencyUnavailableException({ cause: named('ThrottlingException') });

const record = (name: string, ageMs = 0) => ({
  eventSource: 'aws:sqs',
  messageId: `id-${name}`,
  receiptHandle: `handle-${name}`,
  body: JSON.stringify({ name }),
  attributes: { SentTimestamp: String(NOW_MS - ageMs) },
});

/** Handles a batch whose events fail as `errors` says, by name. */
async function handled(
  records: readonly ReturnType<typeof record>[],
  errors: Readonly<Record<string, Error>> = {},
  {
    random = () => 0,
    remainingMs = () => 20_000,
    hideFails = false,
  }: { random?: () => number; remainingMs?: () => number; hideFails?: boolean } = {},
) {
  const log = memoryLog();
  const metrics = memoryMetrics();
  const tried: string[] = [];
  const hidden: HiddenMessage[] = [];
  const batch = queueBatchOf({ Records: records });
  if (batch === undefined) throw new Error('The batch is one.');
  const reply = await handleBatch(
    batch,
    async (event) => {
      const name = String(Reflect.get(Object(event), 'name'));
      tried.push(name);
      const error = errors[name];
      if (error !== undefined) throw error;
    },
    {
      clock: new VirtualClock(NOW_MS),
      random,
      log,
      metrics,
      remainingMs,
      hideMessages: async (messages) => {
        if (hideFails) throw new Error('no permission');
        hidden.push(...messages);
      },
    },
  );
  const failures = reply.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  return { log, metrics, tried, hidden, failures };
}

describe('what follows a batch', () => {
  async function finished(
    receiveCounts: readonly number[],
    unfinished: (result: number) => boolean = () => false,
  ) {
    const records = receiveCounts.map((count, index) => ({
      ...record(String(index)),
      attributes: { SentTimestamp: String(NOW_MS), ApproximateReceiveCount: String(count) },
    }));
    const batch = queueBatchOf({ Records: records });
    if (batch === undefined) throw new Error('The batch is one.');
    const seen: Handled<number>[] = [];
    let result = 0;
    const reply = await handleBatch(
      batch,
      async () => result++,
      {
        clock: new VirtualClock(NOW_MS),
        random: () => 0,
        log: memoryLog(),
        metrics: memoryMetrics(),
        remainingMs: () => 20_000,
      },
      async (handled) => {
        seen.push(...handled);
        return handled.filter((event) => unfinished(event.result));
      },
    );
    return { seen, failures: reply.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) };
  }

  it('gets the results of all its events, and which of them the queue has handed over before', async () => {
    const { seen, failures } = await finished([1, 3]);

    expect(seen).toEqual([
      { result: 0, isRepeat: false },
      { result: 1, isRepeat: true },
    ]);
    expect(failures).toEqual([]);
  });

  it('gives those back that it could not be done for', async () => {
    const { failures } = await finished([1, 1, 1], (result) => result === 1);

    expect(failures).toEqual(['id-1']);
  });
});

describe('a batch of events', () => {
  it('is handled one after the other, and none comes back', async () => {
    const { tried, failures, hidden } = await handled([record('a'), record('b')]);

    expect([tried, failures, hidden]).toEqual([['a', 'b'], [], []]);
  });

  it('stops at the first that is throttled, and gives it back with all after it, untried', async () => {
    const { tried, failures } = await handled([record('a'), record('b'), record('c')], { b: throttled() });

    expect(tried).toEqual(['a', 'b']);
    expect(failures).toEqual(['id-b', 'id-c']);
  });

  it('goes on after one that fails otherwise', async () => {
    const { tried, failures } = await handled([record('a'), record('b')], { a: new UnexpectedError() });

    expect([tried, failures]).toEqual([['a', 'b'], ['id-a']]);
  });

  it('begins nothing when less than 8 s are left of the invocation', async () => {
    const left = [20_000, 7_999];
    const { tried, failures } = await handled(
      [record('a'), record('b'), record('c')],
      {},
      {
        remainingMs: () => left.shift() ?? 0,
      },
    );

    expect([tried, failures]).toEqual([['a', 'b'], ['id-c']]);
  });

  it.each([
    [0, 2],
    [60_000, 3],
    [600_000, 30],
    [7_200_000, 60],
  ])('has a throttled event of %i ms come back after a twentieth of that: %i s', async (ageMs, seconds) => {
    const { hidden } = await handled([record('a', ageMs)], { a: throttled() });

    expect(hidden).toEqual([{ receiptHandle: 'handle-a', seconds }]);
  });

  it.each([
    [0, 5],
    [60_000, 60],
    [7_200_000, 900],
  ])('has a failed event of %i ms come back after as long again: %i s', async (ageMs, seconds) => {
    const { hidden } = await handled([record('a', ageMs)], { a: new DependencyUnavailableException() });

    expect(hidden).toEqual([{ receiptHandle: 'handle-a', seconds }]);
  });

  it('spreads what comes back, down to half of its time', async () => {
    const { hidden } = await handled([record('a', 600_000)], { a: throttled() }, { random: () => 0.999 });

    expect(hidden).toEqual([{ receiptHandle: 'handle-a', seconds: 15 }]);
  });

  it('counts what was put off, and says how many came back for which reason', async () => {
    const { log, metrics } = await handled([record('a'), record('b'), record('c')], {
      a: new UnexpectedError(),
      b: throttled(),
    });

    expect(metrics.values).toEqual([{ name: 'EventsPutOff', value: 2 }]);
    expect(log.lines.at(-1)).toEqual({ event: 'EventsPutBack', fields: { putOff: 2, failed: 1 } });
  });

  it('comes back after the visibility timeout where SQS takes no other', async () => {
    const { failures, log } = await handled([record('a')], { a: throttled() }, { hideFails: true });

    expect(failures).toEqual(['id-a']);
    expect(log.lines.at(-1)).toMatchObject({ event: 'MessagesNotHidden' });
  });

  it.each<[string, unknown]>([
    ['an event of the bus', { version: '0', detail: {} }],
    ['nothing', undefined],
    ['no records', { Records: [] }],
    ['records of another source', { Records: [{ ...record('a'), eventSource: 'aws:kinesis' }] }],
  ])('is not %s', (_, payload) => {
    expect(queueBatchOf(payload)).toBeUndefined();
  });
});
