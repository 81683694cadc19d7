import type { SessionKey } from '../shared/contracts/index.ts';
import { sessionPartition } from '../shared/contracts/table-keys.ts';
import { LOW_PRIORITY_SHARE, paceOf } from '../shared/quota/permits.ts';
import { PermitNotAvailableException } from '../shared/runtime/errors.ts';
import { type ReadSessionDependencies, readSession } from '../shared/service/read-session.ts';
import { correctDeadline, noteTimeout } from '../shared/window/correct-deadline.ts';
import { CLOCK_SKEW_MS, deadlineOf } from '../shared/window/deadline.ts';
import type { MailboxDependencies } from '../shared/window/mailbox.ts';
import { type IndexedWindow, readWindows } from '../shared/window/read-windows.ts';
import type { WindowItem } from '../shared/window/window-item.ts';

/** What one watcher remembers of the timeouts of open windows. Another one that knows nothing does no harm. */
export interface Timeouts {
  /** The generations whose timeout is known, by `sessionPartition`. */
  readonly known: Map<string, number>;
  /** Whether a read has failed: then this watcher asks for no more timeouts, and the next one begins anew. */
  isAway: boolean;
}

export function noTimeouts(): Timeouts {
  return { known: new Map(), isAway: false };
}

export interface LearnTimeoutsDependencies extends ReadSessionDependencies, MailboxDependencies {
  readonly settings: ReadSessionDependencies['settings'] & {
    readonly DEFAULT_CONNECTION_TIMEOUT_SECONDS: number;
  };
}

/** One BatchGetItem. */
const MAX_WINDOWS = 100;

/** An open window, and whether the last list of its stream group has its session as PENDING. */
export interface LookedAt {
  readonly window: IndexedWindow;
  readonly isPending: boolean;
}

/**
 * Asks the service for the timeouts that nobody has told, while reads are to spare. The lists do not have them, so a
 * window that the watcher opened has the configured default, and a session with a shorter timeout stands in line by
 * a deadline that is too late. One read at a time, at the pace of the low-priority lane, and none after the first that
 * would have to wait for its permit: somebody else asks.
 *
 * Why: docs/decisions/watcher.md#the-watcher-learns-timeouts-with-spare-reads
 *
 * @param untilMs epoch ms of the next look, which this must not delay.
 * @throws DependencyUnavailableException
 */
export async function learnTimeouts(
  lookedAt: readonly LookedAt[],
  timeouts: Timeouts,
  untilMs: number,
  dependencies: LearnTimeoutsDependencies,
): Promise<void> {
  const { table, clock, settings } = dependencies;
  if (timeouts.isAway || clock.nowMs() >= untilMs) return;
  const candidates = lookedAt
    // The windows of the others have looks of their own.
    .filter(
      ({ window, isPending }) =>
        isPending &&
        window.phase === 'AWAITING_RECONNECTION' &&
        mayHaveDefault(window, settings.DEFAULT_CONNECTION_TIMEOUT_SECONDS) &&
        timeouts.known.get(sessionPartition(window.session)) !== window.generation,
    )
    .map(({ window }) => window)
    // Of an older one it is known already that its timeout is no shorter than its wait.
    .sort((one, other) => other.disconnectedAtMs - one.disconnectedAtMs)
    .slice(0, MAX_WINDOWS);
  const items = await readWindows(
    table,
    candidates.map(({ session }) => session),
  );
  for (const { session, generation } of candidates) {
    const item = items.get(sessionPartition(session));
    if (item?.generation !== generation) continue;
    if (item.isDefaultTimeout !== true) {
      timeouts.known.set(sessionPartition(session), generation);
      continue;
    }
    if (clock.nowMs() >= untilMs) return;
    if (!(await learnTimeout(session, item, timeouts, dependencies))) return;
    await clock.sleep(Math.ceil(1000 / (settings.READS_PER_SECOND * LOW_PRIORITY_SHARE)));
  }
}

/**
 * Since when a low-priority permit must have been free for a read to be to spare: half of what the lane saves up.
 * While others ask it holds less, and while the account is throttled it cannot hold as much.
 */
function spareSinceMs(readsPerSecond: number, nowMs: number): number {
  return nowMs - Math.floor(paceOf({}, readsPerSecond * LOW_PRIORITY_SHARE, nowMs).burstMs / 2);
}

/** Whether the deadline is the one that the default gives; the index does not say who told the timeout. */
function mayHaveDefault(
  { deadlineMs: untilMs, disconnectedAtMs, pendingSinceMs = disconnectedAtMs }: IndexedWindow,
  defaultSeconds: number,
): boolean {
  return [disconnectedAtMs, pendingSinceMs].some((sinceMs) => untilMs === sinceMs + defaultSeconds * 1000);
}

/** @returns whether there may be reads to spare for another one. */
async function learnTimeout(
  session: SessionKey,
  item: WindowItem,
  timeouts: Timeouts,
  dependencies: LearnTimeoutsDependencies,
): Promise<boolean> {
  const { table, clock, settings } = dependencies;
  const log = dependencies.log.with({ ...session });
  let connectionTimeoutSeconds: number | null;
  let sessionEndsAtMs: number | null;
  try {
    ({ connectionTimeoutSeconds, sessionEndsAtMs } = await readSession(
      session,
      dependencies,
      undefined,
      'LOW',
      spareSinceMs(settings.READS_PER_SECOND, clock.nowMs()),
    ));
  } catch (error) {
    if (error instanceof PermitNotAvailableException) return false;
    timeouts.isAway = true;
    log.error('TimeoutNotLearned', error);
    return false;
  }
  timeouts.known.set(sessionPartition(session), item.generation);
  if (connectionTimeoutSeconds === null) return true;
  const sinceMs = item.pendingSinceMs ?? item.disconnectedAtMs;
  const correctedMs = deadlineOf({ sinceMs, connectionTimeoutSeconds, sessionEndsAtMs });
  if (Math.abs(correctedMs - item.deadlineMs) <= CLOCK_SKEW_MS) {
    await noteTimeout(session, item, connectionTimeoutSeconds, table);
    return true;
  }
  const correction = { deadlineMs: correctedMs, connectionTimeoutSeconds };
  if (await correctDeadline(session, item, correction, { ...dependencies, log })) {
    log.info('DeadlineCorrected', { generation: item.generation });
  }
  return true;
}
