import { defineSchedule } from '../shared/runtime/event.ts';
import { isIds, OPENING_SETTINGS } from '../shared/runtime/settings.ts';
import { measureSwitch, readSwitchItem } from '../shared/runtime/switch.ts';
import {
  type Listing,
  type ListSessionsDependencies,
  listSessions,
} from '../shared/service/list-sessions.ts';
import { listOpenWindows } from '../shared/window/read-windows.ts';
import { MAX_LISTED, rememberGroup } from '../shared/window/waiting-sessions.ts';
import { needsAllLists } from './judge-window.ts';
import {
  type LearnTimeoutsDependencies,
  type LookedAt,
  learnTimeouts,
  noTimeouts,
} from './learn-timeouts.ts';
import { type Marked, markWaiting } from './mark-waiting.ts';
import { type NoticeDependencies, noticeDisconnects, type Reported } from './notice-disconnects.ts';
import { type ReconcileDependencies, reconcileWindows, type WindowMemory } from './reconcile-windows.ts';
import { type StreamGroupsDependencies, streamGroupsToWatch } from './stream-groups.ts';
import { noServiceWaits } from './wake-service-waits.ts';

export type WatchSessionsDependencies = LookDependencies &
  LearnTimeoutsDependencies &
  StreamGroupsDependencies;

/** EventBridge's shortest schedule: the next invocation goes on where this one stops. */
const WATCH_MS = 60_000;

/**
 * Looks at every watched stream group, again and again for a minute, or until the clock is set back. A look that fails
 * costs only itself: the next one finds what it has missed. Looks that take longer than the interval follow each other
 * at once. Where the stream groups are not named by id, the watcher finds them between its looks.
 *
 * Why: docs/decisions/watcher.md#a-minutes-invocation-looks-every-5-s-and-two-may-overlap
 *
 * @throws the last look's error when none has worked, so that Lambda counts the invocation as failed.
 */
export async function watchSessions(dependencies: WatchSessionsDependencies): Promise<void> {
  const { table, clock, log, metrics, settings } = dependencies;
  const { WATCHED_STREAM_GROUPS: selection, WATCH_INTERVAL_SECONDS } = settings;
  if (isIds(selection) && selection.length === 0) {
    log.warn('WatcherIsOff');
    return;
  }
  const intervalMs = WATCH_INTERVAL_SECONDS * 1000;
  const endMs = clock.nowMs() + WATCH_MS;
  const groupsToWatch = streamGroupsToWatch(dependencies, endMs);
  const timeouts = noTimeouts();
  const memory: Memory = {
    reported: new Map(),
    unheard: new Map(),
    marked: new Set(),
    knownGroups: new Set(),
    serviceWaits: noServiceWaits(),
  };
  // Once a minute, for the alarm on a forgotten switch. The watcher looks in every state of the switch.
  const measured = readSwitchItem(table).then(
    (item) => measureSwitch(item, clock.nowMs(), metrics),
    (error: unknown) => log.error('SwitchUnreadable', error),
  );
  let anyWorked = false;
  let lastError: unknown;
  for (let nextMs = clock.nowMs(); nextMs < endMs; ) {
    await clock.sleep(Math.min(intervalMs, Math.max(0, nextMs - clock.nowMs())));
    const startMs = clock.nowMs();
    // The clock was set back, so `endMs` is too far away: the function would time out. The schedule starts the next one.
    if (startMs < nextMs - intervalMs) break;
    const lookedAt: LookedAt[] = [];
    for (const streamGroupId of await groupsToWatch()) {
      const ofGroup = log.with({ streamGroupId });
      try {
        lookedAt.push(...(await look(streamGroupId, memory, { ...dependencies, log: ofGroup })));
        anyWorked = true;
      } catch (error) {
        lastError = error;
        ofGroup.error('LookFailed', error);
        metrics.add('WatcherLooksFailed', 1);
      }
    }
    await learnTimeouts(lookedAt, timeouts, startMs + intervalMs, dependencies).catch((error: unknown) =>
      log.error('TimeoutNotLearned', error),
    );
    nextMs = Math.max(startMs + intervalMs, clock.nowMs());
  }
  await measured;
  if (!anyWorked && lastError !== undefined) throw lastError;
}

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
  // A look that has not seen every waiting session may have missed the one that matters.
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

export const watchSessionsSchedule = defineSchedule({
  settings: [
    ...OPENING_SETTINGS,
    'LISTS_PER_SECOND',
    'READS_PER_SECOND',
    'STREAM_GROUP_CALLS_PER_SECOND',
    'WATCHED_STREAM_GROUPS',
    'WATCH_INTERVAL_SECONDS',
  ],
  clients: ['eventBridge', 'gameLiftStreams', 'stepFunctions'],
  decide: watchSessions,
});
