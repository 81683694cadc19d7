import { LEAST_WAIT_SECONDS, type ReportedBy } from '../shared/contracts/fields.ts';
import {
  REPORTED_BY_API,
  REPORTED_BY_WATCHER,
  type SessionKey,
  STATUS_CHANGE_REJECTED_DETAIL_TYPE,
  type WindowOpenedDetail,
} from '../shared/contracts/index.ts';
import { windowExecutionArn, windowExecutionName } from '../shared/contracts/names.ts';
import { leavingUntilMs, readPlace } from '../shared/quota/places.ts';
import { ContentionException } from '../shared/runtime/errors.ts';
import { type EventBus, publish } from '../shared/runtime/publish-events.ts';
import { defineQueueEvent, type FinishBatch } from '../shared/runtime/queue-batch.ts';
import { OPENING_SETTINGS } from '../shared/runtime/settings.ts';
import {
  isWaitingForClient,
  type ReadSessionDependencies,
  readSession,
} from '../shared/service/read-session.ts';
import { announcementOf, createAnnouncer } from '../shared/window/announce-window.ts';
import {
  correctDeadline,
  credibleCorrection,
  type EarlyEnd,
  endEarly,
  noteReport,
} from '../shared/window/correct-deadline.ts';
import { CLOCK_SKEW_MS } from '../shared/window/deadline.ts';
import { type DrainEnd, drainReader } from '../shared/window/drain.ts';
import { isRetryDue } from '../shared/window/failed-windows.ts';
import { noteLoss, signalWindow, wakeWindow } from '../shared/window/mailbox.ts';
import { openWindow } from '../shared/window/open-window.ts';
import {
  ensureRunning,
  type ReplaceDependencies,
  replaceDeadWindow,
} from '../shared/window/replace-window.ts';
import { reportIn, type WindowItem } from '../shared/window/window-item.ts';
import { type ParsedEvent, parseStatusChangeEvent, type StatusChange } from './parse-event.ts';

export interface OnStatusChangeDependencies extends ReadSessionDependencies, ReplaceDependencies, EventBus {
  readonly settings: EventBus['settings'] &
    ReadSessionDependencies['settings'] &
    ReplaceDependencies['settings'] & { readonly ALLOW_EARLY_END: boolean };
  /** Without it no stream group is drained. */
  readonly drainEnd?: DrainEnd;
}

export interface OnStatusChangeResult {
  readonly result:
    | 'WINDOW_OPENED'
    | 'WINDOW_SIGNALLED'
    | 'DEADLINE_CORRECTED'
    | 'DUPLICATE'
    | 'STALE'
    | 'NO_WINDOW'
    | 'REJECTED';
  /** What tells of the window that is open for the event's disconnect. */
  readonly announcement?: WindowOpenedDetail;
}

/**
 * Handles one event: opens the session's window or signals the open one. An event that does not fit the contract is
 * published as rejected; a stale one is counted. Neither touches the table, an execution or the service.
 *
 * Why: docs/decisions/windows.md#a-late-report-is-told-from-a-new-disconnect-by-time-then-by-the-service
 * Why: docs/decisions/windows.md#a-drop-within-2-s-of-a-reconnection-costs-a-read
 * Why: docs/decisions/windows.md#a-session-that-is-active-or-reconnecting-has-dropped-as-a-pending-one-has
 * Why: docs/decisions/windows.md#a-loss-that-is-reported-while-the-window-is-open-is-waited-for-too
 *
 * @throws DependencyUnavailableException, ContentionException and what `callService` throws. The queue hands the event over again, because
 *   every step here is harmless when repeated.
 */
export async function onStatusChange(
  parsed: ParsedEvent,
  dependencies: OnStatusChangeDependencies,
): Promise<OnStatusChangeResult> {
  if (!parsed.ok) {
    await publish(dependencies, STATUS_CHANGE_REJECTED_DETAIL_TYPE, parsed.rejection);
    dependencies.log.warn('EventRejected', { reasons: parsed.rejection.reasons.join('; ') });
    dependencies.metrics.add('EventsRejected', 1);
    return { result: 'REJECTED' };
  }
  const { status } = parsed.event.detail;
  const session = sessionOf(parsed.event);
  const ofSession = { ...dependencies, log: dependencies.log.with(session) };
  if (parsed.isStale) {
    ofSession.log.info('StaleEventIgnored', { status });
    ofSession.metrics.add('EventsStale', 1);
    return { result: 'STALE' };
  }
  for (const member of parsed.leftOut) ofSession.log.warn('ImpossibleTimeIgnored', { member });
  return status === 'PENDING_CLIENT_RECONNECTION'
    ? onDisconnect(session, parsed.event, parsed.nowMs, ofSession)
    : onOtherStatus(session, parsed.event, ofSession);
}

