import type { SessionKey } from '../contracts/index.ts';
import { ContentionException } from '../runtime/errors.ts';
import type { Table } from '../runtime/table.ts';
import { CLOCK_SKEW_MS, deadlineOf } from './deadline.ts';
import { type MailboxDependencies, wakeWindow } from './mailbox.ts';
import type { Disconnect } from './open-window.ts';
import {
  type EndEarlyFor,
  IS_OPEN,
  isOpen,
  OPEN_PHASES,
  type Report,
  readWindow,
  updateWindow,
  type WindowItem,
} from './window-item.ts';

export interface Correction {
  readonly deadlineMs: number;
  readonly connectionTimeoutSeconds: number;
}

/**
 * Notes the session's own timeout where the window's deadline stands as it is, so that nobody asks for it again.
 *
 * @throws DependencyUnavailableException
 */
export async function noteTimeout(
  session: SessionKey,
  { generation }: WindowItem,
  connectionTimeoutSeconds: number,
  table: Table,
): Promise<void> {
  await updateWindow(table, session, {
    UpdateExpression: 'SET isDefaultTimeout = :false, connectionTimeoutSeconds = :timeoutSeconds',
    ConditionExpression: 'generation = :generation AND isDefaultTimeout = :true',
    ExpressionAttributeValues: {
      ':false': false,
      ':true': true,
      ':generation': generation,
      ':timeoutSeconds': connectionTimeoutSeconds,
    },
  });
}

/**
 * Gives a window that waits for a reconnection another deadline, as a signal that needs no look at the session.
 *
 * Why: docs/decisions/windows.md#a-better-deadline-is-a-signal-that-needs-no-look
 *
 * @param window as it was when the correction was found; if its wait or its deadline has changed since, nothing
 *   is corrected.
 * @returns whether the deadline was corrected.
 * @throws DependencyUnavailableException
 */
export async function correctDeadline(
  session: SessionKey,
  window: WindowItem,
  { deadlineMs, connectionTimeoutSeconds }: Correction,
  dependencies: MailboxDependencies,
): Promise<boolean> {
  const seq = window.seq + 1;
  // The execution has dropped this end, because its player had come back. The signal must not bring it back for a later loss.
  const isOver = window.endEarlyFor === 'GIVE_UP' && window.connectionCreatedAtMs > 0;
  const corrected = await updateWindow(dependencies.table, session, {
    UpdateExpression: `SET seq = :seq, correction = :correction, deadlineMs = :deadlineMs, connectionTimeoutSeconds = :timeoutSeconds, isDefaultTimeout = :false${
      isOver ? ' REMOVE endEarlyAtMs, endEarlyFor' : ''
    }`,
    ConditionExpression:
      'generation = :generation AND phase = :phase AND seq = :seenSeq AND deadlineMs = :seenDeadlineMs',
    ExpressionAttributeValues: {
      ':seq': seq,
      ':correction': { seq, deadlineMs, connectionTimeoutSeconds },
      ':deadlineMs': deadlineMs,
      ':timeoutSeconds': connectionTimeoutSeconds,
      ':false': false,
      ':generation': window.generation,
      ':phase': window.phase,
      ':seenSeq': window.seq,
      ':seenDeadlineMs': window.deadlineMs,
    },
  });
  if (corrected === undefined) return false;
  await wakeWindow(corrected, dependencies);
  return true;
}

/**
 * Notes what a further report says about the loss, where no earlier one has said it.
 *
 * @throws DependencyUnavailableException
 */
export async function noteReport(
  table: Table,
  session: SessionKey,
  { generation, dropCause, giveUpAfterSeconds }: WindowItem,
  report: Report,
): Promise<void> {
  const news = Object.entries({
    dropCause: dropCause === undefined ? report.dropCause : undefined,
    giveUpAfterSeconds: giveUpAfterSeconds === undefined ? report.giveUpAfterSeconds : undefined,
  }).filter(([, value]) => value !== undefined);
  if (news.length === 0) return;
  await updateWindow(table, session, {
    UpdateExpression: `SET ${news.map(([name]) => `${name} = :${name}`).join(', ')}`,
    ConditionExpression: `generation = :generation AND ${IS_OPEN}`,
    ExpressionAttributeValues: {
      ...OPEN_PHASES,
      ':generation': generation,
      ...Object.fromEntries(news.map(([name, value]) => [`:${name}`, value])),
    },
  });
}

export interface EarlyEnd {
  readonly endEarlyAtMs: number;
  readonly endEarlyFor: EndEarlyFor;
}

/** Losing this many races in a row means that something is wrong with more than the timing. */
const MAX_TRIES = 5;

/**
 * Tells an open window when its session is to be terminated although the service still keeps it. The deadline itself stays:
 * places in line go by it. A window that waits for a reconnection needs no look for it.
 *
 * Why: docs/decisions/leaving.md#a-session-is-ended-early-only-while-nobody-has-asked-for-it
 *
 * @param window as it was read.
 * @param lostAtMs when the loss happened that a report sets the time for.
 * @returns whether the window ends early now; not, when it has closed meanwhile or ends for a reason that stays. A repeat is
 *   only sent again, and only to an execution that has not heard of it, because the send before it had failed.
 * @throws DependencyUnavailableException; ContentionException when others keep signalling the window.
 */
