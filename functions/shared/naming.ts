import type { SessionKey } from './contracts.ts';

/** Step Functions' limit for an execution's name. */
const MAX_EXECUTION_NAME_LENGTH = 80;

/**
 * A window's execution: the session id first, so that an operator finds it by typing that, then the window's
 * number. The name is what makes a repeated start harmless.
 */
export function windowExecutionName(session: SessionKey, generation: number): string {
  return `${session.streamSessionId}-${generation}`;
}

/** A request's execution: the session id first, cut where the request's own id would not fit otherwise. */
export function requestExecutionName(session: SessionKey, requestId: string): string {
  const kept = MAX_EXECUTION_NAME_LENGTH - requestId.length - 1;
  return `${session.streamSessionId.slice(0, Math.max(0, kept))}-${requestId}`.slice(
    -MAX_EXECUTION_NAME_LENGTH,
  );
}

/** The table's partition key of everything that is kept about one session. */
export function sessionPartition(session: SessionKey): string {
  return `session#${session.streamGroupId}/${session.streamSessionId}`;
}
