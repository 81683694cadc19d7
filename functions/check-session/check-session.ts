import * as z from 'zod';
import { CLOCK_SKEW_MS, deadlineMs } from '../shared/deadline.ts';
import {
  isWaitingForClient,
  type ReadSessionDependencies,
  readSession,
  type SessionState,
} from '../shared/read-session.ts';
import { epochMsSchema, taskInputShape } from '../shared/task.ts';

export const checkSessionInputSchema = z.object({
  ...taskInputShape,
  /** When the present disconnect happened, as far as is known. */
  pendingSinceMs: epochMsSchema,
  /** 0 when no connection was created in this window. */
  connectionCreatedAtMs: epochMsSchema,
  connectionTimeoutSeconds: z.int().min(1),
  marginSeconds: z.number().min(0),
});
export type CheckSessionInput = z.infer<typeof checkSessionInputSchema>;

export interface CheckSessionResult {
  readonly status: string;
  readonly statusReason: string | null;
  readonly statusChangedAtMs: number;
  /** Corrected by what the read has told. */
  readonly pendingSinceMs: number;
  readonly connectionTimeoutSeconds: number;
  readonly deadlineMs: number;
  /** CONNECTED since before the disconnect: the service has not noticed the loss yet. */
  readonly beforeLoss: boolean;
  /** The service should have ended the session by now, and has not. */
  readonly overdue: boolean;
}

/** Reads the session's status and what it says about the wait in hand. The state machine decides by it. */
export async function checkSession(
  input: CheckSessionInput,
  dependencies: ReadSessionDependencies,
): Promise<CheckSessionResult> {
  const { clock, log } = dependencies;
  // In a storm a thousand windows look at once; whoever waits for an answer goes before them.
  const session = await readSession(input, dependencies, undefined, 'LOW');
  const nowMs = clock.nowMs();
  const connectionTimeoutSeconds = session.connectionTimeoutSeconds ?? input.connectionTimeoutSeconds;
  const pendingSinceMs = latestDisconnectMs(input, session);
  const isActive = session.status === 'ACTIVE' || session.status === 'RECONNECTING';
  const waitEndMs = deadlineMs({
    sinceMs: isActive ? activeSinceMs(input, session, nowMs) : pendingSinceMs,
    connectionTimeoutSeconds,
    sessionEndsAtMs: session.sessionEndsAtMs,
  });
  // A loss that the service has not noticed within the whole window was none, or has healed by itself.
  const beforeLoss = isConnectedSinceBefore(input, session) && nowMs < waitEndMs;
  const isWaiting = beforeLoss || isWaitingForClient(session);
  // A session that waits for nobody has no time left.
  const endMs = isWaiting ? waitEndMs : nowMs;
  const overdue = isWaiting && nowMs >= endMs + input.marginSeconds * 1000;
  log.info('SessionChecked', { status: session.status, overdue });
  return {
    status: session.status,
    statusReason: session.statusReason,
    statusChangedAtMs: session.lastUpdatedAtMs ?? nowMs,
    pendingSinceMs,
    connectionTimeoutSeconds,
    deadlineMs: endMs,
    beforeLoss,
    overdue,
  };
}

/**
 * A PENDING session that was updated after the known disconnect was dropped a second time: for certain when a
 * connection was created in between, else only by more than two clocks differ.
 */
function latestDisconnectMs(input: CheckSessionInput, session: SessionState): number {
  const { pendingSinceMs, connectionCreatedAtMs } = input;
  const updatedAtMs = session.lastUpdatedAtMs;
  if (session.status !== 'PENDING_CLIENT_RECONNECTION' || updatedAtMs === null) return pendingSinceMs;
  const cameBack = connectionCreatedAtMs > pendingSinceMs;
  return updatedAtMs > pendingSinceMs + (cameBack ? 0 : CLOCK_SKEW_MS) ? updatedAtMs : pendingSinceMs;
}

/**
 * A feed may know of a lost client some seconds before the service does, which says CONNECTED until then. Taken
 * for a reconnection, that would close the window before it has begun. Where a connection was created here in
 * the meantime, CONNECTED means what it says.
 */
function isConnectedSinceBefore(
  { pendingSinceMs, connectionCreatedAtMs }: CheckSessionInput,
  { status, lastUpdatedAtMs }: SessionState,
): boolean {
  return (
    status === 'CONNECTED' &&
    connectionCreatedAtMs <= pendingSinceMs &&
    lastUpdatedAtMs !== null &&
    lastUpdatedAtMs < pendingSinceMs - CLOCK_SKEW_MS
  );
}

/** The second window runs from ACTIVE; a connection that was created by other callers is known by the read only. */
function activeSinceMs(input: CheckSessionInput, session: SessionState, nowMs: number): number {
  return Math.max(input.connectionCreatedAtMs, session.lastUpdatedAtMs ?? nowMs);
}
