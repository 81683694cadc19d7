import type { APIGatewayProxyResult } from 'aws-lambda';
import {
  ERROR_STATUSES,
  type ErrorType,
  REFUSAL_CODE_HEADER,
  REFUSALS,
  type RefusalCode,
} from '../contracts/index.ts';

/**
 * The caller's mistake: becomes a 400 with this message and code. Messages are the project's own words and name the
 * field; a value never goes into one.
 */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
  readonly code: Extract<RefusalCode, 'INVALID_REQUEST' | 'CLIENT_TOKEN_REUSED'>;

  constructor(message: string, code: InvalidRequestError['code'] = 'INVALID_REQUEST') {
    super(message);
    this.code = code;
  }
}

/** Answers, windows and admin shells are for the one who asked; nothing on the way may keep them. */
const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

export function okReply(body: object, headers: Readonly<Record<string, string>> = {}): APIGatewayProxyResult {
  return { statusCode: 200, headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
}

/** Returns the reply of a route that has nothing to say beyond that it is done. */
export function doneReply(): APIGatewayProxyResult {
  return { statusCode: 204, headers: HEADERS, body: '' };
}

export interface NamedReply {
  /** What it came to, for the log. */
  readonly result: string;
  readonly reply: APIGatewayProxyResult;
}

export interface ErrorReplyOptions {
  readonly retryAfterSeconds?: number;
  /** Further members of the body, beside the service's `Message`. */
  readonly members?: Readonly<Record<string, string>>;
}

/**
 * Returns an error in the service's shape (restJson1), so that its SDKs throw it by its name, with the code of the
 * refusal in a header of ours.
 */
export function errorReply(
  code: Exclude<RefusalCode, 'PASSED_THROUGH'>,
  message: string,
  options: ErrorReplyOptions = {},
): APIGatewayProxyResult {
  return replyOf(REFUSALS[code].type, code, message, options);
}

/** Returns the service's own refusal, by its type. */
export function passedThroughReply(
  type: ErrorType,
  message: string,
  options: ErrorReplyOptions = {},
): APIGatewayProxyResult {
  return replyOf(type, 'PASSED_THROUGH', message, options);
}

function replyOf(
  type: ErrorType,
  code: RefusalCode,
  message: string,
  { retryAfterSeconds, members = {} }: ErrorReplyOptions,
): APIGatewayProxyResult {
  return {
    statusCode: ERROR_STATUSES[type],
    headers: {
      ...HEADERS,
      'x-amzn-errortype': type,
      [REFUSAL_CODE_HEADER]: code,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ Message: message, ...members }),
  };
}

export function notFoundReply(): APIGatewayProxyResult {
  return errorReply('SESSION_NOT_FOUND', 'The stream group or the stream session does not exist.');
}

/**
 * Returns the reply for a permission that this service itself lacks. It has the status and type of the service's own
 * refusal, because no SDK and no proxy repeats a 403, while every one repeats a 500. The code tells it from the 403 of a
 * caller whose own permission is missing.
 */
export function serviceDeniedReply(): APIGatewayProxyResult {
  return errorReply(
    'SERVICE_ACCESS_DENIED',
    'This service lacks a permission at Amazon GameLift Streams. A repeat changes nothing until its operator has added it.',
  );
}

/** Long enough to spare the callers, short enough beside a window of 120 s. */
const SWITCHED_OFF_RETRY_SECONDS = 10;

/** What every route but the window's gets while an operator has the service refuse. */
export function switchedOffReply(): APIGatewayProxyResult {
  return errorReply('SWITCHED_OFF', 'The service is switched off for now. Ask again later.', {
    retryAfterSeconds: SWITCHED_OFF_RETRY_SECONDS,
  });
}
