import { describe, expect, it } from 'vitest';
import { isRetryDue } from '../../functions/shared/table/red-ends.ts';

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
});
