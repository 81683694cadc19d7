import { isObject, type LoopbackReply } from 'local-server-kit';
import { type ServiceError, serialization } from './service-error.ts';

/** The body's members, or none when there is no body, as restJson1 reads it. */
export function readMembers(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  const value = parseJson(body.toString('utf8'));
  if (!isObject(value)) throw serialization('The request body is not a JSON object.');
  // A null member is an absent one in restJson1.
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

/** restJson1 writes a timestamp as epoch seconds, with decimals for the milliseconds where there are any. */
export function toTimestamp(epochMs: number, unit: 'millisecond' | 'second'): number {
  return unit === 'second' ? Math.floor(epochMs / 1000) : epochMs / 1000;
}

export function successReply(httpStatus: number, requestId: string, body?: object): LoopbackReply {
  return {
    status: httpStatus,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

export function errorReply(error: ServiceError, requestId: string): LoopbackReply {
  return {
    status: error.httpStatus,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': error.errorType,
    },
    body: JSON.stringify({ Message: error.message }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: its message quotes the body, which holds an offer.
    throw serialization('The request body is not valid JSON.');
  }
}
