import { describe, expect, it } from 'vitest';
import { deadlineOf } from '../../../functions/shared/window/deadline.ts';

const wait = { sinceMs: 1_000_000, connectionTimeoutSeconds: 120 };

describe('a deadline', () => {
  it.each<[string, number | null | undefined, number]>([
    ["the timeout's, where the end of the session is not known", null, 1_120_000],
    ["the timeout's, where nobody has told the end", undefined, 1_120_000],
    ["the timeout's, where the session ends later", 1_120_001, 1_120_000],
    ["the session's end, where that is sooner", 1_119_999, 1_119_999],
    ["the session's end, even before the wait began", 999_000, 999_000],
    ["the session's end at the epoch, which is a time like any other", 0, 0],
  ])('is %s', (_, sessionEndsAtMs, expectedMs) => {
    expect(deadlineOf({ ...wait, sessionEndsAtMs })).toBe(expectedMs);
  });
});
