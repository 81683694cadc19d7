import * as z from 'zod';
import { PermitNotAvailableException, ServiceAccessDeniedException } from '../shared/runtime/errors.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import {
  isStreamGroupGone,
  isWaitingForClient,
  type ReadSessionDependencies,
  readSession,
  type SessionState,
  unknownSession,
} from '../shared/service/read-session.ts';
import { CLOCK_SKEW_MS, deadlineOf, LOSS_NOTICE_MS } from '../shared/window/deadline.ts';
import { endedByOf, readEndMark } from '../shared/window/end-mark.ts';
import { noteSeenWaiting, readWindow, type WindowItem } from '../shared/window/window-item.ts';

export const checkSessionInputSchema = z.object({
  ...taskInputShape,
  generation: z.int().min(1).optional(),
  /** When the window's execution began; the disconnect where it is absent. */
  openedAtMs: epochMsSchema.optional(),
  /** When the present disconnect happened, as far as is known. */
  pendingSinceMs: epochMsSchema,
  /** The window's deadline before this look. */
  deadlineMs: epochMsSchema.optional(),
  /** 0 when no connection was created in this window. */
  connectionCreatedAtMs: epochMsSchema,
  connectionTimeoutSeconds: z.int().min(1),
  marginSeconds: z.number().min(0),
  /** When the service was seen waiting for a client; 0 before that. */
  seenWaitingAtMs: epochMsSchema.optional(),
  /** The first look of a window, which is left out while the read quota is in use. */
  onlyIfSpare: z.boolean().optional(),
  /** Whether the watcher will tell soon what the first look is for. */
  leaveOut: z.boolean().optional(),
  /** Whether the look has no other purpose than to find out whether the service waits for a client. */
  onlyUntilSeen: z.boolean().optional(),
  /** Since when every look was told that there is no such session; 0 when the last one was not. Absent: the first 404 counts. */
  notFoundSinceMs: epochMsSchema.optional(),
});
export type CheckSessionInput = z.infer<typeof checkSessionInputSchema>;
type Input = CheckSessionInput & { readonly seenWaitingAtMs: number };

export interface CheckSessionResult {
  /** As the service says it, or UNREAD: the look was left out. */
  readonly status: string;
  readonly statusReason: string | null;
  readonly statusChangedAtMs: number;
  /** Null when the look was left out, and when the service gave none. */
  readonly applicationArn: string | null;
  readonly location: string | null;
  /** Corrected by what the read has told. */
  readonly pendingSinceMs: number;
  readonly connectionTimeoutSeconds: number;
  readonly deadlineMs: number;
  /** When the service was seen waiting for a client since the report; 0 before that. */
  readonly seenWaitingAtMs: number;
  /** CONNECTED since before the disconnect: the service has not noticed the loss yet. */
  readonly beforeLoss: boolean;
  /** The service should have ended the session by now, and has not. */
  readonly overdue: boolean;
  /** Whether a NOT_FOUND is to be confirmed by a later look. */
  readonly isUnconfirmed: boolean;
}

/**
 * A 404 counts when every look has found it for so long. GetStreamSession documents neither for how long an ended session
 * can be read nor that a read sees the latest state, and a wrong verdict would end a session's window for good.
 */
const NOT_FOUND_FOR_MS = 10_000;

/**
 * Reads the session's status and what it says about the wait in hand. The state machine decides by it.
 *
 * Why: docs/decisions/windows.md#an-outcome-needs-the-services-word-that-it-was-waiting
 * Why: docs/decisions/windows.md#connected-since-before-the-disconnect-is-not-a-reconnection
 * Why: docs/decisions/windows.md#a-loss-that-is-reported-while-the-window-is-open-is-waited-for-too
 * Why: docs/decisions/windows.md#a-404-is-confirmed-before-it-ends-a-window
 * Why: docs/decisions/windows.md#a-look-writes-what-it-has-seen-on-the-window-at-once
 *
 * @throws what `callService` throws, and DependencyUnavailableException.
 */
