/**
 * Whose session it is, for a minute: one item with the SHA-256 of the session's UserId, never the id itself. A session's
 * user never changes, so a caller who asks again and again for another user's session costs no read after the first.
 */
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { SessionKey } from '../contracts/index.ts';
import { ownerKey } from '../contracts/table-keys.ts';
import { NOT_FOUND_MS } from '../quota/places.ts';
import { sha256Hex } from '../runtime/hash.ts';
import { callDependency } from '../runtime/service-fault.ts';
import { epochSeconds, readItem, type Table, wholeNumberSchema } from '../runtime/table.ts';

const OWNER_MS = 60_000;

const ownerSchema = z.object({
  /** Absent for a session that the service does not know. */
  ownerHash: z.string().optional(),
  readAtMs: wholeNumberSchema,
});

/** Says nothing about the user, and is another one for each session. Undefined is a session without a user. */
export function ownerHashOf(
  { streamGroupId, streamSessionId }: SessionKey,
  userId: string | undefined,
): string {
  return sha256Hex(JSON.stringify([streamGroupId, streamSessionId, userId ?? null]));
}

/**
 * @returns what a read within the last minute has found; of a session that the service did not know, within the last
 *   seconds. Undefined when there was no such read.
 * @throws DependencyUnavailableException
 */
export async function readOwner(
  table: Table,
  session: SessionKey,
  nowMs: number,
): Promise<{ readonly ownerHash: string | undefined } | undefined> {
  const owner = ownerSchema.safeParse(await readItem(table, ownerKey(session), { consistent: false }));
  if (!owner.success) return undefined;
  const { ownerHash, readAtMs } = owner.data;
  const forMs = ownerHash === undefined ? NOT_FOUND_MS : OWNER_MS;
  // A clock may be ahead or set back; either way it is not remembered for longer.
  return Math.abs(nowMs - readAtMs) < forMs ? { ownerHash } : undefined;
}

/** @throws DependencyUnavailableException */
export async function rememberOwner(
  table: Table,
  session: SessionKey,
  ownerHash: string | undefined,
  nowMs: number,
): Promise<void> {
  await callDependency(() =>
    table.documents.send(
      new PutCommand({
        TableName: table.name,
        Item: {
          ...ownerKey(session),
          ...(ownerHash === undefined ? {} : { ownerHash }),
          readAtMs: nowMs,
          expiresAt: epochSeconds(nowMs + OWNER_MS),
        },
      }),
    ),
  );
}
