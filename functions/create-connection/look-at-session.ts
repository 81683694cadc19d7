/**
 * What a session's status means for a request that the service has refused, or would refuse: it explains neither a 409
 * nor a 400. CONNECTED is the ambiguous one. The service may not have noticed yet that its client is gone.
 */

import type { SessionKey } from '../shared/contracts/index.ts';
import type { ConnectionOutput } from '../shared/contracts/machine-outputs.ts';
import { type Place, writeLossRefusal } from '../shared/quota/places.ts';
import {
  ConflictException,
  DependencyUnavailableException,
  InternalServerException,
  PermitNotAvailableException,
  SessionAnsweredException,
  ThrottlingException,
} from '../shared/runtime/errors.ts';
import type { ServiceDependencies } from '../shared/service/call-service.ts';
import { readSession } from '../shared/service/read-session.ts';
import { causeOf } from '../shared/window/cause.ts';
import { CLOCK_SKEW_MS, LOSS_NOTICE_MS } from '../shared/window/deadline.ts';
import { isOpen, readWindow } from '../shared/window/window-item.ts';

export interface LookDependencies extends ServiceDependencies {
  readonly settings: { readonly READS_PER_SECOND: number };
}

/** A refusal that the same offer cannot change. */
export type Refusal = Exclude<ConnectionOutput, { result: 'CONNECTION_CREATED' | 'SUPERSEDED' }>;

export interface LookRequest {
  readonly session: SessionKey;
  readonly place: Place | undefined;
  /** Epoch ms by which the read must be here. */
  readonly deadlineMs: number;
}

/** How old the noted refusal may get before a look notes a newer one. An old refusal means that the player has stopped asking. */
const REFUSAL_RESOLUTION_MS = 10_000;

/**
 * Explains a refusal of the service by one read.
 *
 * Why: docs/decisions/connections.md#what-a-409-or-a-400-means-is-decided-by-the-sessions-status
 *
 * @throws ConflictException, SessionAnsweredException when the same call may succeed later.
 * @throws what `callService` throws when the read fails: the read is to be repeated, not the call.
 */
export async function explainRefusal(
  fault: 'CONFLICT' | 'INVALID',
  { session, place, deadlineMs }: LookRequest,
  dependencies: LookDependencies,
): Promise<Refusal> {
  const { status, statusReason } = await readSession(session, dependencies, deadlineMs);
  switch (status) {
    case 'PENDING_CLIENT_RECONNECTION':
      if (fault === 'INVALID') return { result: 'OFFER_REJECTED' };
      throw new ConflictException();
    case 'ACTIVE':
      if (fault === 'INVALID') return { result: 'OFFER_REJECTED' };
      throw new SessionAnsweredException();
    case 'RECONNECTING':
      throw new ConflictException();
    case 'CONNECTED':
      return connected(session, place, 'CALL', dependencies);
    case 'NOT_FOUND':
      // The 409 came from a service that knew the session. Only the call's own 404 is final for the player.
      if (fault === 'CONFLICT') throw new ConflictException();
      return refusalOf(status, statusReason);
    default:
      return refusalOf(status, statusReason);
  }
}

/**
 * Looks whether the session waits for a client by now: by what its window knows, else with a read of the service that
 * nobody else wants. In a storm hardly any read is to spare, and the watcher's lists tell of a hundred sessions for one.
 *
 * Why: docs/decisions/connections.md#a-loss-that-the-service-has-not-noticed-holds-the-request-not-the-call
 *
 * @returns undefined when it does, so that the call can be made; and when the read knows no such session, because only the
 *   call's own 404 is final for the player.
 * @throws what `callService` throws when the read fails; not for want of a permit.
 * @throws DependencyUnavailableException
 */
export async function lookAgain(
  { session, place, deadlineMs }: LookRequest,
  dependencies: LookDependencies,
): Promise<Refusal | undefined> {
  if (await isSeenWaiting(session, place, dependencies)) return undefined;
  try {
    const { status, statusReason } = await readSession(session, dependencies, deadlineMs, 'SPARE');
    switch (status) {
      case 'PENDING_CLIENT_RECONNECTION':
      case 'ACTIVE':
      case 'NOT_FOUND':
        return undefined;
      case 'CONNECTED':
        return await connected(session, place, 'LOOK', dependencies);
      case 'RECONNECTING':
        // Another offer is on its way to an answer: the session waits again when that has failed.
        return { result: 'LOSS_NOT_NOTICED', canWait: true };
      default:
        return refusalOf(status, statusReason);
    }
  } catch (error) {
    const isQuota = error instanceof PermitNotAvailableException || error instanceof ThrottlingException;
    if (isQuota) return { result: 'LOSS_NOT_NOTICED', canWait: false };
    throw error;
  }
}

/**
 * Looks at a session whose window is past its deadline. It has most likely ended, and then a call would be in vain; but the
 * service keeps it for longer when it noticed the loss late.
 *
 * Why: docs/decisions/connections.md#a-look-comes-before-the-call-for-a-session-past-its-windows-deadline
 *
 * @returns undefined when the session waits for a client, and when only the call can tell: the read fails, or no read is to
 *   spare a minute after the deadline.
 */
