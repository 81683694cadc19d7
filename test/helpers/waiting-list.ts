import type { Table } from '../../functions/shared/runtime/table.ts';
import { writeWaitingList } from '../../functions/shared/window/waiting-sessions.ts';
import { newSession } from './sessions.ts';

/** The service's list of waiting sessions is of no use for the next nine seconds: it is not complete, and not due. */
export async function givenNoWaitingList(table: Table, nowMs: number): Promise<void> {
  const list = { listedAtMs: nowMs, names: new Set<string>(), isComplete: false, nextAtMs: nowMs + 9000 };
  await writeWaitingList(table, newSession().streamGroupId, list);
}
