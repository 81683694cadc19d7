import type { LoopbackReply } from '../shared/loopback-server.ts';

/**
 * API Gateway's own errors, in the shape of the service that the API stands in front of (restJson1): what
 * `resources/api.yml` makes of them in a deployment, by API Gateway's names of its responses.
 */
export const GATEWAY_ERRORS = {
  /** A path that is not well-formed percent-encoding, for one. */
  DEFAULT_4XX: error(400, 'ValidationException', 'The request is not valid.'),
  /** API Gateway has one answer for a request without a signature and for one that no route has. */
  MISSING_AUTHENTICATION_TOKEN: error(
    403,
    'AccessDeniedException',
    'The request is not signed, or the API has no route with this method and path.',
  ),
  REQUEST_TOO_LARGE: error(413, 'ValidationException', 'The request body is too large.'),
  /** The function failed, or gave no proxy reply. */
  DEFAULT_5XX: error(502, 'InternalServerException', 'The request could not be handled. Try again.', 1),
  INTEGRATION_TIMEOUT: error(
    504,
    'InternalServerException',
    "The route's function did not answer within 29 s.",
    1,
  ),
} as const;

function error(status: number, type: string, message: string, retryAfterSeconds?: number): LoopbackReply {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-errortype': type,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ Message: message }),
  };
}
