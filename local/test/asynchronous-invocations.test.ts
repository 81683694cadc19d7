import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { AsynchronousInvocations } from '../lambda/asynchronous-invocations.ts';

const THROTTLED = 'Lambda.TooManyRequestsException';
const HOUR_MS = 3_600_000;

/** @returns when each attempt came, in seconds, and how the event was given up. */
async function attemptsOf(
  errorNames: readonly (string | undefined)[],
  options: { maximumRetryAttempts?: number; maximumEventAgeSeconds?: number } = {},
) {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const atSeconds: number[] = [];
  const givenUp: [string, number][] = [];
  const invocations = new AsynchronousInvocations(clock, async () => {
    const errorType = errorNames[Math.min(atSeconds.length, errorNames.length - 1)];
    atSeconds.push((clock.nowMs() - startMs) / 1000);
    return errorType === undefined
      ? { ok: true, payload: null }
      : { ok: false, failure: { errorType, errorMessage: 'failed' } };
  });
  invocations.start({
    functionName: 'fn',
    payload: {},
    maximumRetryAttempts: 2,
    ...options,
    onGivenUp: (errorName, attempts) => givenUp.push([errorName, attempts]),
  });
  await clock.advance(7 * HOUR_MS);
  invocations.close();
  return { atSeconds, givenUp };
}

describe('an asynchronous invocation', () => {
  it('that fails in the function comes again after one minute and after two more', async () => {
    expect(await attemptsOf(['Error'])).toEqual({ atSeconds: [0, 60, 180], givenUp: [['Error', 3]] });
  });

  it('that is throttled comes again after 1, 2, 4 … seconds, at most every five minutes', async () => {
    const { atSeconds } = await attemptsOf([...Array(11).fill(THROTTLED), undefined]);

    expect(atSeconds).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111]);
  });

  it('that is throttled for six hours is given up, and never reached the function', async () => {
    const { atSeconds, givenUp } = await attemptsOf([THROTTLED]);

    expect(atSeconds.at(-1)).toBeGreaterThan(21_000);
    expect(atSeconds.at(-1)).toBeLessThanOrEqual(21_600);
    expect(givenUp).toEqual([[THROTTLED, 0]]);
  });

  it('is given up when the event is as old as maximumEventAge allows', async () => {
    const { atSeconds, givenUp } = await attemptsOf(['Error'], { maximumEventAgeSeconds: 60 });

    expect([atSeconds, givenUp]).toEqual([[0, 60], [['Error', 2]]]);
  });

  it('that was throttled in between has its two repeats all the same', async () => {
    const { atSeconds, givenUp } = await attemptsOf([THROTTLED, 'Error', THROTTLED, 'Error', 'Error']);

    expect(atSeconds).toEqual([0, 1, 61, 62, 182]);
    expect(givenUp).toEqual([['Error', 3]]);
  });
});
