import type { ReportedBy } from '../contracts/fields.ts';
import type { SessionKey } from '../contracts/index.ts';
import { windowKey } from '../contracts/table-keys.ts';
import { ContentionException } from '../runtime/errors.ts';
import { putIf, type Table } from '../runtime/table.ts';
import type { EarlyEnd } from './correct-deadline.ts';
import { CLOCK_SKEW_MS, deadlineOf } from './deadline.ts';
import { canBeRetried } from './failed-windows.ts';
import { openIn } from './read-windows.ts';
import { isOpen, type Report, readWindow, reportIn, type WindowItem } from './window-item.ts';

export interface Disconnect {
  readonly disconnectedAtMs: number;
  readonly connectionTimeoutSeconds: number | undefined;
  readonly sessionEndsAtMs: number | undefined;
  /** FEED when absent. The watcher has just seen the session wait, and will soon say so on the window. */
  readonly reportedBy?: ReportedBy | undefined;
  /** Whether the caller announces the window. Otherwise its execution does. */
  readonly isAnnounced?: boolean | undefined;
  /** What the report says about the loss. */
  readonly report?: Report | undefined;
  /** When the session is to be terminated before its deadline. */
  readonly early?: EarlyEnd | undefined;
}

export interface WindowSettings {
  readonly DEFAULT_CONNECTION_TIMEOUT_SECONDS: number;
  readonly WINDOW_MARGIN_SECONDS: number;
  readonly TERMINATE_ABANDONED_SESSIONS: boolean;
}

export type Opening =
  | { readonly kind: 'OPENED'; readonly window: WindowItem }
  | { readonly kind: 'ALREADY_OPEN'; readonly window: WindowItem }
  /** A report of a disconnect whose window is closed, or of a session that has ended. */
  | { readonly kind: 'STALE'; readonly window: WindowItem };

/** Losing this many races in a row means that something is wrong with more than the timing. */
const MAX_TRIES = 5;

/**
 * Opens the session's window unless one is open or the disconnect is an old one: a single write for a session
 * that never had a window, which is what a thousand sessions dropped at once are.
 *
 * @param isStillWaiting asks the service; called only where the times alone cannot tell a late report of the
 *   last disconnect from a new one, and where the last windows have ended red, one after the other.
 * @throws DependencyUnavailableException; ContentionException when others keep writing the session's window.
 * @throws what `isStillWaiting` throws.
 */
export async function openWindow(
  table: Table,
  session: SessionKey,
  disconnect: Disconnect,
  settings: WindowSettings,
  isStillWaiting: (closed: WindowItem) => Promise<boolean>,
): Promise<Opening> {
  let previous: WindowItem | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const window = newWindow(session, disconnect, settings, previous);
    if (await putWindow(table, session, window, previous)) return { kind: 'OPENED', window };
    previous = await readWindow(table, session);
    if (previous === undefined) continue;
    if (isOpen(previous)) return { kind: 'ALREADY_OPEN', window: previous };
    if (!(await isNewDisconnect(previous, disconnect.disconnectedAtMs, isStillWaiting))) {
      return { kind: 'STALE', window: previous };
    }
  }
  throw new ContentionException();
}

/** Why: docs/decisions/windows.md#a-loss-after-the-outcome-opens-a-window-noticed-or-not */
async function isNewDisconnect(
  closed: WindowItem,
  disconnectedAtMs: number,
  isStillWaiting: (closed: WindowItem) => Promise<boolean>,
): Promise<boolean> {
  // A window that ended red owes its disconnect an outcome still, though not at any rate.
  if (closed.phase === 'FAILED') return canBeRetried(closed) || isStillWaiting(closed);
  if (closed.outcome !== 'RECONNECTED') return false;
  const outcomeAtMs = closed.outcomeAtMs ?? 0;
  // The same time may be the same second, in which the session was reconnected and dropped again.
  const reconnectedBefore = disconnectedAtMs >= outcomeAtMs;
  if (disconnectedAtMs <= closed.disconnectedAtMs + CLOCK_SKEW_MS) {
    return reconnectedBefore && isStillWaiting(closed);
  }
  // After the outcome the client was there, whether the service has noticed the next loss or not.
  if (reconnectedBefore) return true;
  return isStillWaiting(closed);
}

/**
 * Puts a new window in the place of one whose execution has died, for the same disconnect. Nobody knows what
 * the dead one has missed, so its first signal is there already: it looks at the session before it waits. A
 * crash after this write leaves a window that was never started, which the next look or event starts.
 *
 * @param dead open still, or closed red.
 * @param notBeforeMs epoch ms before which its execution does nothing.
 * @returns the new window, or undefined when the dead one was closed, replaced or signalled meanwhile.
 * @throws DependencyUnavailableException
 */
