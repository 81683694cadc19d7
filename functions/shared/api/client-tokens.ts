import type { SessionKey } from '../contracts/index.ts';
import { clientTokenKey } from '../contracts/table-keys.ts';
import { sha256Hex } from '../runtime/hash.ts';
import { epochSeconds, putIf, type Table } from '../runtime/table.ts';

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
  /** The IAM identity that signed. Without one the token is bound for everybody. */
  readonly caller?: string;
}

/** Enough of a hash to tell callers apart; it keeps the item within its bound. */
const CALLER_HASH_LENGTH = 16;

/**
 * Binds a caller's ClientToken to the offer that it first came with. Of all three, only SHA-256 is kept. What another
 * caller has bound binds this one to nothing: a token that somebody guesses must not lock its owner out for 25 h.
 *
 * @returns false when the same caller sent the token with another offer before.
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
          // An item of earlier code has no `boundBy` and binds everybody.
          ConditionExpression: `${isMine} OR (attribute_exists(boundBy) AND boundBy <> :boundBy)`,
          ExpressionAttributeValues: { ':offerHash': offerHash, ':boundBy': boundBy },
        },
  );
}

/** Returns the role of whoever has assumed one: a backend's machines have a session of it each, and repeat one another's requests. */
function roleOf(caller: string): string {
  return caller.replace(/^(arn:[^:]+:sts::\d+:assumed-role\/[^/]+)\/.*$/, '$1');
}