export async function checkSession(
  { seenWaitingAtMs: seenBeforeMs = 0, ...rest }: CheckSessionInput,
  dependencies: ReadSessionDependencies,
): Promise<CheckSessionResult> {
  const input: Input = { ...rest, seenWaitingAtMs: seenBeforeMs };
  const seenByWatcherMs =
    input.onlyUntilSeen === true ? ((await windowOf(input, dependencies))?.seenWaitingAtMs ?? 0) : 0;
  const session = seenByWatcherMs > 0 ? undefined : await readUnlessGone(input, dependencies);
  const { log } = dependencies;
  if (session === undefined) {
    log.info('SessionChecked', { status: 'UNREAD', overdue: false });
    return unread(input, seenByWatcherMs, dependencies.clock.nowMs());
  }
  const isConnected = session.status === 'CONNECTED';
  const isSilent = waitingSeenAtMs(input, session) === 0;
  // After the session, so that every signal that the execution has seen is on the window by then.
  const window = isSilent || isConnected ? await windowOf(input, dependencies) : undefined;
  const { previousOutcomeAtMs } = window ?? {};
  const seenNowMs = waitingSeenAtMs({ ...input, previousOutcomeAtMs }, session);
  if (input.seenWaitingAtMs === 0 && isWaitingForClient(session)) {
    await keepSeen(input, session.asOfMs, dependencies);
  }
  const known = {
    ...input,
    seenWaitingAtMs:
      seenNowMs || window?.seenWaitingAtMs || (await endedOnPurposeAtMs(input, session, dependencies)),
    pendingSinceMs: Math.max(input.pendingSinceMs, (isConnected && window?.lostAgainAtMs) || 0),
  };
  const result = judge(known, session, dependencies.clock.nowMs());
  log.info('SessionChecked', { status: result.status, overdue: result.overdue });
  return result;
}

/** What fails here is lost only if the execution is stopped before its next wait begins, which writes it too. */
async function keepSeen(
  { generation, ...session }: Input,
  seenWaitingAtMs: number,
  { table, log }: ReadSessionDependencies,
): Promise<void> {
  if (generation === undefined) return;
  try {
    await noteSeenWaiting(table, session, generation, seenWaitingAtMs);
  } catch (error) {
    log.error('WaitingNotNoted', error);
  }
}

/**
 * A role with a tag is denied for a stream group that has gone. Its session has gone with it: its status is NOT_FOUND, and
 * TERMINATED where the service was seen waiting for its player.
 *
 * @returns undefined when the look is left out.
 */
async function readUnlessGone(
  input: Input,
  dependencies: ReadSessionDependencies,
): Promise<SessionState | undefined> {
  try {
    return await readIfAllowed(input, dependencies);
  } catch (error) {
    if (!(error instanceof ServiceAccessDeniedException)) throw error;
    const { table, clock, log } = dependencies;
    const nowMs = clock.nowMs();
    const seenMs = input.seenWaitingAtMs || ((await windowOf(input, dependencies))?.seenWaitingAtMs ?? 0);
    const knownAtMs = Math.max(input.pendingSinceMs, seenMs) + CLOCK_SKEW_MS;
    if (!(await isStreamGroupGone(table, input.streamGroupId, knownAtMs, nowMs))) throw error;
    log.warn('StreamGroupGone');
    return unknownSession(nowMs, seenMs > 0 ? 'TERMINATED' : 'NOT_FOUND');
  }
}

/** @returns undefined when the look is left out. */
async function readIfAllowed(
  input: Input,
  dependencies: ReadSessionDependencies,
): Promise<SessionState | undefined> {
  if (input.leaveOut === true) return undefined;
  try {
    // In a storm a thousand windows look at once; players who wait for an answer go before them.
    return await readSession(input, dependencies, undefined, input.onlyIfSpare === true ? 'SPARE' : 'LOW');
  } catch (error) {
    if (input.onlyIfSpare === true && error instanceof PermitNotAvailableException) return undefined;
    throw error;
  }
}

/**
 * When the session ended, if it was ended on purpose: then nothing is left that the service could be seen waiting
 * for, and the outcome needs no further evidence. 0 for any other session.
 */
async function endedOnPurposeAtMs(
  { pendingSinceMs: disconnectedAtMs, connectionCreatedAtMs, ...input }: Input,
  { status, statusReason, lastUpdatedAtMs, asOfMs }: SessionState,
  { table }: ReadSessionDependencies,
): Promise<number> {
  if (status !== 'TERMINATED') return 0;
  const mark = await readEndMark(table, input);
  const endedBy = endedByOf(mark, { statusReason, disconnectedAtMs, connectionCreatedAtMs });
  return endedBy === undefined ? 0 : (lastUpdatedAtMs ?? asOfMs);
}

