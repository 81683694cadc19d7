import type { SessionKey } from '../contracts/index.ts';
import { clientTokenKey } from '../contracts/table-keys.ts';
import { sha256Hex } from '../runtime/hash.ts';
import { epochSeconds, putIf, type Table } from '../runtime/table.ts';

/** A session lives 24 h at most, and so does the use of its tokens. */
const TOKEN_RETENTION_MS = 25 * 3600 * 1000;

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
