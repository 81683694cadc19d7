import { InvalidRequestError } from '../shared/api/replies.ts';
import {
  createConnectionBodySchema,
  MAX_SIGNAL_REQUEST_BYTES,
  offerSchema,
  type SessionKey,
} from '../shared/contracts/index.ts';
import { clientTokenKey } from '../shared/contracts/table-keys.ts';
import { epochSeconds, putIf, type Table } from '../shared/runtime/table.ts';
import { parseJson, sha256Hex } from '../shared/runtime/text.ts';

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

/** A session lives 24 h at most, and so does the use of its tokens. */
const TOKEN_RETENTION_MS = 25 * 3600 * 1000;

/**
 * The ClientToken of a request whose caller gave none: the same for every repeat of the same offer for the
 * same session, 64 characters of the 32 to 128 that the service takes. The SDK's own token is new at every
 * `send`, so that a retry would be a second request.
 *
 * Why: docs/decisions/windows.md#ids-not-arns-name-a-session-inside-the-service
 */
export function deterministicClientToken(session: SessionKey, signalRequest: string): string {
  return sha256Hex(JSON.stringify([session.streamGroupId, session.streamSessionId, signalRequest]));
}

export interface TokenBinding {
  readonly clientToken: string;
  readonly signalRequest: string;
  readonly nowMs: number;
  /** The IAM identity that signed. Without one the token is bound for all callers. */
  readonly caller?: string;
}

/** Enough of a hash to tell callers apart; it keeps the item within its bound. */
const CALLER_HASH_LENGTH = 16;

/**
 * Binds a caller's ClientToken to the offer that it first came with. Only SHA-256 of caller, token and offer is kept. Another
 * caller's binding does not bind this caller: a guess of the token must not lock its owner out for 25 h. Only the latest
 * binding is kept, so a caller may bind a token anew after another caller has used it, which can harm only its own
 * player.
 *
 * @returns false when the token is bound to another offer of the same caller.
 * @throws DependencyUnavailableException
 */
export async function bindClientToken(
  table: Table,
  session: SessionKey,
  { clientToken, signalRequest, nowMs, caller }: TokenBinding,
): Promise<boolean> {
  const offerHash = sha256Hex(signalRequest);
  const boundBy = caller === undefined ? undefined : sha256Hex(roleOf(caller)).slice(0, CALLER_HASH_LENGTH);
  const isMine = 'attribute_not_exists(pk) OR offerHash = :offerHash';
  return putIf(
    table,
    {
      ...clientTokenKey(session, sha256Hex(clientToken)),
      offerHash,
      boundBy,
      expiresAt: epochSeconds(nowMs + TOKEN_RETENTION_MS),
    },
    boundBy === undefined
      ? { ConditionExpression: isMine, ExpressionAttributeValues: { ':offerHash': offerHash } }
      : {
          // An item of earlier code has no `boundBy` and binds all callers.
          ConditionExpression: `${isMine} OR (attribute_exists(boundBy) AND boundBy <> :boundBy)`,
          ExpressionAttributeValues: { ':offerHash': offerHash, ':boundBy': boundBy },
        },
  );
}

/** Returns the role of a caller that has assumed one: each machine of a backend has its own session, and machines repeat one another's requests. */
function roleOf(caller: string): string {
  return caller.replace(/^(arn:[^:]+:sts::\d+:assumed-role\/[^/]+)\/.*$/, '$1');
}
