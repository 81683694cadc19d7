import { DependencyUnavailableException, isKnownError, UnexpectedError } from './errors.ts';

/** What a failed call to Amazon GameLift Streams means for the caller of it. */
export type ServiceFault =
  /** Over quota: HTTP 429, and 400 by the service's list of common errors. */
  | 'THROTTLED'
  /** 409, "conflicts with the current state". No page says when; decide by the session's status. */
  | 'CONFLICT'
  /** 400. May mean a bad parameter or a wrong status; decide by the session's status. */
  | 'INVALID'
  | 'NOT_FOUND'
  /** 409 of CreateStreamSessionAdminShell: the session's terminal connection is not up yet. */
  | 'ACCESS_NOT_READY'
  /** 5xx, no answer, an aborted wait, or a clock error: a repeat may succeed, and the call may have been accepted. */
  | 'UNAVAILABLE'
  /** The service refuses our role, or the account: only a person can change it. */
  | 'DENIED'
  /** No retry changes it. */
  | 'OTHER';

const FAULTS: Readonly<Record<string, ServiceFault>> = {
  ThrottlingException: 'THROTTLED',
  ConflictException: 'CONFLICT',
  ValidationException: 'INVALID',
  ResourceNotFoundException: 'NOT_FOUND',
  StreamSessionAccessNotReadyException: 'ACCESS_NOT_READY',
  InternalServerException: 'UNAVAILABLE',
  AccessDeniedException: 'DENIED',
  // Of AWS's common errors.
  NotAuthorized: 'DENIED',
  OptInRequired: 'DENIED',
  UnrecognizedClientException: 'DENIED',
  InvalidClientTokenId: 'DENIED',
  AbortError: 'UNAVAILABLE',
  TimeoutError: 'UNAVAILABLE',
};

/**
 * Refusals of a signature's time or credentials, by AWS's common errors and the names of its older services. A
 * function that was frozen between signing and sending gets them, or one whose clock is off. A repeat is signed anew,
 * by the time that the SDK read from the refusal's Date header. Credentials that are really wrong get them too, so
 * only a bounded Retry may repeat them.
 */
const CLOCK_ERRORS: ReadonlySet<string> = new Set([
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'RequestTimeoutException',
  'ExpiredToken',
  'ExpiredTokenException',
]);

/** Says what a failed call means, by the error's name first and its HTTP status else. Never throws. */
export function serviceFault(error: unknown): ServiceFault {
  if (!(error instanceof Error)) return 'OTHER';
  const named = Object.hasOwn(FAULTS, error.name) ? FAULTS[error.name] : undefined;
  if (named !== undefined) return named;
  if (CLOCK_ERRORS.has(error.name)) return 'UNAVAILABLE';
  const status = httpStatus(error);
  if (status === 429) return 'THROTTLED';
  if (status === 401 || status === 403) return 'DENIED';
  return status === undefined || status === 408 || status >= 500 ? 'UNAVAILABLE' : 'OTHER';
}

/** What a call came to whose caller expects to be refused. */
export type Attempt<Result, Refusal> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Calls the table, Step Functions or the bus, and returns a refusal by one of the named errors as a value.
 *
 * @throws what `callDependency` throws for every other error.
 */
export async function attempt<Result, const Refusal extends string>(
  call: () => Promise<Result>,
  ...refusals: readonly Refusal[]
): Promise<Attempt<Result, Refusal>> {
  return callDependency(async () => {
    try {
      return { ok: true, result: await call() };
    } catch (error) {
      const refusal = refusals.find((name) => error instanceof Error && error.name === name);
      if (refusal === undefined) throw error;
      return { ok: false, refusal };
    }
  });
}

/**
 * Calls the table, Step Functions or the bus. The client has retried already.
 *
 * @throws DependencyUnavailableException when a later retry may help, UnexpectedError when none can.
 */
export async function callDependency<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (isKnownError(error)) throw error;
    const fault = serviceFault(error);
    throw fault === 'UNAVAILABLE' || fault === 'THROTTLED' || isThrottling(error)
      ? new DependencyUnavailableException({ cause: error })
      : new UnexpectedError({ cause: error });
  }
}

/** Whether a call to the table, Step Functions or the bus failed because of a quota, by what `callDependency` throws. */
export function isThrottled(error: unknown): boolean {
  return error instanceof DependencyUnavailableException && isThrottling(error.cause);
}

const THROTTLING_NAMES = ['Throttl', 'TooManyRequests', 'ProvisionedThroughputExceeded', 'LimitExceeded'];

/** DynamoDB and Step Functions name their throttling errors each in their own way, all with HTTP 400. */
function isThrottling(error: unknown): boolean {
  return error instanceof Error && THROTTLING_NAMES.some((part) => error.name.includes(part));
}

function httpStatus(error: Error): number | undefined {
  if (!('$metadata' in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
