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

/**
 * Binds a caller's ClientToken to the offer that it first came with. Of both, only SHA-256 is kept.
 *
 * @returns false when the token came with another offer before.
 * @throws DependencyUnavailableException
 */
export async function bindClientToken(
  table: Table,
  session: SessionKey,
  { clientToken, signalRequest, nowMs }: { clientToken: string; signalRequest: string; nowMs: number },
): Promise<boolean> {
  const offerHash = sha256Hex(signalRequest);
  return putIf(
    table,
    {
      ...clientTokenKey(session, sha256Hex(clientToken)),
      offerHash,
      expiresAt: epochSeconds(nowMs + TOKEN_RETENTION_MS),
    },
    {
      ConditionExpression: 'attribute_not_exists(pk) OR offerHash = :offerHash',
      ExpressionAttributeValues: { ':offerHash': offerHash },
    },
  );
}
