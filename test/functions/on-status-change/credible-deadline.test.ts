import { describe, expect, it } from 'vitest';
import { credibleCorrection } from '../../../functions/shared/window/correct-deadline.ts';
import type { Disconnect } from '../../../functions/shared/window/open-window.ts';
import type { WindowItem } from '../../../functions/shared/window/window-item.ts';

const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1);
const NOW_MS = DISCONNECTED_AT_MS + 6000;

/** The window that a watcher's event opens: the default timeout, from when the service says. */
function watched(overrides: Partial<WindowItem> = {}): WindowItem {
  return {
    generation: 1,
    phase: 'AWAITING_RECONNECTION',
    executionInput: '{}',
    running: true,
    disconnectedAtMs: DISCONNECTED_AT_MS,
    pendingSinceMs: DISCONNECTED_AT_MS,
    deadlineMs: DISCONNECTED_AT_MS + 120_000,
    connectionTimeoutSeconds: 120,
    isDefaultTimeout: true,
    seq: 0,
    connectionCreatedAtMs: 0,
    connectionAttempts: 0,
    ...overrides,
  };
}

function report(overrides: Partial<Disconnect> = {}): Disconnect {
  return {
    disconnectedAtMs: DISCONNECTED_AT_MS,
    connectionTimeoutSeconds: undefined,
    sessionEndsAtMs: undefined,
    ...overrides,
  };
}

const deadlineIn = (...args: Parameters<typeof credibleCorrection>) => {
  const correction = credibleCorrection(...args);
  return correction === undefined ? undefined : correction.deadlineMs - DISCONNECTED_AT_MS;
};

describe('a further report of a disconnect', () => {
  it.each([-2000, -1, 0, 1, 2000])('changes nothing by being %i ms off', (skewMs) => {
    expect(
      credibleCorrection(watched(), report({ disconnectedAtMs: DISCONNECTED_AT_MS + skewMs }), NOW_MS),
    ).toBeUndefined();
  });

  it.each([
    ['a shorter timeout than the default', 10, 10_000],
    ['a longer timeout than the default', 600, 600_000],
  ])('tells %s', (_, connectionTimeoutSeconds, expected) => {
    expect(deadlineIn(watched(), report({ connectionTimeoutSeconds }), NOW_MS)).toBe(expected);
  });

  it('does not lengthen a timeout that was told: of two feeds the earlier deadline counts', () => {
    const told = watched({ isDefaultTimeout: false });

    expect(deadlineIn(told, report({ connectionTimeoutSeconds: 600 }), NOW_MS)).toBeUndefined();
    expect(deadlineIn(told, report({ connectionTimeoutSeconds: 60 }), NOW_MS)).toBe(60_000);
  });

  it("tells the session's own end", () => {
    const sessionEndsAtMs = DISCONNECTED_AT_MS + 30_000;

    expect(deadlineIn(watched(), report({ sessionEndsAtMs }), NOW_MS)).toBe(30_000);
  });

  it('moves the disconnect to an earlier moment: the list has only the last update', () => {
    expect(deadlineIn(watched(), report({ disconnectedAtMs: DISCONNECTED_AT_MS - 10_000 }), NOW_MS)).toBe(
      110_000,
    );
  });

  it.each<[string, Partial<WindowItem>, number]>([
    [
      'of the window before: it is older than its outcome',
      { previousOutcomeAtMs: DISCONNECTED_AT_MS - 5000 },
      -10_000,
    ],
    ['that the service would have ended the session for by now', {}, -115_000],
    [
      'of a disconnect that a later one has followed in the same window',
      { pendingSinceMs: DISCONNECTED_AT_MS + 4000, deadlineMs: DISCONNECTED_AT_MS + 124_000 },
      -10_000,
    ],
  ])('is not believed when it is %s', (_, window, earlierMs) => {
    expect(
      credibleCorrection(
        watched(window),
        report({ disconnectedAtMs: DISCONNECTED_AT_MS + earlierMs }),
        NOW_MS,
      ),
    ).toBeUndefined();
  });

  it.each<[string, Partial<Disconnect>, number | undefined]>([
    ['earlier by as much as two clocks differ', { connectionTimeoutSeconds: 118 }, undefined],
    ['earlier by a millisecond more', { sessionEndsAtMs: DISCONNECTED_AT_MS + 117_999 }, 117_999],
    ['later by as much as two clocks differ', { connectionTimeoutSeconds: 122 }, undefined],
    ['later by more', { connectionTimeoutSeconds: 123 }, 123_000],
  ])('that makes the deadline %s counts for that', (_, told, expected) => {
    expect(deadlineIn(watched(), report(told), NOW_MS)).toBe(expected);
  });

  it.each([
    [-2000, 'the same one', 10_000],
    [-2001, 'an earlier one', 7999],
  ])('of %i ms is taken for %s, and its timeout counts from there', (skewMs, _, expected) => {
    const told = report({
      disconnectedAtMs: DISCONNECTED_AT_MS + skewMs,
      connectionTimeoutSeconds: 10,
    });

    expect(deadlineIn(watched(), told, NOW_MS)).toBe(expected);
  });

  it.each([
    [1, -10_000],
    [0, undefined],
  ])('is of this disconnect when it is later than the outcome before, by %i ms', (laterMs, movedByMs) => {
    const previousOutcomeAtMs = DISCONNECTED_AT_MS - 10_000 - laterMs;

    expect(
      deadlineIn(
        watched({ previousOutcomeAtMs }),
        report({ disconnectedAtMs: DISCONNECTED_AT_MS - 10_000 }),
        NOW_MS,
      ),
    ).toBe(movedByMs === undefined ? undefined : 120_000 + movedByMs);
  });

  it.each([
    [1, 6001],
    [0, undefined],
  ])('is believed when the service keeps the session for another %i ms by it', (leftMs, expected) => {
    const disconnectedAtMs = NOW_MS + leftMs - 120_000;

    expect(deadlineIn(watched(), report({ disconnectedAtMs }), NOW_MS)).toBe(expected);
  });

  it('counts from the disconnect where no execution has said since when it waits', () => {
    const unstarted = watched({ pendingSinceMs: undefined });

    expect(deadlineIn(unstarted, report({ connectionTimeoutSeconds: 10 }), NOW_MS)).toBe(10_000);
    expect(deadlineIn(unstarted, report({ disconnectedAtMs: DISCONNECTED_AT_MS - 10_000 }), NOW_MS)).toBe(
      110_000,
    );
  });

  it('that tells no timeout does not lengthen the default', () => {
    const cut = watched({
      sessionEndsAtMs: DISCONNECTED_AT_MS + 30_000,
      deadlineMs: DISCONNECTED_AT_MS + 30_000,
    });

    expect(deadlineIn(cut, report({ sessionEndsAtMs: DISCONNECTED_AT_MS + 60_000 }), NOW_MS)).toBeUndefined();
  });

  it('that tells a longer timeout leaves the end that the session was given', () => {
    const cut = watched({
      sessionEndsAtMs: DISCONNECTED_AT_MS + 30_000,
      deadlineMs: DISCONNECTED_AT_MS + 30_000,
    });

    expect(deadlineIn(cut, report({ connectionTimeoutSeconds: 600 }), NOW_MS)).toBeUndefined();
  });

  it.each(['AWAITING_CLIENT', 'AWAITING_END'] as const)('leaves a window alone that is %s', (phase) => {
    expect(
      credibleCorrection(watched({ phase }), report({ connectionTimeoutSeconds: 10 }), NOW_MS),
    ).toBeUndefined();
  });
});
