import { type LambdaResult, VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { Concurrency, type ConcurrencyOptions } from '../lambda/concurrency.ts';

/** Executions that last until they are ended, and what became of those that were refused. */
function account(options: ConcurrencyOptions) {
  const clock = new VirtualClock();
  const concurrency = new Concurrency(options, clock);
  const running: (() => void)[] = [];
  const refused: string[] = [];
  return {
    clock,
    concurrency,
    running,
    refused,
    invoke: async (functionName: string, count = 1) => {
      for (let index = 0; index < count; index++) {
        const run = () =>
          new Promise<LambdaResult>((resolve) => {
            running.push(() => resolve({ ok: true, payload: null }));
          });
        void concurrency.invoke(functionName, run).then((result) => {
          if (!result.ok) refused.push(result.failure.errorType);
        });
      }
      await clock.idle();
    },
    endOne: async () => {
      running.shift()?.();
      await clock.idle();
    },
  };
}

describe('concurrent executions', () => {
  it('beyond the account’s are refused as TooManyRequestsException, until one ends', async () => {
    const { invoke, endOne, running, refused } = account({ account: 2 });

    await invoke('a', 3);
    expect([running.length, refused]).toEqual([2, ['Lambda.TooManyRequestsException']]);

    await endOne();
    await invoke('b');
    expect(running).toHaveLength(2);
  });

  it('are 1,000 by default, for all functions together', async () => {
    const { invoke, running, refused } = account({});

    await invoke('a', 600);
    await invoke('b', 600);

    expect([running.length, refused.length]).toEqual([1000, 200]);
  });

  it('that are reserved for a function are its most, and no other function’s', async () => {
    const { invoke, running, concurrency } = account({ account: 110, reserved: { a: 10 } });

    await invoke('b', 120);
    await invoke('a', 12);

    expect(running).toHaveLength(110);
    expect(concurrency.counters()).toEqual({
      a: { invocations: 10, throttled: 2, peak: 10 },
      b: { invocations: 100, throttled: 20, peak: 100 },
    });
  });

  it('cannot be reserved below 100 that stay unreserved', () => {
    expect(() => account({ account: 109, reserved: { a: 10 } })).toThrow(
      /UnreservedConcurrentExecution below its minimum value of \[100\]/,
    );
    expect(() => account({ account: 10 })).not.toThrow();
  });

  it('are entered ten times a second each, however short they are', async () => {
    const { concurrency, clock } = account({ account: 2 });
    const run = async (): Promise<LambdaResult> => ({ ok: true, payload: null });
    const results = () => Promise.all(Array.from({ length: 2 }, () => concurrency.invoke('a', run)));

    for (let pair = 0; pair < 10; pair++) await results();
    expect((await results()).map(({ ok }) => ok)).toEqual([false, false]);
    await clock.advance(100);
    expect((await results()).map(({ ok }) => ok)).toEqual([true, true]);
  });
});
