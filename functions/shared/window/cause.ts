import type { Cause, Outcome } from '../contracts/fields.ts';
import type { EndedBy } from './end-mark.ts';

export interface CauseFacts {
  readonly outcome: Outcome;
  /** The service's `StatusReason`; null when it gave none. */
  readonly statusReason: string | null;
  /** Who marked the session as ended on purpose; undefined where it was not marked. */
  readonly endedBy?: EndedBy | undefined;
  /** Whether this window has terminated the session because its player did not come back in time. */
  readonly isAbandoned?: boolean | undefined;
}

/** Ten of the service's eleven values. `apiTerminated` tells how a session ended, and not why. */
const CAUSE_OF_REASON: ReadonlyMap<string, Cause> = new Map([
  ['connectionTimeout', 'TIMED_OUT'],
  ['reconnectionTimeout', 'TIMED_OUT'],
  ['applicationExit', 'APPLICATION'],
  // Limits of the service, which end a session whether or not its player comes back …
  ['maxSessionLengthTimeout', 'SERVICE'],
  ['idleTimeout', 'SERVICE'],
  // … and failures.
  ['internalError', 'SERVICE'],
  ['invalidSignalRequest', 'SERVICE'],
  ['placementTimeout', 'SERVICE'],
  ['applicationLogS3DestinationError', 'SERVICE'],
  ['assumeRoleFailed', 'SERVICE'],
]);

/**
 * Returns why a window ended as it did. The outcome says what became of the session, and only the service's word decides
 * that; the cause says whose doing it was.
 *
 * - A mark explains every end that the service gives no other reason for. Its writer may have died before it terminated
 *   the session, so a mark explains a timeout too.
 * - `apiTerminated` without a mark is a direct call to the service: UNKNOWN.
 * - Only the service puts a session in ERROR, whatever its reason.
 *
 * Why: docs/decisions/windows.md#an-outcome-has-a-cause-and-a-mark-explains-an-end
 */
export function causeOf({ outcome, statusReason, endedBy, isAbandoned = false }: CauseFacts): Cause {
  if (outcome === 'RECONNECTED' || outcome === 'NOT_DISCONNECTED') return outcome;
  const told = CAUSE_OF_REASON.get(statusReason ?? '');
  if (outcome === 'ERRORED') return told === 'APPLICATION' ? told : 'SERVICE';
  if (told === 'APPLICATION' || told === 'SERVICE') return told;
  if (endedBy !== undefined) return endedBy;
  return told ?? (statusReason === 'apiTerminated' && isAbandoned ? 'TIMED_OUT' : 'UNKNOWN');
}

/** Returns whether the window lost no player: the session was ended on purpose, or its client was never away. */
export function isNoLoss(cause: Cause): boolean {
  return cause === 'LEFT' || cause === 'OPERATOR' || cause === 'NOT_DISCONNECTED';
}
