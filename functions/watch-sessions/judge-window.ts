import type { Listing, WaitingStatus } from '../shared/service/list-sessions.ts';
import { CLOCK_SKEW_MS } from '../shared/window/deadline.ts';
import type { IndexedWindow } from '../shared/window/read-windows.ts';
import { waitNumberOf } from '../shared/window/window-item.ts';

export type Listings = Readonly<Record<WaitingStatus, Listing>>;

/** What an open window needs from the watcher. */
export type Need =
  | 'NOTHING'
  /** Its session has moved, as far as the lists tell: its execution is to look. */
  | 'LOOK'
  /** Its execution should have waited for it by now. */
  | 'START'
  /** Its execution should have ended it by now. */
  | 'SIGN_OF_LIFE';

/** From opening a window to its first wait: two Lambda functions and the start between them. */
const START_GRACE_MS = 10_000;
/** From a deadline and its margin to the end: a minute of re-checks, and reads that wait for the quota. */
const END_GRACE_MS = 120_000;
/** While the session is slow to end, its execution looks every 15 minutes at least, and each look moves the deadline. */
const SLOW_END_GRACE_MS = 17 * 60_000;
/** An execution that was woken and waits again for the same is left alone for twice as long each time. */
const FIRST_WAKE_MS = 4000;
/** … and one that awaits its client is woken sooner: below its own re-checks, 2, 4, 8 … s apart. */
const FIRST_CLIENT_WAKE_MS = 500;

/**
 * What one open window needs, by lists that were read after it. A session that is in none of the lists is
 * CONNECTED or has ended; that is concluded from complete lists only.
 */
export function judgeWindow(window: IndexedWindow, listings: Listings, nowMs: number): Need {
  if (!window.running) {
    return nowMs > window.disconnectedAtMs + START_GRACE_MS ? 'START' : 'NOTHING';
  }
  // At its deadline and margin an execution looks by itself.
  if (nowMs >= window.deadlineMs) {
    return nowMs > window.deadlineMs + END_GRACE_MS ? 'SIGN_OF_LIFE' : 'NOTHING';
  }
  return hasMoved(window, listings, nowMs) ? 'LOOK' : 'NOTHING';
}

/** Whether the window's execution looks at a session that is slow to end, and need not be asked whether it lives. */
export function awaitsEndByItself({ phase, deadlineMs }: IndexedWindow, nowMs: number): boolean {
  return phase === 'AWAITING_END' && nowMs <= deadlineMs + SLOW_END_GRACE_MS;
}

/** Whether only the lists of RECONNECTING and ACTIVE can tell what has become of the window's session. */
export function needsAllLists(window: IndexedWindow, pending: Listing, nowMs: number): boolean {
  return (
    pending.complete &&
    window.running &&
    nowMs < window.deadlineMs &&
    !pending.sessions.has(window.session.streamSessionId)
  );
}

function hasMoved(window: IndexedWindow, listings: Listings, nowMs: number): boolean {
  const id = window.session.streamSessionId;
  // It asks by itself.
  if (window.phase === 'AWAITING_END') return false;
  const isAwaitingClient = window.phase === 'AWAITING_CLIENT';
  const pending = listings.PENDING_CLIENT_RECONNECTION.sessions.get(id);
  if (pending !== undefined) {
    // The wait for the client was there before the list was, so the client has come and gone, or never came.
    if (isAwaitingClient) return mayBeWoken(window, nowMs);
    const sinceMs = window.pendingSinceMs ?? window.disconnectedAtMs;
    return (pending.lastUpdatedAtMs ?? 0) > sinceMs + CLOCK_SKEW_MS && mayBeWoken(window, nowMs);
  }
  const active = listings.ACTIVE.sessions.get(id) ?? listings.RECONNECTING.sessions.get(id);
  if (active !== undefined) {
    // Our own API's signal may be on its way; a connection that others have made has no signal.
    return (
      !isAwaitingClient && nowMs > (active.lastUpdatedAtMs ?? 0) + CLOCK_SKEW_MS && mayBeWoken(window, nowMs)
    );
  }
  const complete = Object.values(listings).every((listing) => listing.complete);
  return complete && mayBeWoken(window, nowMs);
}

/**
 * Whether a waiting execution may be woken again. The wakes of one window are spaced
 * geometrically, because a wake may be in vain at every look:
 * - A feed may know of a disconnect before the service does. Until then the session is CONNECTED, in no list.
 * - A list may tell another status, or a later LastUpdatedAt, than the read that the execution makes.
 */
function mayBeWoken({ waitOrder = 0, disconnectedAtMs, phase }: IndexedWindow, nowMs: number): boolean {
  const waits = waitNumberOf(waitOrder);
  const firstMs = phase === 'AWAITING_CLIENT' ? FIRST_CLIENT_WAKE_MS : FIRST_WAKE_MS;
  return waits === 0 || nowMs >= disconnectedAtMs + firstMs * 2 ** waits;
}
