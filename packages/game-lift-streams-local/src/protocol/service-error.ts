/** An error that the service answers: `errorType` goes into `x-amzn-errortype`, the message into `Message`. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly errorType: string;
  readonly httpStatus: number;

  constructor(errorType: string, httpStatus: number, message: string) {
    super(message);
    this.errorType = errorType;
    this.httpStatus = httpStatus;
  }
}

export const accessDenied = () =>
  new ServiceError('AccessDeniedException', 403, 'You do not have the permissions for this resource.');

export const conflict = (message: string) => new ServiceError('ConflictException', 409, message);

export const internalServerError = () =>
  new ServiceError('InternalServerException', 500, 'The service encountered an internal error.');

/* The three errors of a clock that is wrong are in no operation's model: any AWS service answers them. */

export const invalidSignature = () =>
  new ServiceError(
    'InvalidSignatureException',
    403,
    'Signature expired: the date of the request is too old.',
  );

export const requestExpired = () =>
  new ServiceError('RequestExpired', 400, 'The request has expired: its date is more than 15 minutes old.');

export const requestTimeout = () =>
  new ServiceError('RequestTimeoutException', 408, 'The request was not read in time.');

export const resourceNotFound = (what: string) =>
  new ServiceError('ResourceNotFoundException', 404, `The ${what} was not found.`);

/** Not in the service's model: every restJson1 service answers it to a body that cannot be read. */
export const serialization = (message: string) => new ServiceError('SerializationException', 400, message);

export const accessNotReady = () =>
  new ServiceError(
    'StreamSessionAccessNotReadyException',
    409,
    'The stream session is not ready for access yet. Try again in a few seconds.',
  );

export const throttling = () =>
  new ServiceError('ThrottlingException', 429, 'The request was denied due to request throttling.');

/** What AWS services answer when no operation has the request's method and path. */
export const unknownOperation = (message: string) =>
  new ServiceError('UnknownOperationException', 404, message);

export const validation = (message: string) => new ServiceError('ValidationException', 400, message);