/** The execution's window as others have written it: the watcher that it saw the session wait, feeds a further loss. */
async function windowOf(input: Input, { table }: ReadSessionDependencies): Promise<WindowItem | undefined> {
  const window = await readWindow(table, input);
  return window?.generation === (input.generation ?? window?.generation) ? window : undefined;
}

function unread(input: Input, seenWaitingAtMs: number, nowMs: number): CheckSessionResult {
  const { pendingSinceMs, connectionTimeoutSeconds, deadlineMs = pendingSinceMs } = input;
  return {
    status: 'UNREAD',
    statusReason: null,
    statusChangedAtMs: nowMs,
    applicationArn: null,
    location: null,
    pendingSinceMs,
    connectionTimeoutSeconds,
    deadlineMs,
    seenWaitingAtMs,
    beforeLoss: false,
    overdue: false,
    isUnconfirmed: false,
  };
}

function judge(input: Input, read: SessionState, nowMs: number): CheckSessionResult {
  const isUnconfirmed = read.status === 'NOT_FOUND' && !isConfirmed(input, nowMs);
  const isGone = !isUnconfirmed && isGoneWithItsGroup(input, read, nowMs);
  const session = isGone ? { ...read, status: 'TERMINATED' } : read;
  const connectionTimeoutSeconds = session.connectionTimeoutSeconds ?? input.connectionTimeoutSeconds;
  const pendingSinceMs = latestDisconnectMs(input, session);
  const isActive = session.status === 'ACTIVE' || session.status === 'RECONNECTING';
  const waitEndMs = deadlineOf({
    sinceMs: isActive ? activeSinceMs(input, session, nowMs) : pendingSinceMs,
    connectionTimeoutSeconds,
    sessionEndsAtMs: session.sessionEndsAtMs,
  });
  // What the service has not noticed by then was no loss, or has healed by itself.
  const noticeEndMs = Math.max(input.openedAtMs ?? 0, pendingSinceMs) + LOSS_NOTICE_MS;
  const beforeLoss = isConnectedSinceBefore(input, session) && nowMs < noticeEndMs;
  const isWaiting = beforeLoss || isWaitingForClient(session);
  // A session that waits for no client has no time left. One whose loss is noticed late waits longer than was thought.
  const idleEndMs = isUnconfirmed ? (input.deadlineMs ?? waitEndMs) : nowMs;
  const endMs = beforeLoss ? Math.max(waitEndMs, noticeEndMs) : isWaiting ? waitEndMs : idleEndMs;
  return {
    status: session.status,
    statusReason: session.statusReason,
    statusChangedAtMs: session.lastUpdatedAtMs ?? nowMs,
    applicationArn: session.applicationArn,
    location: session.location,
    pendingSinceMs,
    connectionTimeoutSeconds,
    deadlineMs: endMs,
    seenWaitingAtMs: input.seenWaitingAtMs,
    beforeLoss,
    overdue: isWaiting && nowMs >= endMs + input.marginSeconds * 1000,
    isUnconfirmed,
  };
}

/** The execution of a definition from before 2026-11-28 does not say since when: to it the first 404 is a verdict. */
function isConfirmed({ notFoundSinceMs }: Input, nowMs: number): boolean {
  return (
    notFoundSinceMs === undefined || (notFoundSinceMs > 0 && nowMs - notFoundSinceMs >= NOT_FOUND_FOR_MS)
  );
}

/**
 * A PENDING session that was updated after the known disconnect was dropped a second time: for certain when a
 * connection was created in between, else only by more than two clocks differ.
 */
function latestDisconnectMs(input: Input, session: SessionState): number {
  const { pendingSinceMs, connectionCreatedAtMs } = input;
  const updatedAtMs = session.lastUpdatedAtMs;
  if (session.status !== 'PENDING_CLIENT_RECONNECTION' || updatedAtMs === null) return pendingSinceMs;
  const cameBack = connectionCreatedAtMs > pendingSinceMs;
  return updatedAtMs > pendingSinceMs + (cameBack ? 0 : CLOCK_SKEW_MS) ? updatedAtMs : pendingSinceMs;
}

