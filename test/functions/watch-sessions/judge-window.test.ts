import { describe, expect, it } from 'vitest';
import type { Listing, WaitingStatus } from '../../../functions/shared/service/list-sessions.ts';
import type { IndexedWindow } from '../../../functions/shared/window/read-windows.ts';
import { judgeWindow, type Listings, needsAllLists } from '../../../functions/watch-sessions/judge-window.ts';

const SESSION = { streamGroupId: 'sg-1AB2C3De4', streamSessionId: 'ABC123def4567' };
const DROPPED_AT_MS = Date.UTC(2026, 0, 1);
const NOW_MS = DROPPED_AT_MS + 30_000;
const DEADLINE_MS = DROPPED_AT_MS + 120_000;

function windowOf(overrides: Partial<IndexedWindow> = {}): IndexedWindow {
  return {
    session: SESSION,
    generation: 1,
    phase: 'AWAITING_RECONNECTION',
    running: true,
    disconnectedAtMs: DROPPED_AT_MS,
    pendingSinceMs: DROPPED_AT_MS,
    deadlineMs: DEADLINE_MS,
    waitOrder: 0,
    ...overrides,
  };
}

const nobody: Listing = { sessions: new Map(), complete: true };
const withSession = (lastUpdatedAtMs: number | undefined): Listing => ({
  sessions: new Map([[SESSION.streamSessionId, { session: SESSION, lastUpdatedAtMs }]]),
  complete: true,
});

function listings(overrides: Partial<Record<WaitingStatus, Listing>> = {}): Listings {
  return { PENDING_CLIENT_RECONNECTION: nobody, RECONNECTING: nobody, ACTIVE: nobody, ...overrides };
}

describe('a window that awaits the reconnection', () => {
  it.each<[string, Partial<Record<WaitingStatus, Listing>>, string]>([
    ['PENDING since its disconnect', { PENDING_CLIENT_RECONNECTION: withSession(DROPPED_AT_MS) }, 'NOTHING'],
    [
      'PENDING since 2 s after it',
      { PENDING_CLIENT_RECONNECTION: withSession(DROPPED_AT_MS + 2000) },
      'NOTHING',
    ],
    [
      'PENDING since later than that',
      { PENDING_CLIENT_RECONNECTION: withSession(DROPPED_AT_MS + 2001) },
      'LOOK',
    ],
    ['PENDING since nobody knows when', { PENDING_CLIENT_RECONNECTION: withSession(undefined) }, 'NOTHING'],
    ['ACTIVE for 2 s', { ACTIVE: withSession(NOW_MS - 2000) }, 'NOTHING'],
    ['ACTIVE for longer', { ACTIVE: withSession(NOW_MS - 2001) }, 'LOOK'],
    ['RECONNECTING for longer', { RECONNECTING: withSession(NOW_MS - 2001) }, 'LOOK'],
    ['in no list', {}, 'LOOK'],
  ])('with a session that is %s needs: %s', (_, lists, need) => {
    expect(judgeWindow(windowOf(), listings(lists), NOW_MS)).toBe(need);
  });

  it('that knows of a later disconnect of its own is not told of that one', () => {
    const lists = { PENDING_CLIENT_RECONNECTION: withSession(DROPPED_AT_MS + 12_000) };

    expect(judgeWindow(windowOf({ pendingSinceMs: DROPPED_AT_MS + 10_000 }), listings(lists), NOW_MS)).toBe(
      'NOTHING',
    );
    expect(judgeWindow(windowOf({ pendingSinceMs: undefined }), listings(lists), NOW_MS)).toBe('LOOK');
  });

  it.each(['PENDING_CLIENT_RECONNECTION', 'RECONNECTING', 'ACTIVE'] as const)(
    'is not told that its session is in no list when the list of %s is incomplete',
    (status) => {
      const incomplete = listings({ [status]: { sessions: new Map(), complete: false } });
      expect(judgeWindow(windowOf(), incomplete, NOW_MS)).toBe('NOTHING');
    },
  );

  it.each([
    [1000, 8000],
    [2003, 16_000],
    [3000, 32_000],
  ])('and has waited before (%i) is woken again only after %i ms', (waitOrder, afterMs) => {
    const window = windowOf({ waitOrder });
    expect(judgeWindow(window, listings(), DROPPED_AT_MS + afterMs - 1)).toBe('NOTHING');
    expect(judgeWindow(window, listings(), DROPPED_AT_MS + afterMs)).toBe('LOOK');
  });
});