export async function lookPastDeadline(
  request: LookRequest,
  dependencies: LookDependencies,
): Promise<Refusal | undefined> {
  try {
    const seen = await lookAgain(request, dependencies);
    const isUnread = seen?.result === 'LOSS_NOT_NOTICED' && !seen.canWait;
    // By then the service has noticed every loss, so a session that it still keeps has another deadline than was thought.
    const isLongOver = dependencies.clock.nowMs() - (request.place?.windowEndedAtMs ?? 0) >= LOSS_NOTICE_MS;
    return isUnread && isLongOver ? undefined : seen;
  } catch (error) {
    if (!isFailureOfRead(error)) throw error;
    return undefined;
  }
}

export function isFailureOfRead(error: unknown): boolean {
  return [
    PermitNotAvailableException,
    ThrottlingException,
    InternalServerException,
    DependencyUnavailableException,
  ].some((failure) => error instanceof failure);
}

/**
 * Returns whether the session's open window has seen the service wait for a client since the service was last seen not to.
 * A time in the future was written by a clock that was ahead, and tells nothing.
 */
async function isSeenWaiting(
  session: SessionKey,
  place: Place | undefined,
  { table, clock }: LookDependencies,
): Promise<boolean> {
  const { lastRefusedAtMs } = place ?? {};
  if (lastRefusedAtMs === undefined) return false;
  const window = await readWindow(table, session);
  if (window?.seenWaitingAtMs === undefined || !isOpen(window)) return false;
  const isFromTheFuture = window.seenWaitingAtMs > clock.nowMs() + CLOCK_SKEW_MS;
  return !isFromTheFuture && window.seenWaitingAtMs > lastRefusedAtMs;
}

/** Whether the session's player asks again after a refusal of this kind, so that a look comes before the call. */
export function isRefusedBefore(place: Place | undefined, nowMs: number): boolean {
  return spellOf(place, nowMs) !== undefined;
}

/**
 * Returns when the present spell of asking began, in epoch ms; undefined when there is none. A spell is one loss that its
 * player asks about. It ends with an answer (which removes it from the place), or when no request comes for as long as
 * the service may take to notice. Times in the future were written by a clock that was ahead: the spell begins anew,
 * because otherwise it would last until this clock has caught up.
 */
function spellOf(place: Place | undefined, nowMs: number): number | undefined {
  const { firstAskedAtMs, lastRefusedAtMs } = place ?? {};
  if (firstAskedAtMs === undefined || lastRefusedAtMs === undefined) return undefined;
  const isFromTheFuture = Math.max(firstAskedAtMs, lastRefusedAtMs) > nowMs + CLOCK_SKEW_MS;
  return isFromTheFuture || nowMs - lastRefusedAtMs > LOSS_NOTICE_MS ? undefined : firstAskedAtMs;
}

async function connected(
  session: SessionKey,
  place: Place | undefined,
  after: 'CALL' | 'LOOK',
  { table, clock, log, metrics }: LookDependencies,
): Promise<Refusal> {
  if (place === undefined) return { result: 'ALREADY_CONNECTED' };
  const nowMs = clock.nowMs();
  const spellMs = spellOf(place, nowMs);
  // After a spell that is over the offer may be an old one, but the loss is a new one.
  const firstAskedAtMs = Math.floor(
    spellMs ?? (place.firstAskedAtMs === undefined ? Math.min(place.askedAtMs, nowMs) : nowMs),
  );
  const isLong = nowMs - firstAskedAtMs >= LOSS_NOTICE_MS;
  if (spellMs === undefined && !isLong) metrics.add('LossesNotNoticed', 1);
  // A refused call is noted at once, so that what the window saw before it leads to no further call.
  const isDue = after === 'CALL' || nowMs - (place.lastRefusedAtMs ?? 0) > REFUSAL_RESOLUTION_MS;
  if (spellMs === undefined || isDue) {
    try {
      await writeLossRefusal(table, session, { firstAskedAtMs, lastRefusedAtMs: Math.floor(nowMs) });
    } catch (error) {
      // The next request counts from its own time then, or calls once more.
      log.error('LossNotNoted', error);
    }
  }
  return isLong ? { result: 'ALREADY_CONNECTED' } : { result: 'LOSS_NOT_NOTICED', canWait: true };
}

function refusalOf(status: string, statusReason: string | null): Refusal {
  switch (status) {
    case 'TERMINATING':
    case 'TERMINATED':
      return endedAs('TERMINATED', statusReason);
    case 'ERROR':
      return endedAs('ERRORED', statusReason);
    case 'NOT_FOUND':
      return { result: 'NOT_FOUND' };
    default:
      return { result: 'NOT_RECONNECTABLE', status };
  }
}

function endedAs(outcome: 'TERMINATED' | 'ERRORED', statusReason: string | null): Refusal {
  return { result: 'SESSION_ENDED', outcome, statusReason, cause: causeOf({ outcome, statusReason }) };
}
