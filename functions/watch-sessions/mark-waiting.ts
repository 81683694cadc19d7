import { sessionPartition } from '../shared/contracts/table-keys.ts';
import { type Clock, inParallel } from '../shared/runtime/clock.ts';
import type { Table } from '../shared/runtime/table.ts';
import { LOSS_NOTICE_MS } from '../shared/window/deadline.ts';
import type { IndexedWindow } from '../shared/window/read-windows.ts';
import { noteSeenWaiting } from '../shared/window/window-item.ts';
import type { Listings } from './judge-window.ts';

export interface MarkDependencies {
  readonly table: Table;
  readonly clock: Clock;
}

/** The windows that this watcher has marked, by session and generation. */
export type Marked = Set<string>;

/** A storm's windows are marked within a few looks; a look is never held up for more than a second or two. */
const MAX_MARKED_PER_LOOK = 2000;
const PARALLEL_WRITES = 20;
/** By then a window has looked by itself, and has found the session waiting or has closed. */
const MARKED_WITHIN_MS = 2 * LOSS_NOTICE_MS;

/**
 * Writes on each open window whose session is in a list that the service does wait for a client. A list tells of a
 * hundred sessions for one call, so this is the cheapest evidence for an outcome. One write for each window: a window
 * has its own evidence after its first minute.
 *
 * @throws DependencyUnavailableException; the next look marks what is left.
 */
export async function markWaiting(
  windows: readonly IndexedWindow[],
  listings: Listings,
  marked: Marked,
  { table, clock }: MarkDependencies,
): Promise<void> {
  const nowMs = clock.nowMs();
  const listed = Object.values(listings).map(({ sessions }) => sessions);
  const unmarked = windows.filter(
    (window) =>
      nowMs < window.disconnectedAtMs + MARKED_WITHIN_MS &&
      listed.some((sessions) => sessions.has(window.session.streamSessionId)) &&
      !marked.has(keyOf(window)),
  );
  await inParallel(unmarked.slice(0, MAX_MARKED_PER_LOOK), PARALLEL_WRITES, async (window) => {
    await noteSeenWaiting(table, window.session, window.generation, nowMs);
    marked.add(keyOf(window));
  });
}

function keyOf({ session, generation }: IndexedWindow): string {
  return `${sessionPartition(session)}#${generation}`;
}