describe('a window whose list and whose read disagree', () => {
  it.each<[string, Partial<Record<WaitingStatus, Listing>>]>([
    ['in the time of PENDING', { PENDING_CLIENT_RECONNECTION: withSession(DROPPED_AT_MS + 3_000) }],
    ['in the status', { ACTIVE: withSession(DROPPED_AT_MS + 3_000) }],
  ])('%s is woken at growing distances, not at every look', (_, lists) => {
    let waits = 0;
    const wokenAfterSeconds: number[] = [];
    for (let seconds = 10; seconds < 3_600; seconds += 5) {
      const window = windowOf({ waitOrder: waits * 1_000, deadlineMs: DROPPED_AT_MS + 3_600_000 });
      if (judgeWindow(window, listings(lists), DROPPED_AT_MS + seconds * 1_000) !== 'LOOK') continue;
      wokenAfterSeconds.push(seconds);
      waits++;
    }

    expect(wokenAfterSeconds).toEqual([10, 15, 20, 35, 65, 130, 260, 515, 1025, 2050]);
  });
});

describe('a window that awaits the client', () => {
  const awaiting = windowOf({ phase: 'AWAITING_CLIENT', waitOrder: 5000 });

  it.each<[string, Partial<Record<WaitingStatus, Listing>>, string]>([
    ['ACTIVE', { ACTIVE: withSession(DROPPED_AT_MS) }, 'NOTHING'],
    ['RECONNECTING', { RECONNECTING: withSession(DROPPED_AT_MS) }, 'NOTHING'],
    ['PENDING', { PENDING_CLIENT_RECONNECTION: withSession(DROPPED_AT_MS) }, 'LOOK'],
    ['in no list', {}, 'LOOK'],
  ])('with a session that is %s needs: %s', (_, lists, need) => {
    expect(judgeWindow(awaiting, listings(lists), NOW_MS)).toBe(need);
  });

  it('is woken at growing distances where its read tells another status than the lists', () => {
    const wokenAfterSeconds: number[] = [];
    let waits = 1;
    for (let seconds = 5; seconds < 1000; seconds += 5) {
      const atMs = DROPPED_AT_MS + seconds * 1000;
      const window = windowOf({ phase: 'AWAITING_CLIENT', waitOrder: waits * 1000, deadlineMs: atMs + 1 });
      if (judgeWindow(window, listings(), atMs) !== 'LOOK') continue;
      wokenAfterSeconds.push(seconds);
      waits++;
    }

    expect(wokenAfterSeconds).toEqual([5, 10, 15, 20, 25, 35, 65, 130, 260, 515]);
  });
});

describe('any window', () => {
  it.each([
    [10_000, 'NOTHING'],
    [10_001, 'START'],
  ])('that nobody is known to have started after %i ms needs: %s', (afterMs, need) => {
    expect(judgeWindow(windowOf({ running: false }), listings(), DROPPED_AT_MS + afterMs)).toBe(need);
  });

  it.each([
    [-1, 'LOOK'],
    [0, 'NOTHING'],
    [120_000, 'NOTHING'],
    [120_001, 'SIGN_OF_LIFE'],
  ])('looks by itself at its deadline; %i ms after it, it needs: %s', (afterMs, need) => {
    expect(judgeWindow(windowOf(), listings(), DEADLINE_MS + afterMs)).toBe(need);
  });

  it('asks by itself while it awaits the end', () => {
    expect(judgeWindow(windowOf({ phase: 'AWAITING_END' }), listings(), NOW_MS)).toBe('NOTHING');
  });
});

describe('the lists of RECONNECTING and ACTIVE', () => {
  it.each<[string, Partial<IndexedWindow>, Listing, boolean]>([
    ['are needed for a session that is not PENDING', {}, nobody, true],
    ['could tell nothing of one that is', {}, withSession(DROPPED_AT_MS), false],
    ['could tell nothing while the list of PENDING is incomplete', {}, { ...nobody, complete: false }, false],
    ['could tell nothing of a window that looks by itself now', { deadlineMs: NOW_MS }, nobody, false],
    ['could tell nothing of one that nobody has started', { running: false }, nobody, false],
  ])('%s', (_, window, pending, needed) => {
    expect(needsAllLists(windowOf(window), pending, NOW_MS)).toBe(needed);
  });
});
