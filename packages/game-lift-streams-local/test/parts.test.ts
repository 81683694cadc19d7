import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientTokens } from '../src/sessions/idempotency.ts';
import { ClockSleeper, sleepUntil } from '../src/sessions/sleeper.ts';
import { DueTimes } from '../src/sessions/timers.ts';

describe('due times', () => {
  it('come out in their order, first come first served at the same time, and not before they are due', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 200 }), fc.nat(20), (dueTimes, nowMs) => {
        // Prepare
        const due = new DueTimes<readonly [dueMs: number, order: number]>();
        const items = dueTimes.map((dueMs, order) => [dueMs, order] as const);

        // Act
        for (const item of items) due.add(item[0], item);
        const taken: (readonly [number, number])[] = [];
        for (let item = due.takeDue(nowMs); item; item = due.takeDue(nowMs)) taken.push(item);

        // Assess
        const expected = items.filter(([dueMs]) => dueMs <= nowMs).sort(([one], [other]) => one - other);
        expect(taken).toEqual(expected);
      }),
    );
  });

  it('keep their order while others come and go', () => {
    // Prepare
    const due = new DueTimes<number>();
    for (const dueMs of [5, 3, 8]) due.add(dueMs, dueMs);

    // Act
    const first = due.takeDue(10);
    for (const dueMs of [4, 1, 9]) due.add(dueMs, dueMs);
    const rest = Array.from({ length: 6 }, () => due.takeDue(10));

    // Assess
    expect([first, ...rest]).toEqual([3, 1, 4, 5, 8, 9, undefined]);
  });
});

describe('remembered ClientTokens', () => {
  it('are at most 50,000: the oldest is forgotten first', () => {
    // Prepare
    const tokens = new ClientTokens<number>();

    // Act
    for (let index = 0; index <= 50_000; index++) tokens.remember(`token-${index}`, 'same', 0, index);

    // Assess
    expect(tokens.find('token-0', 'same', 0)).toBeUndefined();
    expect(tokens.find('token-1', 'same', 0)).toBe(1);
    expect(tokens.find('token-50000', 'same', 0)).toBe(50_000);
  });

  it('are forgotten only for the effect that failed', () => {
    // Prepare
    const tokens = new ClientTokens<object>();
    const failed = {};
    const succeeded = {};
    tokens.remember('token', 'same', 0, succeeded);

    // Act
    tokens.forget('token', failed);

    // Assess
    expect(tokens.find('token', 'same', 0)).toBe(succeeded);
  });
});

describe('waiting', () => {
  it('goes on when a timer fires before the clock shows its time', async () => {
    // Prepare
    let nowMs = 0;
    const clock = {
      nowMs: () => nowMs,
      setTimer: (delayMs: number, callback: () => void) => {
        nowMs += Math.max(1, delayMs - 1);
        queueMicrotask(callback);
        return () => undefined;
      },
    };

    // Act
    await sleepUntil(clock, new ClockSleeper(clock), 50);

    // Assess
    expect(nowMs).toBe(50);
  });
});
