import { describe, expect, it } from 'vitest';
import {
  canBeRetried,
  isRetryDue,
  isVerdict,
  replacementDelayMs,
  retryDueSinceMs,
} from '../../functions/shared/window/failed-windows.ts';

const CLOSED_AT_MS = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

const closed = (failedBefore: number) => ({
  disconnectedAtMs: CLOSED_AT_MS - MINUTE,
  closedAtMs: CLOSED_AT_MS,
  failedBefore,
});

describe('a disconnect whose window ended red', () => {
  it.each([
    [0, 1],
    [1, 2],
    [3, 8],
    [5, 32],
    [6, 60],
    [2000, 60],
  ])('after %i others is due again after %i minutes, and not before', (failedBefore, minutes) => {
    const { disconnectedAtMs } = closed(failedBefore);
    const dueMs = CLOSED_AT_MS + minutes * MINUTE;

    expect(isRetryDue(closed(failedBefore), disconnectedAtMs, dueMs - 1)).toBe(false);
    expect(isRetryDue(closed(failedBefore), disconnectedAtMs, dueMs)).toBe(true);
  });

  it('gives way at once to a later one, by more than two clocks differ', () => {
    const { disconnectedAtMs } = closed(3);

    expect(isRetryDue(closed(3), disconnectedAtMs + 2000, CLOSED_AT_MS)).toBe(false);
    expect(isRetryDue(closed(3), disconnectedAtMs + 2001, CLOSED_AT_MS)).toBe(true);
    expect(isRetryDue(closed(3), undefined, CLOSED_AT_MS)).toBe(false);
  });

  it('is due since its turn came, or since it dropped again', () => {
    const { disconnectedAtMs } = closed(0);
    const now = CLOSED_AT_MS + 5 * MINUTE;

    expect(retryDueSinceMs(closed(0), disconnectedAtMs, now)).toBe(CLOSED_AT_MS + MINUTE);
    expect(retryDueSinceMs(closed(0), CLOSED_AT_MS + 1000, now)).toBe(CLOSED_AT_MS + 1000);
    expect(retryDueSinceMs(closed(0), now + 1000, now)).toBe(now);
  });

  it('of which nothing is known but the disconnect has had no failure before, and ended long ago', () => {
    expect(retryDueSinceMs({ disconnectedAtMs: 0 }, undefined, MINUTE - 1)).toBeUndefined();
    expect(retryDueSinceMs({ disconnectedAtMs: 0 }, undefined, MINUTE)).toBe(MINUTE);
  });

  it.each<[number | undefined, boolean, number]>([
    [undefined, true, 0],
    [0, true, 0],
    [1, true, 5000],
    [2, true, 30_000],
    [3, false, 0],
  ])('after %s others gets another at once: %s, which waits %i ms', (failedBefore, again, delayMs) => {
    expect(canBeRetried({ failedBefore })).toBe(again);
    expect(replacementDelayMs({ failedBefore })).toBe(delayMs);
  });

  it.each([
    ['SessionNotFound', true],
    ['SessionNotEnded', true],
    ['UnexpectedSessionStatus', true],
    ['DependencyUnavailableException', false],
    [undefined, false],
  ])('by %s ended by what the service says: %s', (failure, expected) => {
    expect(isVerdict({ failure })).toBe(expected);
  });
});
