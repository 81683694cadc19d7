import type { SessionKey } from '../contracts/index.ts';
import type { Table } from '../runtime/table.ts';
import { type MailboxDependencies, wakeWindow } from './mailbox.ts';
import { updateWindow, type WindowItem } from './window-item.ts';

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
  const corrected = await updateWindow(dependencies.table, session, {
    UpdateExpression:
      'SET seq = :seq, correction = :correction, deadlineMs = :deadlineMs, connectionTimeoutSeconds = :timeoutSeconds, isDefaultTimeout = :false',
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
