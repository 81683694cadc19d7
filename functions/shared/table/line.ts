/**
 * The line of sessions that wait for a call under one operation's quota: one item with two counters for each two
 * seconds of deadlines, how many numbers were drawn and how many of them have had their call. Nothing is ever taken
 * back: a number whose session does not return is void when its deadline has passed, and until then costs nothing,
 * because a permit goes to whoever is there.
 */
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { callDependency } from '../service-fault.ts';
import type { QuotaOperation } from './permits.ts';
import type { Table } from './table.ts';

/**
 * Narrow, because a number counts until its bucket is over; wide enough that the item stays below 2 KB with deadlines
 * spread over 120 s: a write costs one unit for each KB.
 */
export const BUCKET_MS = 2000;
/** Clocks may differ; a bucket that is over for one is not yet over for all. */
const PRUNE_AFTER_MS = 60_000;

/** The sessions whose deadlines lie within the same two seconds. */
export interface DeadlineBucket {
  readonly bucket: number;
  readonly drawn: number;
  readonly served: number;
}

/** In the order of deadlines. */
export type LineState = readonly DeadlineBucket[];

export function bucketOf(deadlineMs: number): number {
  return Math.floor(deadlineMs / BUCKET_MS);
}

/** When the last deadline of the bucket has passed, in epoch ms. */
export function bucketEndMs(bucket: number): number {
  return (bucket + 1) * BUCKET_MS;
}

/** @throws DependencyUnavailableException */
export async function readLine(table: Table, operation: QuotaOperation): Promise<LineState> {
  const { Item } = await callDependency(() =>
    table.documents.send(new GetCommand({ TableName: table.name, Key: lineKey(operation) })),
  );
  return lineOf(Item);
}

export interface Draw {
  /** From 0, within the bucket. */
  readonly number: number;
  readonly line: LineState;
}

/**
 * Draws the next number among those with about the same deadline.
 *
 * @param seen the line as it was read, of which long-gone deadlines are removed.
 * @throws DependencyUnavailableException, also when the item takes more writes than one item can.
 */
export async function drawNumber(
  table: Table,
  operation: QuotaOperation,
  { bucket, seen, nowMs }: { bucket: number; seen: LineState; nowMs: number },
): Promise<Draw> {
  const over = seen.filter((other) => bucketEndMs(other.bucket) + PRUNE_AFTER_MS < nowMs);
  const names = over.flatMap((other) => [drawnName(other.bucket), servedName(other.bucket)]);
  const placeholders = names.map((_, index) => `#over${index}`);
  const { Attributes } = await callDependency(() =>
    table.documents.send(
      new UpdateCommand({
        TableName: table.name,
        Key: lineKey(operation),
        UpdateExpression: `ADD #drawn :one${names.length > 0 ? ` REMOVE ${placeholders.join(', ')}` : ''}`,
        ExpressionAttributeNames: {
          '#drawn': drawnName(bucket),
          ...Object.fromEntries(names.map((name, index) => [`#over${index}`, name])),
        },
        ExpressionAttributeValues: { ':one': 1 },
        ReturnValues: 'ALL_NEW',
      }),
    ),
  );
  const line = lineOf(Attributes);
  return { number: (line.find((other) => other.bucket === bucket)?.drawn ?? 1) - 1, line };
}

/** A number has had its call. @throws DependencyUnavailableException */
export async function countServed(table: Table, operation: QuotaOperation, bucket: number): Promise<void> {
  await callDependency(() =>
    table.documents.send(
      new UpdateCommand({
        TableName: table.name,
        Key: lineKey(operation),
        UpdateExpression: 'ADD #served :one',
        ExpressionAttributeNames: { '#served': servedName(bucket) },
        ExpressionAttributeValues: { ':one': 1 },
      }),
    ),
  );
}

function lineKey(operation: QuotaOperation) {
  return { pk: `line#${operation}`, sk: 'line' };
}

const drawnName = (bucket: number) => `drawn${bucket}`;
const servedName = (bucket: number) => `served${bucket}`;
const COUNTER = /^(drawn|served)(\d+)$/;

const countersSchema = z.record(z.string(), z.unknown());

function lineOf(item: unknown): LineState {
  const buckets = new Map<number, { bucket: number; drawn: number; served: number }>();
  for (const [name, value] of Object.entries(countersSchema.parse(item ?? {}))) {
    const [, counter, digits] = COUNTER.exec(name) ?? [];
    if (counter === undefined || typeof value !== 'number') continue;
    const bucket = Number(digits);
    const counts = buckets.get(bucket) ?? { bucket, drawn: 0, served: 0 };
    if (counter === 'drawn') counts.drawn = value;
    else counts.served = value;
    buckets.set(bucket, counts);
  }
  return [...buckets.values()].sort((a, b) => a.bucket - b.bucket);
}
