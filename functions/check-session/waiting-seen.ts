import { isWaitingForClient, type SessionState } from '../shared/service/read-session.ts';
import { CLOCK_SKEW_MS } from '../shared/window/deadline.ts';

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
  /** 0 while nobody has seen the service wait for a client. */
  readonly seenWaitingAtMs: number;
}

/**
 * When the service was seen waiting for a client since the report, in epoch ms. Only the service's own word counts, and
 * a connection that it has taken here: anybody may publish a report.
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
    lastUpdatedAtMs >= known.pendingSinceMs - CLOCK_SKEW_MS;
  return hasMoved ? lastUpdatedAtMs : 0;
}