export async function endEarly(
  session: SessionKey,
  window: WindowItem,
  { lostAtMs = 0, ...early }: EarlyEnd & { readonly lostAtMs?: number },
  dependencies: MailboxDependencies,
): Promise<boolean> {
  let seen: WindowItem | undefined = window;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (seen === undefined || seen.generation !== window.generation || !isOpen(seen)) return false;
    if (!isOfLaterLoss(early, lostAtMs, seen) && !replaces(early, seen))
      return isUnheard(early, seen) && wakeWindow(seen, dependencies);
    const seq: number = seen.seq + 1;
    const { deadlineMs, connectionTimeoutSeconds } = seen;
    const told = await updateWindow(dependencies.table, session, {
      UpdateExpression:
        'SET seq = :seq, correction = :correction, endEarlyAtMs = :endEarlyAtMs, endEarlyFor = :endEarlyFor',
      ConditionExpression: 'generation = :generation AND phase = :phase AND seq = :seenSeq',
      ExpressionAttributeValues: {
        ':seq': seq,
        ':correction': { seq, deadlineMs, connectionTimeoutSeconds },
        ':endEarlyAtMs': early.endEarlyAtMs,
        ':endEarlyFor': early.endEarlyFor,
        ':generation': seen.generation,
        ':phase': seen.phase,
        ':seenSeq': seen.seq,
      },
    });
    if (told !== undefined) {
      await wakeWindow(told, dependencies);
      return true;
    }
    seen = await readWindow(dependencies.table, session);
  }
  throw new ContentionException();
}

/**
 * An operator's end stays whatever a player does, because a request lifts the others. Of two operators' ends, and of two
 * times to give up, the earlier one counts; of two times to leave, the later request's.
 */
function replaces(early: EarlyEnd, { endEarlyAtMs, endEarlyFor }: WindowItem): boolean {
  if (endEarlyAtMs === undefined) return true;
  if (early.endEarlyFor === endEarlyFor && endEarlyFor !== 'LEFT') return early.endEarlyAtMs < endEarlyAtMs;
  if (early.endEarlyFor === 'OPERATOR') return true;
  return early.endEarlyFor === 'LEFT' && endEarlyFor !== 'OPERATOR' && early.endEarlyAtMs !== endEarlyAtMs;
}

/**
 * Whether a time to give up takes the place of one that is over, because its player had come back before this loss. A repeat
 * of the report does not, because it would move the time on each time: the first report has noted the loss.
 */
function isOfLaterLoss({ endEarlyFor }: EarlyEnd, lostAtMs: number, window: WindowItem): boolean {
  const { connectionCreatedAtMs, lostAgainAtMs = 0 } = window;
  return (
    endEarlyFor === 'GIVE_UP' &&
    window.endEarlyFor === 'GIVE_UP' &&
    connectionCreatedAtMs > 0 &&
    lostAtMs > Math.max(connectionCreatedAtMs, lostAgainAtMs + CLOCK_SKEW_MS)
  );
}

function isUnheard({ endEarlyAtMs, endEarlyFor }: EarlyEnd, window: WindowItem): boolean {
  return (
    window.endEarlyFor === endEarlyFor &&
    window.endEarlyAtMs !== undefined &&
    window.endEarlyAtMs <= endEarlyAtMs &&
    window.seq > (window.ackSeq ?? 0)
  );
}

/**
 * What a further report of a window's disconnect changes in its deadline. Feeds know it differently well: the
 * watcher has the service's LastUpdatedAt and no timeout, a backend the moment and, as a rule, the timeout.
 *
 * The earliest credible deadline counts: one that is too early costs a look, one that is too late costs the
 * outcome its time. A later one replaces only a default that nobody has told. Differences that two clocks may
 * have change nothing.
 *
 * @returns undefined when the window's deadline stands.
 */
export function credibleCorrection(
  window: WindowItem,
  report: Disconnect,
  nowMs: number,
): Correction | undefined {
  if (window.phase !== 'AWAITING_RECONNECTION') return undefined;
  const connectionTimeoutSeconds = report.connectionTimeoutSeconds ?? window.connectionTimeoutSeconds;
  const sessionEndsAtMs = report.sessionEndsAtMs ?? window.sessionEndsAtMs;
  const deadlineSince = (sinceMs: number) =>
    deadlineOf({ sinceMs, connectionTimeoutSeconds, sessionEndsAtMs });

  const sinceMs = window.pendingSinceMs ?? window.disconnectedAtMs;
  const isEarlier =
    report.disconnectedAtMs < sinceMs - CLOCK_SKEW_MS &&
    // Of this disconnect, not of one before it that the service has seen reconnected, …
    report.disconnectedAtMs > (window.previousOutcomeAtMs ?? 0) &&
    sinceMs === window.disconnectedAtMs &&
    // … and not so early that the service would have ended the session.
    deadlineSince(report.disconnectedAtMs) > nowMs;
  const corrected = deadlineSince(isEarlier ? report.disconnectedAtMs : sinceMs);
  const laterByMs = corrected - window.deadlineMs;
  const isTold = window.isDefaultTimeout === true && report.connectionTimeoutSeconds !== undefined;
  return laterByMs < -CLOCK_SKEW_MS || (isTold && laterByMs > CLOCK_SKEW_MS)
    ? { deadlineMs: corrected, connectionTimeoutSeconds }
    : undefined;
}
