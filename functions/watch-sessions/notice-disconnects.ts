import {
  REPORTED_BY_WATCHER,
  STATUS_CHANGE_DETAIL_TYPE,
  type StatusChangeDetail,
} from '../shared/contracts/index.ts';
import { sessionPartition } from '../shared/contracts/table-keys.ts';
import type { Clock } from '../shared/runtime/clock.ts';
import type { Log } from '../shared/runtime/logging.ts';
import type { Metrics } from '../shared/runtime/metrics.ts';
import { type EventBus, publishAll } from '../shared/runtime/publish-events.ts';
import type { Table } from '../shared/runtime/table.ts';
import type { ListedSession } from '../shared/service/list-sessions.ts';
import { LOSS_NOTICE_MS } from '../shared/window/deadline.ts';
import { retryDueSinceMs } from '../shared/window/failed-windows.ts';
import { readWindows } from '../shared/window/read-windows.ts';
import type { WindowItem } from '../shared/window/window-item.ts';

export interface NoticeDependencies extends EventBus {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Noticed {
  /** How many disconnects were reported. */
  readonly reported: number;
  /** For how long the oldest of them had been nobody's, in ms; 0 when there was none. */
  readonly lagMs: number;
}

/** The disconnects that this watcher has reported, so that it gives the bus time before it says them again. */
export type Reported = Map<string, { readonly lastUpdatedAtMs: number | undefined; readonly atMs: number }>;

/** A delivery takes less than a second; an event that has opened no window by then is taken for lost. */
const REPORT_AGAIN_MS = 20_000;

/**
 * Reports each disconnect among the listed PENDING sessions that has no window.
 *
 * @param open ids of the sessions that had an open window before the listing.
 * @throws DependencyUnavailableException when the table cannot be read; the next look finds the same sessions.
 */
export async function noticeDisconnects(
  listed: readonly ListedSession[],
  open: ReadonlySet<string>,
  reported: Reported,
  dependencies: NoticeDependencies,
): Promise<Noticed> {
  const { table, clock, log, metrics } = dependencies;
  const nowMs = clock.nowMs();
  const candidates = listed.filter(({ session, lastUpdatedAtMs }) => {
    const last = reported.get(session.streamSessionId);
    const justReported =
      last !== undefined && last.lastUpdatedAtMs === lastUpdatedAtMs && nowMs < last.atMs + REPORT_AGAIN_MS;
    return !open.has(session.streamSessionId) && !justReported;
  });
  // Read after the listing, so that a window which was opened or closed meanwhile is seen as it is.
  const windows = await readWindows(
    table,
    candidates.map(({ session }) => session),
  );
  const unattended = candidates.flatMap((one) => {
    const sinceMs = unattendedSinceMs(one, windows.get(sessionPartition(one.session)), nowMs);
    return sinceMs === undefined ? [] : [{ ...one, lagMs: nowMs - sinceMs }];
  });
  const details = unattended.map(
    ({ session, lastUpdatedAtMs, lagMs }): StatusChangeDetail => ({
      version: '1',
      ...session,
      status: 'PENDING_CLIENT_RECONNECTION',
      statusChangedAt: new Date(Math.min(lastUpdatedAtMs ?? nowMs, nowMs)).toISOString(),
      // The window of an older loss gets no mark from the watcher (`markWaiting`), so it has to look by itself.
      ...(lagMs < LOSS_NOTICE_MS ? { reportedBy: REPORTED_BY_WATCHER } : {}),
    }),
  );
  const notTaken = new Set(await publishAll(dependencies, STATUS_CHANGE_DETAIL_TYPE, details));
  if (notTaken.size > 0) log.warn('EventsNotTaken', { events: notTaken.size });
  for (const [index, { session, lastUpdatedAtMs }] of unattended.entries()) {
    const detail = details[index];
    if (detail === undefined || notTaken.has(detail)) continue;
    reported.set(session.streamSessionId, { lastUpdatedAtMs, atMs: nowMs });
    log.with({ ...session }).info('DisconnectNoticed', {
      lateMs: lastUpdatedAtMs === undefined ? null : nowMs - lastUpdatedAtMs,
    });
  }
  const reportedNow = details.length - notTaken.size;
  if (reportedNow > 0) metrics.add('DisconnectsNoticed', reportedNow);
  return { reported: reportedNow, lagMs: Math.max(0, ...unattended.map(({ lagMs }) => lagMs)) };
}

/**
 * Since when a session that the service lists as PENDING waits for a window that nobody has opened, in epoch ms.
 *
 * @returns undefined when it has one, or none is due.
 */
function unattendedSinceMs(
  { lastUpdatedAtMs }: ListedSession,
  window: WindowItem | undefined,
  nowMs: number,
): number | undefined {
  const droppedAtMs = lastUpdatedAtMs ?? nowMs;
  if (window === undefined) return droppedAtMs;
  if (window.phase === 'FAILED') return retryDueSinceMs(window, lastUpdatedAtMs, nowMs);
  // It is open; or the list is older than its outcome, and the service has confirmed that the session has ended, …
  if (window.outcome !== 'RECONNECTED') return undefined;
  // … or that it is connected. Both times are the service's own, so they compare without a margin. They may be whole
  // seconds: a drop in the same second as the reconnection has the same time, and opening asks the service.
  return lastUpdatedAtMs === undefined || lastUpdatedAtMs >= (window.outcomeAtMs ?? 0)
    ? droppedAtMs
    : undefined;
}
