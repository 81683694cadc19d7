import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  type PutCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { ItemKey } from '../contracts/table-keys.ts';
import { attempt, callDependency } from './service-fault.ts';

/** The one table: partition key `pk`, sort key `sk`, TTL attribute `expiresAt` in epoch seconds. */
export interface Table {
  readonly documents: DynamoDBDocumentClient;
  readonly name: string;
}

/** An item as the table returned it, before its schema has been checked. */
export type RawItem = Readonly<Record<string, unknown>>;

const DAY_MS = 24 * 3600 * 1000;

/**
 * Reads one item, in its latest state unless `consistent` is false.
 *
 * @returns undefined when there is no such item.
 * @throws DependencyUnavailableException
 */
export async function readItem(
  table: Table,
  { pk, sk }: ItemKey,
  options: { readonly consistent?: boolean; readonly abortSignal?: AbortSignal | undefined } = {},
): Promise<RawItem | undefined> {
  const { consistent = true, abortSignal } = options;
  const command = new GetCommand({ TableName: table.name, Key: { pk, sk }, ConsistentRead: consistent });
  const { Item } = await callDependency(() =>
    table.documents.send(command, abortSignal === undefined ? {} : { abortSignal }),
  );
  return Item;
}

export type Update = Pick<
  UpdateCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'
>;

/**
 * Updates one item if the condition holds.
 *
 * @returns the item after the update; undefined when the condition did not hold.
 * @throws DependencyUnavailableException
 */
export async function updateIf(
  table: Table,
  { pk, sk }: ItemKey,
  update: Update,
): Promise<RawItem | undefined> {
  const command = new UpdateCommand({
    TableName: table.name,
    Key: { pk, sk },
    ReturnValues: 'ALL_NEW',
    ...update,
  });
  const written = await attempt(() => table.documents.send(command), 'ConditionalCheckFailedException');
  return written.ok ? (written.result.Attributes ?? {}) : undefined;
}

export type Condition = Pick<PutCommandInput, 'ConditionExpression' | 'ExpressionAttributeValues'>;

/**
 * Writes one whole item if the condition holds.
 *
 * @returns whether the item was written.
 * @throws DependencyUnavailableException
 */
export async function putIf(table: Table, item: ItemKey & RawItem, condition: Condition): Promise<boolean> {
  const command = new PutCommand({ TableName: table.name, Item: { ...item }, ...condition });
  return (await attempt(() => table.documents.send(command), 'ConditionalCheckFailedException')).ok;
}

/** When an item may go, for the attribute `expiresAt`. */
export function epochSeconds(epochMs: number): number {
  return Math.ceil(epochMs / 1000);
}

/** The same for an item that is kept for whole days. */
export function expiresAfterDays(nowMs: number, days: number): number {
  return epochSeconds(nowMs + days * DAY_MS);
}

/**
 * A number of an item: whole milliseconds, seconds, microseconds or a count. Only whole numbers rest in the table, because
 * DynamoDB adds decimals exactly and a double does not. A fraction that other code has left is rounded up, so that no time
 * is earlier than it was meant; one number must not make an item unreadable.
 */
export const wholeNumberSchema = z.number().overwrite(Math.ceil);
