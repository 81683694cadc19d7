/**
 * Whose session is it? IAM lets a backend ask for any session of the API, so a backend that is told the session by
 * its player may have the session's own UserId compared with the player's. The check comes before the line: the place
 * belongs to the latest offer, and a stranger's offer must not take it. What a read has found is remembered for a minute,
 * so that strangers do not use up the reads that the session's own user needs.
 */
import type { GetStreamSessionCommandOutput } from '@aws-sdk/client-gameliftstreams';
import type { RequestOrigin } from '../shared/api/origin.ts';
import { ownerHashOf, readOwner, rememberOwner } from '../shared/api/owners.ts';
import { passThrough } from '../shared/api/pass-through.ts';
import { errorReply, InvalidRequestError } from '../shared/api/replies.ts';
import type { SessionKey } from '../shared/contracts/index.ts';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import { isKnownError } from '../shared/runtime/errors.ts';
import { callService, type ServiceDependencies } from '../shared/service/call-service.ts';
import { getStreamSession } from '../shared/service/operations.ts';
import { isOpen, readWindow } from '../shared/window/window-item.ts';
import { type Answer, answerOfFailure, notFoundReply } from './answer.ts';

export interface CheckUserIdDependencies extends ServiceDependencies {
  readonly settings: QuotaSettings<'GetStreamSession'>;
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
 *
 * Why: docs/decisions/connections.md#the-user-of-a-session-is-checked-before-the-line
 *
 * @returns the answer for a caller who may not go on: the session is another user's, or nobody's, or not known.
 * @throws DependencyUnavailableException, UnexpectedError
 */
export async function refuseStranger(
  session: SessionKey,
  userId: string,
  dependencies: CheckUserIdDependencies,
): Promise<Answer | undefined> {
  const { table, clock } = dependencies;
  const [remembered, window] = await Promise.all([
    readOwner(table, session, clock.nowMs()),
    readWindow(table, session),
  ]);
  const isKnown = window !== undefined && isOpen(window);
  // The service knows every session with an open window, whatever it said seconds ago.
  const isEnough = remembered !== undefined && (remembered.ownerHash !== undefined || !isKnown);
  try {
    const owner = isEnough ? remembered : await readFromService(session, isKnown, dependencies);
    if (owner.ownerHash === undefined) return NOT_FOUND;
    return owner.ownerHash === ownerHashOf(session, userId) ? undefined : NOT_THE_USERS_SESSION;
  } catch (error) {
    if (!(error instanceof Error) || !isKnownError(error) || !ANSWERED.has(error.name)) throw error;
    return answerOfFailure(error.name);
  }
}

/** Reads of sessions that only the caller knows leave a part of the quota to those with an open window. */
async function readFromService(
  session: SessionKey,
  isKnown: boolean,
  dependencies: CheckUserIdDependencies,
): Promise<{ readonly ownerHash: string | undefined }> {
  const { table, clock, log } = dependencies;
  const read = await callService(
    getStreamSession(session),
    {
      deadlineMs: clock.nowMs() + READ_TIME_MS,
      priority: isKnown ? 'NORMAL' : 'LOW',
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
): Promise<Answer | undefined> {
  const read = await passThrough(getStreamSession(session), dependencies);
  return read.ok ? judge(read.reply, userId) : { result: read.error, reply: read.reply };
}

/** What becomes the reply that the same error of the call would get. */
const ANSWERED: ReadonlySet<string> = new Set([
  'ServiceAccessDeniedException',
  'ThrottlingException',
  'PermitNotAvailableException',
  'InternalServerException',
]);

const NOT_FOUND: Answer = { result: 'NOT_FOUND', reply: notFoundReply() };

const NOT_THE_USERS_SESSION: Answer = {
  result: 'NOT_THE_USERS_SESSION',
  reply: errorReply('NOT_THE_USERS_SESSION', 'The stream session does not belong to the user in x-user-id.'),
};

/** A session that was started without a UserId is nobody's: the check would be worth nothing if it were anybody's. */
function judge(
  { UserId: owner }: Pick<GetStreamSessionCommandOutput, 'UserId'>,
  userId: string,
): Answer | undefined {
  return owner === userId ? undefined : NOT_THE_USERS_SESSION;
}
