/**
 * Checks whose session it is. IAM lets a backend ask for any session of the API, so a backend that gets the session's id from
 * its player may have the session's own UserId compared with the player's. The check comes before the line: the place
 * belongs to the latest offer, and a stranger's offer must not take it. What a read has found is remembered for a minute,
 * so that strangers do not use up the reads that the session's own user needs.
 */

import type { GetStreamSessionCommandOutput } from '@aws-sdk/client-gameliftstreams';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { SessionKey } from '../contracts/index.ts';
import type { QuotaSettings } from '../contracts/quotas.ts';
import { ownerKey } from '../contracts/table-keys.ts';
import { NOT_FOUND_MS } from '../quota/places.ts';
import { PermitNotAvailableException } from '../runtime/errors.ts';
import { callDependency } from '../runtime/service-fault.ts';
import { epochSeconds, readItem, type Table, wholeNumberSchema } from '../runtime/table.ts';
import { sha256Hex } from '../runtime/text.ts';
import { type CallTerms, callService } from '../service/call-service.ts';
import type { ListSessionsDependencies } from '../service/list-sessions.ts';
import { getStreamSession } from '../service/operations.ts';
import { isOpen, readWindow } from '../window/window-item.ts';
import { findWaiting } from './find-waiting.ts';
import { passThrough } from './pass-through.ts';
import { errorReply, InvalidRequestError, type NamedReply, notFoundReply } from './replies.ts';
import type { RequestOrigin } from './request.ts';

export interface CheckUserIdDependencies extends ListSessionsDependencies {
  readonly settings: ListSessionsDependencies['settings'] & QuotaSettings<'GetStreamSession'>;
}

const HEADER = 'x-user-id';
/** The service's own limits for a UserId; an empty one would be equal to nobody's. */
const USER_ID = /^[-_a-zA-Z0-9/=+]{1,1024}$/;
/** A permit (3 s) and a read (5 s); the turn and the call still have to fit in. */
const READ_TIME_MS = 8000;

/** @throws InvalidRequestError when the header is not there, or not once. */
export function userIdOf({ headers }: Pick<RequestOrigin, 'headers'>): string {
  const [userId = '', ...more] = headers.get(HEADER) ?? [];
  if (more.length > 0 || !USER_ID.test(userId)) {
    throw new InvalidRequestError(
      `The header ${HEADER} must be there once, with 1 to 1024 letters, digits and -_/=+.`,
    );
  }
  return userId;
}

/**
 * Compares the session's own UserId with the caller's.
 *
 * Why: docs/decisions/connections.md#the-user-of-a-session-is-checked-before-the-line
 *
 * @returns the refusal of a caller who may not go on: the session belongs to another user, to none, or is not known.
 * @throws DependencyUnavailableException and what `callService` throws.
 */
export async function refuseStranger(
  session: SessionKey,
  userId: string,
  dependencies: CheckUserIdDependencies,
): Promise<NamedReply | undefined> {
  const { table, clock } = dependencies;
  const [remembered, window] = await Promise.all([
    readOwner(table, session, clock.nowMs()),
    readWindow(table, session),
  ]);
  // Anybody who may report a loss can open a window, so the service itself must have been seen waiting.
  const isConfirmed = window !== undefined && isOpen(window) && window.seenWaitingAtMs !== undefined;
  // The service knew every session that it was waiting for, whatever it said seconds ago.
  const isEnough = remembered !== undefined && (remembered.ownerHash !== undefined || !isConfirmed);
  const owner = isEnough ? remembered : await readOwnerFromService(session, isConfirmed, dependencies);
  if (owner.ownerHash === undefined) return NOT_FOUND;
  return owner.ownerHash === ownerHashOf(session, userId) ? undefined : NOT_THE_USERS_SESSION;
}

interface Owner {
  readonly ownerHash: string | undefined;
}

/**
 * Reads leave a part of the quota to sessions that the service is known to wait for. When that part is not enough for all who
 * ask, one list says which sessions the service waits for, and the others are asked to come back.
 */
async function readOwnerFromService(
  session: SessionKey,
  isConfirmed: boolean,
  dependencies: CheckUserIdDependencies,
): Promise<Owner> {
  if (isConfirmed) return await readFromService(session, {}, dependencies);
  try {
    const atOnce = { priority: 'LOW', permitByMs: dependencies.clock.nowMs() } as const;
    return await readFromService(session, atOnce, dependencies);
  } catch (error) {
    if (!(error instanceof PermitNotAvailableException)) throw error;
    const { isListed, listed } = await findWaiting(session, dependencies);
    // Without a complete list it may be one of those that wait.
    if (!isListed && listed !== undefined) throw error;
    return await readFromService(session, isListed ? {} : { priority: 'LOW' }, dependencies);
  }
}

async function readFromService(
  session: SessionKey,
  permit: Pick<CallTerms, 'priority' | 'permitByMs'>,
  dependencies: CheckUserIdDependencies,
): Promise<Owner> {
  const { table, clock, log } = dependencies;
  const read = await callService(
    getStreamSession(session),
    {
      deadlineMs: clock.nowMs() + READ_TIME_MS,
      ...permit,
    },
    dependencies,
  );
  const ownerHash = read.ok ? ownerHashOf(session, read.reply.UserId) : undefined;
  try {
    await rememberOwner(table, session, ownerHash, clock.nowMs());
  } catch (error) {
    log.error('OwnerNotKept', error);
  }
  return { ownerHash };
}

/** The same past the quota's permits, for when the service is passed through: the check is no machinery. */
export async function refuseStrangerDirectly(
  session: SessionKey,
  userId: string,
  dependencies: CheckUserIdDependencies,
): Promise<NamedReply | undefined> {
  const read = await passThrough(getStreamSession(session), dependencies);
  return read.ok ? judge(read.reply, userId) : { result: read.error, reply: read.reply };
}

const NOT_FOUND: NamedReply = { result: 'NOT_FOUND', reply: notFoundReply() };

const NOT_THE_USERS_SESSION: NamedReply = {
  result: 'NOT_THE_USERS_SESSION',
  reply: errorReply('NOT_THE_USERS_SESSION', 'The stream session does not belong to the user in x-user-id.'),
};

/** A session that was started without a UserId is refused to every user; else the check would be worth nothing. */
function judge(
  { UserId: owner }: Pick<GetStreamSessionCommandOutput, 'UserId'>,
  userId: string,
): NamedReply | undefined {
  return owner === userId ? undefined : NOT_THE_USERS_SESSION;
}

/**
 * Whose session it is, for a minute: one item with the SHA-256 of the session's UserId, never the id itself. A session's
 * user never changes, so a caller who asks again and again for another user's session costs no read after the first.
 */

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