async function onDisconnect(
  session: SessionKey,
  { id, detail }: StatusChange,
  nowMs: number,
  dependencies: OnStatusChangeDependencies,
): Promise<OnStatusChangeResult> {
  const { table, clock, metrics, settings } = dependencies;
  const reportedBy = reporterOf(detail.reportedBy);
  const untilMs = reportedBy === 'API' ? leavingUntilMs(await readPlace(table, session)) : undefined;
  if (reportedBy === 'API' && untilMs === undefined) {
    // Only a page that may be going away is reported so, and its player is back.
    dependencies.log.info('StaleEventIgnored', { status: detail.status });
    return { result: 'STALE' };
  }
  const disconnect = {
    disconnectedAtMs: Math.min(Date.parse(detail.statusChangedAt), nowMs),
    connectionTimeoutSeconds: detail.connectionTimeoutSeconds,
    sessionEndsAtMs: detail.sessionEndsAt === undefined ? undefined : Date.parse(detail.sessionEndsAt),
    reportedBy,
    isAnnounced: true,
    report: reportIn(detail),
  };
  const drainEndMs = await dependencies.drainEnd?.(session.streamGroupId, dependencies.log);
  const drain: EarlyEnd | undefined =
    drainEndMs === undefined ? undefined : { endEarlyAtMs: drainEndMs, endEarlyFor: 'OPERATOR' };
  const earlySince = (sinceMs: number) =>
    drain ?? earlyEndOf({ sinceMs, untilMs, giveUpAfterSeconds: detail.giveUpAfterSeconds, nowMs }, settings);
  const opening = { ...disconnect, early: earlySince(disconnect.disconnectedAtMs) };
  const { kind, window } = await openWindow(table, session, opening, settings, async (closed) => {
    if (closed.phase === 'FAILED') {
      // A session that the service does not know has not dropped again, however often a feed says so.
      const isKnown = closed.failure !== 'SessionNotFound';
      if (!isRetryDue(closed, isKnown ? disconnect.disconnectedAtMs : undefined, clock.nowMs())) return false;
    }
    const priority = closed.phase === 'FAILED' ? 'LOW' : 'NORMAL';
    // Not PENDING alone: a player may have an answer already, from a call that came before this event.
    return isWaitingForClient(await readSession(session, dependencies, undefined, priority));
  });
  const log = dependencies.log.with({ executionName: windowExecutionName(session, window.generation) });
  if (kind === 'STALE') {
    log.info('StaleEventIgnored', { status: detail.status });
    return { result: 'STALE' };
  }
  if (kind === 'OPENED') {
    log.info('WindowOpened', { generation: window.generation });
    metrics.add('WindowsOpened', 1);
  }
  await ensureOwner(session, window, { ...dependencies, log });
  const { generation } = window;
  const executionArn = windowExecutionArn(settings.RECONNECTION_WINDOW_ARN, session, generation);
  const announcement = announcementOf(session, window, executionArn);
  if (kind === 'OPENED') return { result: 'WINDOW_OPENED', announcement };

  await noteReport(table, session, window, disconnect.report);
  const knownSinceMs = window.pendingSinceMs ?? window.disconnectedAtMs;
  const early = earlySince(Math.max(disconnect.disconnectedAtMs, knownSinceMs));
  const lostAtMs = disconnect.disconnectedAtMs;
  const isToldEarly =
    early !== undefined &&
    (await endEarly(session, window, { ...early, lostAtMs }, { ...dependencies, log }));
  if (isToldEarly) log.info('EarlyEndTold', { generation, endEarlyFor: early.endEarlyFor });
  // The client of a window that waits for a reconnection is away already.
  if (isToldEarly && reportedBy === 'API' && window.phase === 'AWAITING_RECONNECTION') {
    return { result: 'DEADLINE_CORRECTED' };
  }

  // Dropped again before the window saw the session connected: the window goes on, with a new deadline.
  const { connectionCreatedAtMs, pendingSinceMs = window.disconnectedAtMs } = window;
  const isAnswered = connectionCreatedAtMs > pendingSinceMs;
  const droppedAgain =
    disconnect.disconnectedAtMs > (isAnswered ? connectionCreatedAtMs : pendingSinceMs + CLOCK_SKEW_MS);
  if (!droppedAgain) {
    const correction = credibleCorrection(window, disconnect, clock.nowMs());
    if (
      correction !== undefined &&
      (await correctDeadline(session, window, correction, { ...dependencies, log }))
    ) {
      log.info('DeadlineCorrected', { generation: window.generation });
      return { result: 'DEADLINE_CORRECTED' };
    }
    // Whoever signalled last may have died before sending: nobody waits in vain for what is in the item.
    if (window.seq > (window.ackSeq ?? 0)) await wakeWindow(window, { ...dependencies, log });
    log.info('DuplicateEventIgnored', { status: detail.status });
    return { result: 'DUPLICATE', announcement };
  }
  await noteLoss(table, session, disconnect.disconnectedAtMs);
  const signalled = await signalWindow(session, { id }, { ...dependencies, log });
  // The window has closed since it was read, so the disconnect is the next one's: the event comes again, and opens it.
  if (signalled === undefined) throw new ContentionException();
  return { result: 'WINDOW_SIGNALLED' };
}

