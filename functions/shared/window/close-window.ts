import type { OutcomeStory } from '../contracts/fields.ts';
import type { Outcome, SessionKey } from '../contracts/index.ts';
import { WindowNotOpenError } from '../runtime/errors.ts';
import { expiresAfterDays, type Table } from '../runtime/table.ts';
import {
  IS_OPEN,
  isOpen,
  OPEN_PHASES,
  REMOVED_AT_CLOSE,
  readWindow,
  reportIn,
  updateWindow,
  type WindowItem,
} from './window-item.ts';

interface Closing {
  readonly generation: number;
  readonly nowMs: number;
  readonly retentionDays: number;
}

export interface WindowFailure extends Closing {
  /** The error's name. */
  readonly error: string;
}

/**
 * Closes an open window without an outcome.
 *
 * @returns the window, or undefined when it was closed or replaced before: then it stays as it is.
 * @throws DependencyUnavailableException
 */
export function failWindow(
  table: Table,
  session: SessionKey,
  { generation, error, nowMs, retentionDays }: WindowFailure,
): Promise<WindowItem | undefined> {
  return updateWindow(table, session, {
    UpdateExpression: `SET phase = :failed, failure = :error, closedAtMs = :nowMs, expiresAt = :expiresAt REMOVE ${REMOVED_AT_CLOSE}`,
    ConditionExpression: `generation = :generation AND ${IS_OPEN}`,
    ExpressionAttributeValues: {
      ...OPEN_PHASES,
      ':failed': 'FAILED',
      ':error': error,
      ':nowMs': nowMs,
      ':expiresAt': expiresAfterDays(nowMs, retentionDays),
      ':generation': generation,
    },
  });
}

export interface WindowClosing extends Closing {
  /** The last signal that the execution has seen. */
  readonly ackSeq: number;
  readonly outcome: Outcome;
  /** The session's status that decided the outcome. */
  readonly status?: string | undefined;
  readonly statusReason: string | null;
  readonly story: OutcomeStory;
  /** When the session entered that status. */
  readonly endedAtMs: number;
  readonly connectionAttempts: number;
}

export interface ClosedWindow {
  /** False when something came that the execution has not seen: it must look again before the window closes. */
  readonly recorded: boolean;
  readonly seq: number;
  readonly connectionCreatedAtMs: number;
  readonly connectionAttempts: number;
  /** As it was first written. */
  readonly story: OutcomeStory;
}

/**
 * Closes an open window with its outcome. A window that is closed already stays as it is.
 *
 * Why: docs/decisions/windows.md#reconnected-is-not-written-over-an-unseen-signal
 *
 * @throws WindowNotOpenError when there is no such window, or when it has failed.
 * @throws DependencyUnavailableException
 */
export async function closeWindow(
  table: Table,
  session: SessionKey,
  closing: WindowClosing,
): Promise<ClosedWindow> {
  const { generation, ackSeq, outcome, status, statusReason, endedAtMs, nowMs, retentionDays } = closing;
  const { story } = closing;
  const isNotDisconnected = outcome === 'NOT_DISCONNECTED';
  // A session that has ended stays ended whatever was signalled; one that is connected may have dropped again. And the
  // watcher or a created connection may have told since the look that the service does wait for a client.
  const nothingUnseen =
    outcome === 'RECONNECTED'
      ? ' AND seq <= :ackSeq'
      : isNotDisconnected
        ? ' AND seq <= :ackSeq AND attribute_not_exists(seenWaitingAtMs)'
        : '';
  const closed = await updateWindow(table, session, {
    UpdateExpression: `SET phase = :closed, outcome = :outcome, statusReason = :statusReason, outcomeAtMs = :outcomeAtMs, closedAtMs = :nowMs, expiresAt = :expiresAt, story = :story${isNotDisconnected ? ', isNotDisconnected = :true' : ''} REMOVE ${REMOVED_AT_CLOSE}`,
    ConditionExpression: `generation = :generation AND ${IS_OPEN}${nothingUnseen}`,
    ExpressionAttributeValues: {
      ...OPEN_PHASES,
      ':closed': 'CLOSED',
      ':generation': generation,
      ':outcome': isNotDisconnected ? standingOf(status) : outcome,
      ':statusReason': statusReason,
      ':story': story,
      ':outcomeAtMs': endedAtMs,
      ':nowMs': nowMs,
      ':expiresAt': expiresAfterDays(nowMs, retentionDays),
      ...(nothingUnseen === '' ? {} : { ':ackSeq': ackSeq }),
      ...(isNotDisconnected ? { ':true': true } : {}),
    },
  });
  if (closed !== undefined) {
    return { ...mailboxOf(closed), recorded: true, story: { ...story, ...reportIn(closed) } };
  }

  const present = await readWindow(table, session);
  if (present === undefined || present.generation < generation) throw new WindowNotOpenError();
  if (present.generation > generation) {
    // The windows right before the present one that failed: their disconnect gets its outcome from that one.
    const firstFailed = present.generation - (present.failedBefore ?? 0);
    if (generation >= firstFailed) throw new WindowNotOpenError();
    // This window was closed before, or the next could not have opened; only the rest is to be repeated.
    const { connectionAttempts } = closing;
    return { recorded: true, seq: ackSeq, connectionCreatedAtMs: 0, connectionAttempts, story };
  }
  if (present.phase === 'FAILED') throw new WindowNotOpenError();
  return {
    ...mailboxOf(present),
    recorded: !isOpen(present),
    story: { ...(present.story ?? story), ...reportIn(present) },
  };
}

/** The state of a session that was not disconnected: it goes on, or it has ended for another reason. */
function standingOf(status: string | undefined): Exclude<Outcome, 'NOT_DISCONNECTED'> {
  if (status === 'TERMINATED') return 'TERMINATED';
  return status === 'ERROR' ? 'ERRORED' : 'RECONNECTED';
}

function mailboxOf({ seq, connectionCreatedAtMs, connectionAttempts }: WindowItem) {
  return { seq, connectionCreatedAtMs, connectionAttempts };
}
