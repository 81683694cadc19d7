import * as z from 'zod';
import { giveUpAfterSecondsSchema } from './fields.ts';

/** The longest offer the API takes, in bytes of UTF-8. A browser's is 5 to 15 KB; the service documents no limit. */
export const MAX_SIGNAL_REQUEST_BYTES = 65_536;

/** The body of POST …/connections, as `CreateStreamSessionConnection` of the service has it. */
export const createConnectionBodySchema = z
  .strictObject({
    SignalRequest: z
      .string()
      .min(1)
      // In characters, so a first sieve only; the bytes are counted after it.
      .max(MAX_SIGNAL_REQUEST_BYTES)
      .describe(
        'A fresh WebRTC offer: JSON text with type "offer" and an SDP offer in sdp, 65,536 bytes at most',
      ),
    ClientToken: z
      .string()
      .regex(/^[\x21-\x7E]{32,128}$/)
      .nullish()
      .describe('32 to 128 visible ASCII characters; the same for every repeat of one request. null is none'),
  })
  .meta({ title: 'CreateStreamSessionConnection, request body' });

/** The body of POST …/leaving: a page that may be going away, as a browser's beacon can say it through the backend. */
export const leavingBodySchema = z
  .strictObject({
    clientToken: z
      .string()
      .regex(/^[\x21-\x7E]{32,128}$/)
      .describe('The ClientToken of the connection that is going away'),
    withinSeconds: giveUpAfterSecondsSchema.describe(
      "How long its player may take to come back, in seconds: 5 to the session's own ConnectionTimeoutSeconds",
    ),
  })
  .meta({ title: 'Leaving, request body' });

/**
 * What an offer must be inside its text. Further members (webSdkVersion, extras, …) are the Web SDK's own. The sdp has
 * what every WebRTC offer has, at session or media level (RFC 8829, sections 5.2.1 and 5.8.2): the service ends a
 * waiting session in ERROR for an offer that it cannot read.
 */
export const offerSchema = z.looseObject({
  type: z.literal('offer'),
  sdp: z
    .string()
    .min(1)
    .regex(/^v=0\r?\n/)
    .regex(/\nm=\S/)
    .regex(/\na=ice-ufrag:\S/)
    .regex(/\na=fingerprint:\S/),
});
