import { BatchGetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { SessionKey } from '../contracts/index.ts';
import {
  type ItemKey,
  OPEN_WINDOWS_INDEX,
  openInKey,
  sessionOfPartition,
  windowKey,
} from '../contracts/table-keys.ts';
import { DependencyUnavailableException } from '../runtime/errors.ts';
import { callDependency } from '../runtime/service-fault.ts';
import type { RawItem, Table } from '../runtime/table.ts';
import { sha256Hex } from '../runtime/text.ts';
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
  const items = await readItems(table, sessions.map(windowKey));
  return new Map(items.map((item) => [String(item['pk']), windowItemSchema.parse(item)]));
}

/**
 * Reads many items, each in its latest state. Keys without an item are left out.
 *
 * @throws DependencyUnavailableException
 */
export async function readItems(table: Table, keys: readonly ItemKey[]): Promise<RawItem[]> {
  const distinct = [...new Map(keys.map((key) => [`${key.pk} ${key.sk}`, key])).values()];
  const items: RawItem[] = [];
  for (let from = 0; from < distinct.length; from += BATCH_SIZE) {
    await readBatch(table, distinct.slice(from, from + BATCH_SIZE), items);
  }
  return items;
}

async function readBatch(table: Table, batch: readonly ItemKey[], items: RawItem[]): Promise<void> {
  let left: readonly Record<string, unknown>[] = batch;
  for (let tries = 0; left.length > 0; tries++) {
    if (tries === MAX_TRIES) throw new DependencyUnavailableException();
    const Keys = [...left];
    const { Responses = {}, UnprocessedKeys = {} } = await callDependency(() =>
      table.documents.send(
        new BatchGetCommand({ RequestItems: { [table.name]: { Keys, ConsistentRead: true } } }),
      ),
    );
    items.push(...(Responses[table.name] ?? []));
    left = UnprocessedKeys[table.name]?.Keys ?? [];
  }
}

/**
 * An index partition takes about 1,000 writes a second, and writes to the table wait for it. Eight of them let a
 * storm open 8,000 windows a second, for eight queries (of at least half a read unit each) where one would do.
 */
const SHARDS = 8;

/** Where in the index a session's open window is: its stream group, and one of eight shards. */
export function openIn({ streamGroupId, streamSessionId }: SessionKey): string {
  const shard = Number.parseInt(sha256Hex(streamSessionId).slice(0, 8), 16) % SHARDS;
  return openInKey(streamGroupId, shard);
}

const indexedWindowSchema = windowItemSchema
  .pick({
    generation: true,
    phase: true,
    running: true,
    disconnectedAtMs: true,
    pendingSinceMs: true,
    deadlineMs: true,
    waitOrder: true,
  })
  .extend({ pk: z.string() });

/** An open window as the index has it: some milliseconds behind the item, and without its task token. */
export interface IndexedWindow extends Omit<z.infer<typeof indexedWindowSchema>, 'pk'> {
  readonly session: SessionKey;
}

/**
 * Every open window of a stream group.
 *
 * @throws DependencyUnavailableException
 */
export async function listOpenWindows(table: Table, streamGroupId: string): Promise<IndexedWindow[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => openInKey(streamGroupId, shard));
  return (await Promise.all(shards.map((key) => queryShard(table, key)))).flat();
}

async function queryShard(table: Table, key: string): Promise<IndexedWindow[]> {
  const windows: IndexedWindow[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await callDependency(() =>
      table.documents.send(
        new QueryCommand({
          TableName: table.name,
          IndexName: OPEN_WINDOWS_INDEX,
          KeyConditionExpression: 'openIn = :key',
          ExpressionAttributeValues: { ':key': key },
          ExclusiveStartKey: start,
        }),
      ),
    );
    for (const item of Items) {
      const { pk, ...window } = indexedWindowSchema.parse(item);
      windows.push({ ...window, session: sessionOfPartition(pk) });
    }
    start = LastEvaluatedKey;
  } while (start !== undefined);
  return windows;
}