/**
 * A feed may know of a lost client some seconds before the service does, which says CONNECTED until then. Taken
 * for a reconnection, that would close the window before it has begun. Where a connection was created here in
 * the meantime, CONNECTED means what it says. A client that came less than two clocks differ before the loss may have come
 * after it, but waiting for the service's notice costs a minute, and not waiting the outcome of a loss.
 */
function isConnectedSinceBefore(
  { pendingSinceMs, connectionCreatedAtMs, seenWaitingAtMs }: Input,
  { status, lastUpdatedAtMs }: SessionState,
): boolean {
  if (status !== 'CONNECTED' || connectionCreatedAtMs > pendingSinceMs) return false;
  return lastUpdatedAtMs === null ? seenWaitingAtMs === 0 : lastUpdatedAtMs < pendingSinceMs;
}

/**
 * A session that the service was seen waiting for, and that it does not know after the deadline, has ended: its stream group was
 * deleted. Before the deadline the window fails, so that an operator looks at a wrong id.
 *
 * Why: docs/decisions/windows.md#a-session-that-is-gone-after-its-deadline-has-ended
 */
function isGoneWithItsGroup(
  { seenWaitingAtMs, deadlineMs }: Input,
  { status }: SessionState,
  nowMs: number,
): boolean {
  return status === 'NOT_FOUND' && seenWaitingAtMs > 0 && deadlineMs !== undefined && nowMs >= deadlineMs;
}

/** The second window runs from ACTIVE; a connection that was created by other callers is known by the read only. */
function activeSinceMs(input: Input, session: SessionState, nowMs: number): number {
  return Math.max(input.connectionCreatedAtMs, session.lastUpdatedAtMs ?? nowMs);
}

/** Reasons that the service gives only for a session that was waiting for a client when it ended. */
const REASONS_OF_WAITING: ReadonlySet<string> = new Set([
  'connectionTimeout',
  'reconnectionTimeout',
  // The offer of a connection, and only a session that waits takes one.
  'invalidSignalRequest',
]);

/** What the window knew before the read. */
export interface KnownBefore {
  readonly pendingSinceMs: number;
  /** 0 when no connection was created in this window. */
  readonly connectionCreatedAtMs: number;
  /** 0 until the service was seen waiting for a client. */
  readonly seenWaitingAtMs: number;
  /** When the session's window before this one ended, as the service says. */
  readonly previousOutcomeAtMs?: number | undefined;
}

/**
 * When the service was seen waiting for a client since the report, in epoch ms. Only the service's own word counts, and
 * a connection that it has taken here, because any feed may publish a report.
 *
 * @returns 0 when neither this read nor an earlier one tells.
 */
export function waitingSeenAtMs(known: KnownBefore, session: SessionState): number {
  if (known.seenWaitingAtMs > 0) return known.seenWaitingAtMs;
  if (isWaitingForClient(session)) return session.asOfMs;
  if (known.connectionCreatedAtMs > 0) return known.connectionCreatedAtMs;
  const { status, statusReason, lastUpdatedAtMs, createdAtMs, asOfMs } = session;
  if (statusReason !== null && REASONS_OF_WAITING.has(statusReason)) return lastUpdatedAtMs ?? asOfMs;
  // It has moved since the report, so it was away in between. A time in whole seconds is up to one too early. A loss
  // that is reported from before the session was created is none: CONNECTED may be its player's first arrival.
  const hasMoved =
    status === 'CONNECTED' &&
    (createdAtMs === null || createdAtMs <= known.pendingSinceMs) &&
    lastUpdatedAtMs !== null &&
    lastUpdatedAtMs >= known.pendingSinceMs - CLOCK_SKEW_MS &&
    // The return from the loss before is no evidence of this one.
    lastUpdatedAtMs > (known.previousOutcomeAtMs ?? 0);
  return hasMoved ? lastUpdatedAtMs : 0;
}

export const checkSessionTask = defineTask({
  settings: ['READS_PER_SECOND'],
  clients: ['gameLiftStreams'],
  input: checkSessionInputSchema,
  decide: checkSession,
});
