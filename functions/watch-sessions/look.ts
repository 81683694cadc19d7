import {
  type Listing,
  type ListSessionsDependencies,
  listSessions,
} from '../shared/service/list-sessions.ts';
import { listOpenWindows } from '../shared/window/open-windows-index.ts';
import { MAX_LISTED, rememberGroup } from '../shared/window/waiting-sessions.ts';
import { needsAllLists } from './judge-window.ts';
import type { LookedAt } from './learn-timeouts.ts';
import { type Marked, markWaiting } from './mark-waiting.ts';
import { type NoticeDependencies, noticeDisconnects, type Reported } from './notice-disconnects.ts';
import { type ReconcileDependencies, reconcileWindows, type WindowMemory } from './reconcile-windows.ts';

export type LookDependencies = ListSessionsDependencies & NoticeDependencies & ReconcileDependencies;

/** What one watcher remembers between its looks. Another one that knows nothing of it does no harm. */
export interface Memory extends WindowMemory {
  readonly reported: Reported;
  readonly marked: Marked;
  /** The stream groups that this watcher has made known. */
  readonly knownGroups: Set<string>;
}

const NOT_LISTED: Listing = { sessions: new Map(), complete: false };

/**
 * One look at a stream group: reports the disconnects that have no window, and gives the open windows what they
 * need. The windows are read before the lists, so that a session which is not where its window expects it has
 * really moved, whatever the clocks say.
 *
 * @returns the open windows, as they were before the look.
 * @throws DependencyUnavailableException; whatever it has not done by then, the next look does.
 */
export async function look(
  streamGroupId: string,
  { reported, marked, knownGroups, ...ofWindows }: Memory,
  dependencies: LookDependencies,
): Promise<LookedAt[]> {
  const { table, clock, metrics } = dependencies;
  const windows = await listOpenWindows(table, streamGroupId);
  const open = new Set(windows.map(({ session }) => session.streamSessionId));
  const list = (status: 'RECONNECTING' | 'ACTIVE') => listSessions(streamGroupId, status, dependencies);
  let lagMs = 0;
  const PENDING_CLIENT_RECONNECTION = await listSessions(
    streamGroupId,
    'PENDING_CLIENT_RECONNECTION',
    dependencies,
    async (page) => {
      const noticed = await noticeDisconnects(page, open, reported, dependencies);
      lagMs = Math.max(lagMs, noticed.lagMs);
    },
  );
  metrics.add('WatcherLag', lagMs);
  // Whoever has not seen every waiting session may have missed the one that matters.
  metrics.add(PENDING_CLIENT_RECONNECTION.complete ? 'WatcherLooks' : 'WatcherLooksFailed', 1);
  if (PENDING_CLIENT_RECONNECTION.complete) {
    await keepWaiting(streamGroupId, PENDING_CLIENT_RECONNECTION.sessions.size, knownGroups, dependencies);
  }
  // In the order in which sessions move on, so that one that moves between two lists is in both, not in neither.
  const all = windows.some((window) => needsAllLists(window, PENDING_CLIENT_RECONNECTION, clock.nowMs()));
  const RECONNECTING = all ? await list('RECONNECTING') : NOT_LISTED;
  const ACTIVE = all ? await list('ACTIVE') : NOT_LISTED;
  const listings = { PENDING_CLIENT_RECONNECTION, RECONNECTING, ACTIVE };
  await reconcileWindows(windows, listings, ofWindows, dependencies);
  await markWaiting(windows, listings, marked, dependencies);
  return windows.map((window) => ({
    window,
    isPending: PENDING_CLIENT_RECONNECTION.sessions.has(window.session.streamSessionId),
  }));
}

/**
 * Tells requests that the service has the stream group, once a minute, and how many sessions it waits for while they are
 * more than requests can list. What fails here does not cost the look.
 */
async function keepWaiting(
  streamGroupId: string,
  waiting: number,
  knownGroups: Set<string>,
  { table, clock, log }: LookDependencies,
): Promise<void> {
  const isMany = waiting > MAX_LISTED;
  if (knownGroups.has(streamGroupId) && !isMany) return;
  try {
    await rememberGroup(table, streamGroupId, clock.nowMs(), isMany ? waiting : undefined);
    knownGroups.add(streamGroupId);
  } catch (error) {
    log.error('GroupNotKept', error);
  }
}
