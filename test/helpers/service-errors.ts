/** What Amazon GameLift Streams answers with when it refuses a call, as its SDK throws it. */
import {
  AccessDeniedException,
  ConflictException,
  GameLiftStreamsServiceException,
  InternalServerException,
  ResourceNotFoundException,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
} from '@aws-sdk/client-gameliftstreams';

/** In every message, for the service may quote its input: it must never be seen again. */
export const QUOTED_INPUT = 'quoted-input-of-the-call';
const message = `The service says ${QUOTED_INPUT}`;
/** `Message` is the member of the service's model, `message` what the SDK makes of it. */
const answered = (httpStatusCode: number) => ({
  message,
  Message: message,
  $metadata: { httpStatusCode, attempts: 1 },
});

const signatureError = (name: string, httpStatusCode: number) =>
  new GameLiftStreamsServiceException({ name, $fault: 'client', ...answered(httpStatusCode) });

export const serviceErrors = {
  accessDenied: () => new AccessDeniedException(answered(403)),
  conflict: () => new ConflictException(answered(409)),
  internalServer: () => new InternalServerException(answered(500)),
  resourceNotFound: () => new ResourceNotFoundException(answered(404)),
  serviceQuotaExceeded: () => new ServiceQuotaExceededException(answered(402)),
  throttling: () => new ThrottlingException(answered(429)),
  /** The service's list of common errors has its throttling under 400, too. */
  throttlingAs400: () => new ThrottlingException(answered(400)),
  validation: () => new ValidationException(answered(400)),
  /** A 429 or 503 from something before the service, which has no error type of the service. */
  unnamed429: () =>
    new GameLiftStreamsServiceException({ name: 'Unknown', $fault: 'client', ...answered(429) }),
  unnamed503: () =>
    new GameLiftStreamsServiceException({ name: 'Unknown', $fault: 'server', ...answered(503) }),
  /** Refusals of the signature's time, which are in no service's model. */
  invalidSignature: () => signatureError('InvalidSignatureException', 403),
  signatureDoesNotMatch: () => signatureError('SignatureDoesNotMatch', 403),
  requestExpired: () => signatureError('RequestExpired', 400),
  requestInTheFuture: () => signatureError('RequestInTheFuture', 403),
  requestTimeTooSkewed: () => signatureError('RequestTimeTooSkewed', 403),
  requestTimeout: () => signatureError('RequestTimeoutException', 408),
  expiredToken: () => signatureError('ExpiredTokenException', 403),
  unnamed408: () => signatureError('Unknown', 408),
  /** The SDK's own, when the connection broke before any answer. */
  connectionReset: () =>
    Object.assign(new Error(message), { code: 'ECONNRESET', $metadata: { attempts: 1 } }),
};
