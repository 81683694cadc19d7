/**
 * Every error a function throws on purpose. The `name` is a literal, because Step Functions matches it in
 * `ErrorEquals` and a minifier renames classes (`this.constructor.name` became "t" in a minified bundle).
 * Messages are fixed: a state machine's history and logs keep them, and a quoted input would rest there.
 */

/** Retryable. The service refused the call under its quota (its own ThrottlingException, HTTP 429 or 400). */
export class ThrottlingException extends Error {
  override readonly name = 'ThrottlingException';
  constructor(options?: ErrorOptions) {
    super('Amazon GameLift Streams refused the call under its request quota.', options);
  }
}

/** Retryable. The session is between two states; asking again with the same ClientToken may work. */
export class ConflictException extends Error {
  override readonly name = 'ConflictException';
  constructor(options?: ErrorOptions) {
    super('The stream session is busy with another request.', options);
  }
}

/**
 * Retryable, a few times: the service refuses the offer although the session is ACTIVE, which takes offers. So it has given
 * an answer to this offer or an earlier one already, and does not repeat it; only a new offer gets another.
 */
export class SessionAnsweredException extends Error {
  override readonly name = 'SessionAnsweredException';
  constructor(options?: ErrorOptions) {
    super('The stream session has an answer already, and the service does not repeat it.', options);
  }
}

/**
 * Retryable. Amazon GameLift Streams failed, did not answer in time, or refused the time of the signature. The call
 * may have been accepted, so the retry must be the same request (the same ClientToken).
 */
export class InternalServerException extends Error {
  override readonly name = 'InternalServerException';
  constructor(options?: ErrorOptions) {
    super('Amazon GameLift Streams failed or did not answer in time.', options);
  }
}

/** Retryable, seconds later. The stream session is in the right status, and its terminal connection is not up yet. */
export class StreamSessionAccessNotReadyException extends Error {
  override readonly name = 'StreamSessionAccessNotReadyException';
  constructor(options?: ErrorOptions) {
    super('The terminal connection to the stream session is not available yet.', options);
  }
}

/** Retryable. The account's quota for the operation gave no permit within the time a task may wait for one. */
export class PermitNotAvailableException extends Error {
  override readonly name = 'PermitNotAvailableException';
  constructor(options?: ErrorOptions) {
    super("The account's request quota gave no permit in time.", options);
  }
}

/** Retryable. The table, Step Functions or the event bus failed, after the SDK's own retries. */
export class DependencyUnavailableException extends Error {
  override readonly name = 'DependencyUnavailableException';
  constructor(options?: ErrorOptions) {
    super('A service that the workflow is built on did not answer.', options);
  }
}

/**
 * Retryable. Other writers changed the same item again and again, so each of the attempt's writes found it changed. The
 * table works, and a later attempt finds fewer rivals.
 *
 * Why: docs/decisions/state-machines.md#a-lost-race-is-a-contentionexception
 */
export class ContentionException extends Error {
  override readonly name = 'ContentionException';
  constructor(options?: ErrorOptions) {
    super('Other writers changed the same item at every try.', options);
  }
}

/**
 * Not retryable. Amazon GameLift Streams denied the call: our role lacks the permission, or it does not name the stream
 * group. The log line CallDenied names both. The service itself is well, and only a person can fix this.
 */
export class ServiceAccessDeniedException extends Error {
  override readonly name = 'ServiceAccessDeniedException';
  constructor(options?: ErrorOptions) {
    super('Amazon GameLift Streams denied the call: a permission is missing.', options);
  }
}

/** Not retryable. The window that a task works for was closed or replaced by something else. */
export class WindowNotOpenError extends Error {
  override readonly name = 'WindowNotOpenError';
  constructor(options?: ErrorOptions) {
    super('The reconnection window is not open any more.', options);
  }
}

/** Not retryable. A task was invoked with an input that its state machine never builds. */
export class InvalidTaskInputError extends Error {
  override readonly name = 'InvalidTaskInputError';
  constructor(options?: ErrorOptions) {
    super('The input of the task is not of its schema.', options);
  }
}

/** Not retryable. A bug, or a refusal that no retry can change; the log says which. */
export class UnexpectedError extends Error {
  override readonly name = 'UnexpectedError';
  constructor(options?: ErrorOptions) {
    super('The task failed in a way it does not know.', options);
  }
}

const KNOWN = [
  ThrottlingException,
  ConflictException,
  SessionAnsweredException,
  InternalServerException,
  StreamSessionAccessNotReadyException,
  PermitNotAvailableException,
  DependencyUnavailableException,
  ContentionException,
  ServiceAccessDeniedException,
  WindowNotOpenError,
  InvalidTaskInputError,
  UnexpectedError,
] as const;

/** Whether a state machine may see the error as it is: its name and message are from this file. */
export function isKnownError(error: unknown): boolean {
  return KNOWN.some((known) => error instanceof known);
}
