import { InvalidRequestError } from '../shared/api/replies.ts';
import {
  createConnectionBodySchema,
  MAX_SIGNAL_REQUEST_BYTES,
  offerSchema,
} from '../shared/contracts/index.ts';
import { parseJson } from '../shared/runtime/text.ts';

export interface ConnectionBody {
  readonly signalRequest: string;
  readonly clientToken: string | undefined;
}

/**
 * Reads the body of a reconnection request. It is strict, because the service's SDK checks nothing and a malformed
 * offer can end the waiting session (StatusReason invalidSignalRequest).
 *
 * @throws InvalidRequestError naming the field.
 */
export function parseConnectionBody(text: string): ConnectionBody {
  const body = createConnectionBodySchema.safeParse(parseJson(text));
  if (!body.success) {
    const issue = body.error.issues[0];
    throw new InvalidRequestError(
      issue?.code === 'unrecognized_keys'
        ? 'The body may have the members SignalRequest and ClientToken only.'
        : (PROBLEMS[String(issue?.path[0])] ??
            'The body must be a JSON object with the member SignalRequest.'),
    );
  }
  const { SignalRequest: signalRequest, ClientToken: clientToken } = body.data;
  if (Buffer.byteLength(signalRequest, 'utf8') > MAX_SIGNAL_REQUEST_BYTES) {
    throw new InvalidRequestError(`SignalRequest must be ${MAX_SIGNAL_REQUEST_BYTES} bytes at most.`);
  }
  const offer = offerSchema.safeParse(parseJson(signalRequest));
  if (!offer.success) {
    const isSdpProblem = offer.error.issues[0]?.code === 'invalid_format';
    throw new InvalidRequestError(isSdpProblem ? NO_SDP_OFFER : NO_OFFER);
  }
  return { signalRequest, clientToken: clientToken ?? undefined };
}

const NO_OFFER =
  'SignalRequest must be JSON text with type "offer" and a string sdp, as generateSignalRequest() makes it.';
const NO_SDP_OFFER =
  'SignalRequest must have an sdp that begins with v=0 and has an m= line, a=ice-ufrag and a=fingerprint.';

const PROBLEMS: Readonly<Record<string, string>> = {
  SignalRequest: `SignalRequest must be a string of 1 to ${MAX_SIGNAL_REQUEST_BYTES} bytes.`,
  ClientToken: 'ClientToken must be 32 to 128 visible ASCII characters.',
};
