import type { LoopbackReply } from 'local-server-kit';

export interface GatewayResponse {
  readonly status: number;
  /** What API Gateway calls the error itself, in an `x-amzn-ErrorType` of its own. */
  readonly ownErrorType: string;
  /** The headers that the deployment maps (`ResponseParameters`). */
  readonly mappedHeaders: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * API Gateway's own errors as `resources/api.yml` customizes them: in the shape of the service that the API
 * stands in front of (restJson1), by API Gateway's names of its gateway responses.
 *
 * The types of its own are from AWS-validated tests of LocalStack (services/apigateway, gateway_response.py).
 */
export const GATEWAY_RESPONSES = {
  /** A path that is not well-formed percent-encoding, for one. */
  DEFAULT_4XX: response(
    400,
    'BadRequestException',
    'ValidationException',
    'INVALID_REQUEST',
    'The request is not valid.',
  ),
  /** API Gateway has one answer for a request without a signature and for one that no route has. */
  MISSING_AUTHENTICATION_TOKEN: response(
    403,
    'MissingAuthenticationTokenException',
    'AccessDeniedException',
    'NOT_SIGNED',
    'The request is not signed, or the API has no route with this method and path.',
  ),
  /** The function failed, gave no proxy reply, or could not be invoked. */
  DEFAULT_5XX: response(
    502,
    'InternalServerErrorException',
    'InternalServerException',
    'REQUEST_FAILED',
    'The request could not be handled. Try again.',
    1,
  ),
  INTEGRATION_TIMEOUT: response(
    504,
    'InternalServerErrorException',
    'InternalServerException',
    'TIMED_OUT',
    "The route's function did not answer within 29 s.",
    1,
  ),
} as const;

/**
 * The reply for a gateway response. A mapped header does not replace the one that API Gateway sends itself, so
 * there are two `x-amzn-errortype`: botocore joins them to one name that it does not know, the SDK for
 * JavaScript takes the first.
 *
 * @param status of this error, where the gateway response has none of its own
 */
export function gatewayReply(
  { status, ownErrorType, mappedHeaders, body }: GatewayResponse,
  statusOfError = status,
): LoopbackReply {
  const mappedType = mappedHeaders['x-amzn-errortype'];
  return {
    status: statusOfError,
    headers: {
      'content-type': 'application/json',
      ...mappedHeaders,
      'x-amzn-errortype': mappedType === undefined ? ownErrorType : [mappedType, ownErrorType],
    },
    body,
  };
}

/**
 * The two answers to a request that is too large. A deployment cannot change either: "Customizing the default
 * gateway response for 413 REQUEST_TOO_LARGE isn't currently supported" (developer guide, Important notes).
 * Both are as captured in koki-develop/lgtm-generator#10.
 */
export const TOO_LARGE_FOR_LAMBDA: LoopbackReply = {
  status: 413,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'BadRequestException' },
  body: '{"message": "Request Too Long"}',
};
export const TOO_LARGE_FOR_GATEWAY = {
  headers: { 'content-type': 'text; charset=utf-8' },
  body: 'HTTP content length exceeded 10485760 bytes.',
} as const satisfies Partial<LoopbackReply>;

function response(
  status: number,
  ownErrorType: string,
  errorType: string,
  code: string,
  message: string,
  retryAfterSeconds?: number,
): GatewayResponse {
  return {
    status,
    ownErrorType,
    mappedHeaders: {
      'x-amzn-errortype': errorType,
      'x-reconnection-code': code,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ Message: message }),
  };
}
