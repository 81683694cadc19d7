import type { APIGatewayProxyResult } from 'aws-lambda';

/** Error types of the service's own API, as its SDKs know them. */
export type ErrorType =
  | 'ValidationException'
  | 'ResourceNotFoundException'
  | 'ConflictException'
  | 'StreamSessionAccessNotReadyException'
  | 'ThrottlingException'
  | 'InternalServerException';

const STATUS: Readonly<Record<ErrorType, number>> = {
  ValidationException: 400,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  StreamSessionAccessNotReadyException: 409,
  ThrottlingException: 429,
  InternalServerException: 500,
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
