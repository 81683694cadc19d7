import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import type { SessionKey } from '../contracts/index.ts';
import { sessionPartition, windowKey } from '../contracts/table-keys.ts';
import { DependencyUnavailableException } from '../runtime/errors.ts';
import { callDependency } from '../runtime/service-fault.ts';
import type { Table } from '../runtime/table.ts';
import { type WindowItem, windowItemSchema } from './window-item.ts';

/** DynamoDB's limit for one BatchGetItem. */
const BATCH_SIZE = 100;
/** A batch comes back incomplete when it is larger than 16 MB, or when the table is throttled. */
const MAX_TRIES = 5;

/**
 * The latest windows of many sessions, each as it is at this moment, by `sessionPartition`; sessions that never
 * had one are left out.
 *
 * @throws DependencyUnavailableException
 */
export async function readWindows(
  table: Table,
  sessions: readonly SessionKey[],
): Promise<ReadonlyMap<string, WindowItem>> {
  const windows = new Map<string, WindowItem>();
  const keys = [
    ...new Map(sessions.map((session) => [sessionPartition(session), windowKey(session)])).values(),
  ];
  for (let from = 0; from < keys.length; from += BATCH_SIZE) {
    await readBatch(table, keys.slice(from, from + BATCH_SIZE), windows);
  }
  return windows;
}

async function readBatch(
  table: Table,
  batch: readonly Record<string, unknown>[],
  windows: Map<string, WindowItem>,
): Promise<void> {
  let left: readonly Record<string, unknown>[] = batch;
  for (let tries = 0; left.length > 0; tries++) {
    if (tries === MAX_TRIES) throw new DependencyUnavailableException();
    const Keys = [...left];
    const { Responses = {}, UnprocessedKeys = {} } = await callDependency(() =>
      table.documents.send(
        new BatchGetCommand({ RequestItems: { [table.name]: { Keys, ConsistentRead: true } } }),
      ),
    );
    for (const item of Responses[table.name] ?? []) {
      windows.set(String(item['pk']), windowItemSchema.parse(item));
    }
    left = UnprocessedKeys[table.name]?.Keys ?? [];
  }
}
