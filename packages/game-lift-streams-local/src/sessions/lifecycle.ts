import type { StreamSessionStatus, StreamSessionStatusReason } from '@aws-sdk/client-gameliftstreams';
import type { Answer } from './answers.ts';
import type { ConnectionAttempt } from './connection-attempt.ts';
import type { Due, StreamSession } from './stream-session.ts';

/** A client that does nothing for this long is taken for gone (developer guide: 60 minutes, fixed). */
const IDLE_TIMEOUT_MS = 60 * 60 * 1000;

/**
 * Developer guide, "Stream sessions". Timeouts and the application's exit go straight to TERMINATED, only
 * TerminateStreamSession passes through TERMINATING; any status but TERMINATED may become ERROR.
 */
const NEXT: Readonly<Record<StreamSessionStatus, readonly StreamSessionStatus[]>> = {
  ACTIVATING: ['ACTIVE', 'TERMINATED', 'ERROR'],
  ACTIVE: ['CONNECTED', 'RECONNECTING', 'TERMINATING', 'TERMINATED', 'ERROR'],
  CONNECTED: ['PENDING_CLIENT_RECONNECTION', 'TERMINATING', 'TERMINATED', 'ERROR'],
  PENDING_CLIENT_RECONNECTION: ['RECONNECTING', 'TERMINATING', 'TERMINATED', 'ERROR'],
  RECONNECTING: ['ACTIVE', 'TERMINATING', 'TERMINATED', 'ERROR'],
  TERMINATING: ['TERMINATED', 'ERROR'],
  TERMINATED: [],
  ERROR: [],
};

export function mayBecome(session: StreamSession, status: StreamSessionStatus): boolean {
  return NEXT[session.status].includes(status);
}

/** The durations that the service chooses, in milliseconds. */
export interface Durations {
  readonly activationMs: number;
  readonly lossNoticeMs: number;
  readonly overstayMs: number;
  readonly terminationMs: number;
}

/**
 * Changes the status and sets what is due next.
 *
 * @throws Error when the status cannot follow the present one: the caller has not asked `mayBecome`.
 */
export function become(session: StreamSession, change: Due, durations: Durations): void {
  const { status, atMs, reason } = change;
  if (!mayBecome(session, status)) throw new Error(`${session.status} cannot become ${status}`);
  settleAnswer(session, status, reason);
  session.status = status;
  if (reason !== undefined) session.statusReason = reason;
  if (status === 'CONNECTED') session.inputAtMs = atMs;
  delete session.lossNoticedAtMs;
  session.lastUpdatedAtMs = atMs;
  session.history.push(reason === undefined ? { status, atMs } : { status, atMs, reason });
  setDue(session, durations);
}

/** The answer becomes the session's, or the call that waits for it has failed with the session. */
function settleAnswer(
  session: StreamSession,
  status: StreamSessionStatus,
  reason: StreamSessionStatusReason | undefined,
): void {
  if (session.status === 'ACTIVATING' && status === 'ACTIVE' && session.firstAnswer.kind === 'answer') {
    session.signalResponse = session.firstAnswer.signalResponse;
  }
  const { attempt } = session;
  if (attempt === undefined) return;
  delete session.attempt;
  if (status === 'ACTIVE' && attempt.answer.kind === 'answer') {
    attempt.outcome = 'answered';
    session.signalRequest = attempt.signalRequest;
    session.signalResponse = attempt.answer.signalResponse;
    return;
  }
  attempt.outcome = reason === 'invalidSignalRequest' ? reason : 'sessionEnded';
}

/** Begins a connection: RECONNECTING until the attempt is ready, then ACTIVE, or ERROR for a bad offer. */
export function beginConnection(
  session: StreamSession,
  attempt: ConnectionAttempt,
  durations: Durations,
): void {
  become(session, { status: 'RECONNECTING', atMs: attempt.acceptedAtMs }, durations);
  session.attempt = attempt;
  session.attempts.push(attempt);
  setDue(session, durations);
}

/** The client is gone, and the service does not know yet. The status does not change before it does. */
export function loseClient(session: StreamSession, atMs: number, durations: Durations): void {
  session.lossNoticedAtMs = atMs + durations.lossNoticeMs;
  setDue(session, durations);
}

export function recoverClient(session: StreamSession, durations: Durations): void {
  delete session.lossNoticedAtMs;
  setDue(session, durations);
}

/** The player did something: the idle timeout begins anew. */
export function noteInput(session: StreamSession, atMs: number, durations: Durations): void {
  session.inputAtMs = atMs;
  session.inputs++;
  setDue(session, durations);
}

export function setDue(session: StreamSession, durations: Durations): void {
  const next = nextByStatus(session, durations);
  const end = maxLengthEnd(session);
  const due = next !== undefined && end !== undefined && end.atMs < next.atMs ? end : (next ?? end);
  if (due === undefined) delete session.due;
  else session.due = due;
}

function nextByStatus(session: StreamSession, durations: Durations): Due | undefined {
  const sinceMs = session.lastUpdatedAtMs;
  const connectionTimeoutMs = session.connectionTimeoutSeconds * 1000 + durations.overstayMs;
  switch (session.status) {
    case 'ACTIVATING':
      return { atMs: sinceMs + durations.activationMs, ...resultOf(session.firstAnswer) };
    case 'ACTIVE':
      // The reason after a reconnection (the second window) is not documented. We answer the same as in the
      // first: what has run out is the time to connect.
      return { atMs: sinceMs + connectionTimeoutMs, status: 'TERMINATED', reason: 'connectionTimeout' };
    case 'CONNECTED': {
      const idleAtMs = session.inputAtMs + IDLE_TIMEOUT_MS;
      const { lossNoticedAtMs } = session;
      return lossNoticedAtMs !== undefined && lossNoticedAtMs <= idleAtMs
        ? { atMs: lossNoticedAtMs, status: 'PENDING_CLIENT_RECONNECTION' }
        : { atMs: idleAtMs, status: 'TERMINATED', reason: 'idleTimeout' };
    }
    case 'PENDING_CLIENT_RECONNECTION':
      return { atMs: sinceMs + connectionTimeoutMs, status: 'TERMINATED', reason: 'reconnectionTimeout' };
    case 'RECONNECTING': {
      const { attempt } = session;
      if (attempt === undefined) return undefined;
      // The window does not run on meanwhile. Whether the service pauses it is not documented.
      return { atMs: attempt.readyAtMs, ...resultOf(attempt.answer) };
    }
    case 'TERMINATING':
      return { atMs: sinceMs + durations.terminationMs, status: 'TERMINATED', reason: 'apiTerminated' };
    case 'TERMINATED':
    case 'ERROR':
      return undefined;
  }
}

/** A signal request that is no offer ends the session, at the start as in a reconnection. */
function resultOf(answer: Answer): Pick<Due, 'status' | 'reason'> {
  if (answer.kind === 'invalidSignalRequest') return { status: 'ERROR', reason: 'invalidSignalRequest' };
  return { status: 'ACTIVE' };
}

/** "Since it started": counted from CreatedAt, for the exact origin is not documented. */
function maxLengthEnd(session: StreamSession): Due | undefined {
  if (session.status === 'TERMINATING' || NEXT[session.status].length === 0) return undefined;
  return {
    atMs: session.createdAtMs + session.sessionLengthSeconds * 1000,
    status: 'TERMINATED',
    reason: 'maxSessionLengthTimeout',
  };
}
