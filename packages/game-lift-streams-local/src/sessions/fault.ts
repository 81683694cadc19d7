import { z } from 'zod';
import { OPERATION_NAMES } from '../protocol/routes.ts';
import { durationMs } from './settings.ts';

const anyFault = {
  operation: z.enum(OPERATION_NAMES),
  /** The default is 1, and every call for a fault that has a time to end. */
  calls: z.int().min(1).max(1_000_000).optional(),
  /** No call meets the fault from this time on. */
  untilMs: z.int().min(0).optional(),
  /** Only calls for this session count and fail. */
  streamSessionId: z.string().min(1).optional(),
};
export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...anyFault,
    kind: z.enum([
      'accessDenied',
      'conflict',
      'internalServer',
      /** 403: the signature has been made by a clock that is wrong. */
      'invalidSignature',
      /** Nothing happens, and no reply comes until the caller gives up. */
      'noReply',
      /** The effect happens, the connection is cut before the reply. */
      'lostReply',
      /** 400: the request's date is more than 15 minutes old. */
      'requestExpired',
      /** 408: the service has waited for the request in vain. */
      'requestTimeout',
      'resourceNotFound',
      'throttling',
      /** An untyped 503 with an empty body, as a proxy answers. */
      'unavailable',
      'validation',
    ]),
  }),
  z.strictObject({
    ...anyFault,
    kind: z.literal('latency'),
    latencyMs: durationMs,
    /** Before anything happens, or between the effect and the reply. */
    at: z.enum(['request', 'reply']).default('request'),
  }),
  z.strictObject({
    ...anyFault,
    operation: z.literal('CreateStreamSessionConnection'),
    kind: z.literal('badAnswer'),
    answer: z.enum(['missing', 'notJson', 'withoutWebSdkProtocolUrl']),
  }),
]);
export type Fault = z.output<typeof faultSchema>;
export type NewFault = z.input<typeof faultSchema>;