export async function replaceWindow(
  table: Table,
  session: SessionKey,
  dead: WindowItem,
  settings: WindowSettings,
  notBeforeMs: number,
): Promise<WindowItem | undefined> {
  const { disconnectedAtMs, sessionEndsAtMs } = dead;
  const { connectionCreatedAtMs, connectionAttempts, seenWaitingAtMs, lostAgainAtMs } = dead;
  const { endEarlyAtMs, endEarlyFor } = dead;
  const disconnect = {
    disconnectedAtMs,
    connectionTimeoutSeconds: undefined,
    sessionEndsAtMs,
    reportedBy: dead.reportedBy,
    report: reportIn(dead),
    early:
      endEarlyAtMs === undefined || endEarlyFor === undefined ? undefined : { endEarlyAtMs, endEarlyFor },
  };
  const window = {
    ...newWindow(session, disconnect, settings, dead, notBeforeMs),
    seq: 1,
    connectionCreatedAtMs,
    connectionAttempts,
    seenWaitingAtMs,
    lostAgainAtMs,
  };
  return (await putWindow(table, session, window, dead)) ? window : undefined;
}

function newWindow(
  session: SessionKey,
  disconnect: Disconnect,
  settings: WindowSettings,
  previous: WindowItem | undefined,
  notBeforeMs?: number,
): WindowItem {
  const { disconnectedAtMs, reportedBy = 'FEED' } = disconnect;
  const isReplacement = notBeforeMs !== undefined;
  const foundByWatcher = reportedBy === 'WATCHER' && !isReplacement;
  const generation = (previous?.generation ?? 0) + 1;
  const toldTimeoutSeconds =
    disconnect.connectionTimeoutSeconds ??
    (previous?.isDefaultTimeout === true ? undefined : previous?.connectionTimeoutSeconds);
  const connectionTimeoutSeconds = toldTimeoutSeconds ?? settings.DEFAULT_CONNECTION_TIMEOUT_SECONDS;
  const sessionEndsAtMs = disconnect.sessionEndsAtMs ?? previous?.sessionEndsAtMs;
  const endMs = deadlineOf({ sinceMs: disconnectedAtMs, connectionTimeoutSeconds, sessionEndsAtMs });
  return {
    generation,
    phase: 'AWAITING_RECONNECTION',
    executionInput: JSON.stringify({
      ...session,
      generation,
      disconnectedAtMs,
      deadlineMs: endMs,
      // For people, who read the input in the console.
      disconnectedAt: new Date(disconnectedAtMs).toISOString(),
      deadline: new Date(endMs).toISOString(),
      reportedBy,
      ...(disconnect.isAnnounced === true && !isReplacement ? { announced: true } : {}),
      connectionTimeoutSeconds,
      marginSeconds: settings.WINDOW_MARGIN_SECONDS,
      terminateAbandoned: settings.TERMINATE_ABANDONED_SESSIONS,
      notBeforeMs,
      // A window that replaces another looks because of its first signal.
      lookAtOnce: !isReplacement && !foundByWatcher,
      // A report with a timeout is not the watcher's: its lists do not have timeouts.
      ...(foundByWatcher && toldTimeoutSeconds === undefined ? { foundByWatcher } : {}),
      ...disconnect.early,
    }),
    running: false,
    disconnectedAtMs,
    reportedBy,
    pendingSinceMs: disconnectedAtMs,
    deadlineMs: endMs,
    connectionTimeoutSeconds,
    isDefaultTimeout: toldTimeoutSeconds === undefined,
    sessionEndsAtMs,
    seq: 0,
    connectionCreatedAtMs: 0,
    connectionAttempts: 0,
    ...disconnect.early,
    ...disconnect.report,
    failedBefore: failedBefore(previous),
    previousOutcomeAtMs: previous?.outcomeAtMs ?? previous?.previousOutcomeAtMs,
  };
}

/** A window that is replaced while it is open has failed as one that was closed red has. */
function failedBefore(previous: WindowItem | undefined): number {
  return previous === undefined || previous.phase === 'CLOSED' ? 0 : (previous.failedBefore ?? 0) + 1;
}

/** Whether the window is now the session's; not, when the item is no longer as `previous` was. */
async function putWindow(
  table: Table,
  session: SessionKey,
  window: WindowItem,
  previous: WindowItem | undefined,
): Promise<boolean> {
  const item = { ...windowKey(session), ...window, openIn: openIn(session) };
  if (previous === undefined) {
    return putIf(table, item, { ConditionExpression: 'attribute_not_exists(pk)' });
  }
  return putIf(table, item, {
    ConditionExpression: 'generation = :generation AND phase = :phase AND seq = :seq',
    ExpressionAttributeValues: {
      ':generation': previous.generation,
      ':phase': previous.phase,
      // A signal that came since belongs to the new window, too.
      ':seq': previous.seq,
    },
  });
}
