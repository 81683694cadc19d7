import type { SessionKey } from '../contracts/index.ts';
import { epochSeconds, type Table } from '../runtime/table.ts';
import { IS_OPEN, OPEN_PHASES, REMOVED_AT_CLOSE, updateWindow, type WindowItem } from './window-item.ts';

export interface WindowFailure {
  readonly generation: number;
  /** The error's name. */
  readonly error: string;
  readonly nowMs: number;
  readonly retentionDays: number;
}

const DAY_MS = 24 * 3600 * 1000;

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
      ':expiresAt': epochSeconds(nowMs + retentionDays * DAY_MS),
      ':generation': generation,
    },
  });
}
