import type { APIGatewayProxyResult } from 'aws-lambda';

/** Error types of the service's own API, as its SDKs know them. */
export type ErrorType =
  | 'ValidationException'
  | 'ResourceNotFoundException'
  | 'ConflictException'
  | 'StreamSessionAccessNotReadyException'
  | 'ThrottlingException'
  | 'AccessDeniedException'
  | 'InternalServerException'
  /** Of AWS's common errors, not in the service's model: an SDK throws it by this name all the same. */
  | 'ServiceUnavailableException';

const STATUS: Readonly<Record<ErrorType, number>> = {
  ValidationException: 400,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  StreamSessionAccessNotReadyException: 409,
  ThrottlingException: 429,
  AccessDeniedException: 403,
  InternalServerException: 500,
  ServiceUnavailableException: 503,
};

/** Answers, windows and admin shells are for the one who asked; nothing on the way may keep them. */
const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

export function okReply(body: object, headers: Readonly<Record<string, string>> = {}): APIGatewayProxyResult {
  return { statusCode: 200, headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
}

export interface ErrorReplyOptions {
  readonly retryAfterSeconds?: number;
  /** Further members of the body, beside the service's `Message`. */
  readonly members?: Readonly<Record<string, string>>;
}

/** An error in the service's shape (restJson1), so that its SDKs throw it by its name. */
export function errorReply(
  type: ErrorType,
  message: string,
  { retryAfterSeconds, members = {} }: ErrorReplyOptions = {},
): APIGatewayProxyResult {
  return {
    statusCode: STATUS[type],
    headers: {
      ...HEADERS,
      'x-amzn-errortype': type,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ Message: message, ...members }),
  };
}

/** Long enough to spare the callers, short enough beside a window of 120 s. */
const SWITCHED_OFF_RETRY_SECONDS = 10;

/** What every POST gets while an operator has the service refuse. */
export function switchedOffReply(): APIGatewayProxyResult {
  return errorReply('ServiceUnavailableException', 'The service is switched off for now. Ask again later.', {
    retryAfterSeconds: SWITCHED_OFF_RETRY_SECONDS,
  });
}