async function onOtherStatus(
  session: SessionKey,
  { id, detail }: StatusChange,
  dependencies: OnStatusChangeDependencies,
): Promise<OnStatusChangeResult> {
  const window = await signalWindow(session, { id }, dependencies);
  if (window === undefined) {
    dependencies.log.info('EventWithoutWindowIgnored', { status: detail.status });
    return { result: 'NO_WINDOW' };
  }
  await ensureOwner(session, window, dependencies);
  return { result: 'WINDOW_SIGNALLED' };
}

/**
 * Starts the window's execution unless it runs. Its name may be taken: by this window's own execution, which has
 * ended since, or by one of a session of another stream group, as a feed that confuses them makes it. Either way
 * nobody has this window, and no later event would find it otherwise; the next generation has another name.
 */
async function ensureOwner(
  session: SessionKey,
  window: WindowItem,
  dependencies: OnStatusChangeDependencies,
): Promise<void> {
  if (await ensureRunning(session, window, dependencies)) return;
  await replaceDeadWindow(session, window, dependencies);
}

/** Of an event that has waited in its queue: the window must be waiting by then, and the player have a moment. */
const LEAST_LEAVING_MS = 1000;

/** When the session is to be terminated before its deadline, by a page that may be going away or by the report. */
function earlyEndOf(
  report: {
    readonly sinceMs: number;
    readonly untilMs: number | undefined;
    readonly giveUpAfterSeconds: number | undefined;
    readonly nowMs: number;
  },
  { ALLOW_EARLY_END: isAllowed }: OnStatusChangeDependencies['settings'],
): EarlyEnd | undefined {
  const { sinceMs, untilMs, giveUpAfterSeconds, nowMs } = report;
  if (untilMs !== undefined) {
    return { endEarlyAtMs: Math.max(untilMs, Math.ceil(nowMs) + LEAST_LEAVING_MS), endEarlyFor: 'LEFT' };
  }
  if (!isAllowed || giveUpAfterSeconds === undefined) return undefined;
  const endEarlyAtMs = Math.max(
    sinceMs + giveUpAfterSeconds * 1000,
    Math.ceil(nowMs) + LEAST_WAIT_SECONDS * 1000,
  );
  return { endEarlyAtMs, endEarlyFor: 'GIVE_UP' };
}

function reporterOf(reportedBy: string | undefined): ReportedBy {
  if (reportedBy === REPORTED_BY_WATCHER) return 'WATCHER';
  return reportedBy === REPORTED_BY_API ? 'API' : 'FEED';
}

/**
 * Announces the windows that a batch has opened. A duplicate that the queue hands over again may be of an invocation that
 * died between opening its window and announcing it, so it announces the window, too.
 *
 * Why: docs/decisions/events.md#an-opening-is-announced-at-least-once-and-delays-nothing
 */
function announceOpenings(announce: ReturnType<typeof createAnnouncer>): FinishBatch<OnStatusChangeResult> {
  return async (handled) => {
    const due = new Map(
      handled.flatMap((event) => {
        const { announcement, result } = event.result;
        const isDue = announcement !== undefined && (result === 'WINDOW_OPENED' || event.isRepeat);
        return isDue ? [[announcement, event] as const] : [];
      }),
    );
    const notTaken = await announce([...due.keys()]);
    return notTaken.flatMap((announcement) => due.get(announcement) ?? []);
  };
}

export const onStatusChangeEvent = defineQueueEvent({
  settings: [...OPENING_SETTINGS, 'READS_PER_SECOND', 'ALLOW_EARLY_END'],
  clients: ['eventBridge', 'gameLiftStreams', 'stepFunctionsSingleAttempt'],
  parse: (event, { clock }) => parseStatusChangeEvent(event, clock.nowMs()),
  idsOf: (parsed) => (parsed.ok ? sessionOf(parsed.event) : {}),
  finishWith: (dependencies) => announceOpenings(createAnnouncer(dependencies)),
  // The queue repeats what is throttled; in the SDK's backoff a storm would hold the account's concurrency.
  prepare: (dependencies) => {
    const drainEnd = drainReader(dependencies);
    return (parsed, { stepFunctionsSingleAttempt: stepFunctions, ...given }) =>
      onStatusChange(parsed, { ...given, stepFunctions, drainEnd });
  },
});

function sessionOf({ detail: { streamGroupId, streamSessionId } }: StatusChange): SessionKey {
  return { streamGroupId, streamSessionId };
}
