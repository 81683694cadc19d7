/**
 * The line of sessions that wait for a call under one operation's quota: one item with a counter for each bucket of
 * deadlines. Nothing is ever taken back: a number whose session does not return is void when its deadline has passed,
 * and until then costs nothing, because a permit goes to a session that is there.
 */
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { QuotaOperation } from '../contracts/quotas.ts';
import { lineKey } from '../contracts/table-keys.ts';
import { UnexpectedError } from '../runtime/errors.ts';
import { callDependency } from '../runtime/service-fault.ts';
import { readItem, type Table } from '../runtime/table.ts';
import {
  ADDED,
  compareDeadlines,
  counterOf,
  countsOf,
  type DeadlineBucket,
  type Deadlines,
  deadlinesOf,
  formerBucketOf,
  formerCounterOf,
  type Rank,
} from './deadline-bucket.ts';

/** In the order of the line. */
export type LineState = readonly DeadlineBucket[];

/** Clocks may differ; a bucket that is over for one is not yet over for all. */
const PRUNE_AFTER_MS = 60_000;
/** A bucket is pruned sooner when the item is more than half full. */
const PRUNE_SOON_AFTER_MS = 5000;
const HALF_FULL_BYTES = 500;
/**
 * How many buckets one draw removes. What the code before 2026-11-28 has left can be hundreds, and the expression must
 * stay far below DynamoDB's 4,096 bytes; the next draws remove the rest.
 */
const PRUNED_PER_DRAW = 16;
/**
 * From this size on no counter is added. Draws at the same moment may each add one, and counts grow in digits: the rest
 * of the 1,024 bytes is for them.
 */
const FULL_BYTES = 920;
/** Twice the longest ConnectionTimeoutSeconds. A deadline that is farther away was written by a clock that was ahead. */
const FARTHEST_MS = 7_200_000;
/** The item's key: pk, its value, sk, its value. */
const KEY_BYTES = 2 + 'line#CreateStreamSessionConnection'.length + 2 + 'line'.length;

/** @throws DependencyUnavailableException */
export async function readLine(table: Table, operation: QuotaOperation): Promise<LineState> {
  return lineOf(await readItem(table, lineKey(operation), { consistent: false }));
}

export interface Wait {
  readonly deadlineMs: number;
  readonly nowMs: number;
  readonly rank: Rank;
}

/** Which buckets a draw may remove, by the clocks that the caller knows. */
export interface Removable {
  /** The earliest of the clocks: a bucket that is over by it is over. */
  readonly overBeforeMs: number;
  /** The latest of the clocks: no deadline is farther from it than `FARTHEST_MS`. Without it no bucket is too far. */
  readonly latestMs?: number;
}

/**
 * Returns the counter that a session with this deadline would draw from. If the item stays full after the draw has removed
 * what it may, this is the narrowest bucket that is there already; undefined if there is none.
 */
export function counterIn(line: LineState, wait: Wait, removable: Removable): string | undefined {
  const own = counterOf(wait);
  const removed = bucketsToPrune(line, removable);
  // A draw that removes as many as it can makes room, however much is there. Without it the item would stay full for good.
  const isFull =
    removed.length < PRUNED_PER_DRAW &&
    bytesOf(line.filter((bucket) => !removed.includes(bucket))) >= FULL_BYTES;
  if (!isFull || line.some(({ counter }) => counter === own)) return own;
  const atMs = Math.max(wait.deadlineMs, wait.nowMs);
  const around = line.filter(
    ({ counter, rank, startMs, endMs }) =>
      rank === wait.rank && startMs <= atMs && atMs < endMs && formerBucketOf(counter) === undefined,
  );
  return around.sort((a, b) => a.endMs - a.startMs - (b.endMs - b.startMs))[0]?.counter;
}

export interface Draw {
  readonly counter: string;
  /** From 0, within the counter. */
  readonly number: number;
  readonly line: LineState;
}

/**
 * Draws the next number of a counter, and removes a few of the buckets that are over or can never be.
 *
 * Why: docs/decisions/quota-and-line.md#the-line-counts-deadlines-in-buckets-that-widen-with-the-time-left
 *
 * @param seen the line as it was read.
 * @throws DependencyUnavailableException, also when the item takes more writes than one item can.
 */
export async function drawNumber(
  table: Table,
  operation: QuotaOperation,
  { counter, seen, ...removable }: { counter: string; seen: LineState } & Removable,
): Promise<Draw> {
  const names = bucketsToPrune(seen, removable)
    .flatMap((bucket) => namesOf(bucket.counter))
    .filter((name) => name !== counter);
  const line = await add(table, operation, counter, names).catch((error: unknown) => {
    // Whatever is wrong with what is removed, it must not stop anybody from drawing.
    if (names.length === 0 || !(error instanceof UnexpectedError)) throw error;
    return add(table, operation, counter, []);
  });
  const drawn = line.find((bucket) => bucket.counter === counter)?.drawn ?? 1;
  return { counter, number: drawn - 1, line };
}

/** Counts that a number of the counter has had its call. @throws DependencyUnavailableException */
export async function countServed(table: Table, operation: QuotaOperation, counter: string): Promise<void> {
  const former = formerBucketOf(counter);
  await callDependency(() =>
    table.documents.send(
      new UpdateCommand({
        TableName: table.name,
        Key: lineKey(operation),
        UpdateExpression: 'ADD #served :one',
        ExpressionAttributeNames: { '#served': former === undefined ? counter : `served${former}` },
        ExpressionAttributeValues: { ':one': ADDED.served },
      }),
    ),
  );
}

async function add(
  table: Table,
  operation: QuotaOperation,
  counter: string,
  namesToRemove: readonly string[],
): Promise<LineState> {
  const placeholders = namesToRemove.map((_, index) => `#over${index}`);
  const { Attributes } = await callDependency(() =>
    table.documents.send(
      new UpdateCommand({
        TableName: table.name,
        Key: lineKey(operation),
        UpdateExpression: `ADD #drawn :one${placeholders.length > 0 ? ` REMOVE ${placeholders.join(', ')}` : ''}`,
        ExpressionAttributeNames: {
          '#drawn': counter,
          ...Object.fromEntries(namesToRemove.map((name, index) => [`#over${index}`, name])),
        },
        ExpressionAttributeValues: { ':one': ADDED.drawn },
        ReturnValues: 'ALL_NEW',
      }),
    ),
  );
  return lineOf(Attributes);
}

/** Oldest first. */
function bucketsToPrune(line: LineState, { overBeforeMs, latestMs }: Removable): LineState {
  const afterMs = bytesOf(line) > HALF_FULL_BYTES ? PRUNE_SOON_AFTER_MS : PRUNE_AFTER_MS;
  const farthestMs = (latestMs ?? Number.POSITIVE_INFINITY) + FARTHEST_MS;
  return line
    .filter(({ startMs, endMs }) => endMs + afterMs < overBeforeMs || startMs > farthestMs)
    .sort((a, b) => a.endMs - b.endMs)
    .slice(0, PRUNED_PER_DRAW);
}

function namesOf(counter: string): string[] {
  const former = formerBucketOf(counter);
  return former === undefined ? [counter] : [counter, `served${former}`];
}

/** What the counters take up, as DynamoDB counts: names, and a byte for each two digits of a number and one more. */
function bytesOf(line: LineState): number {
  return line.reduce((sum, bucket) => {
    if (formerBucketOf(bucket.counter) !== undefined) return sum;
    const digits = String(bucket.drawn * ADDED.drawn + bucket.served * ADDED.served).length;
    return sum + bucket.counter.length + Math.ceil(digits / 2) + 1;
  }, KEY_BYTES);
}

const FORMER_SERVED = /^served(\d{1,12})$/;

const countersSchema = z.record(z.string(), z.unknown());

function lineOf(item: unknown): LineState {
  const buckets = new Map<string, DeadlineBucket>();
  const count = (deadlines: Deadlines, counts: { drawn?: number; served?: number }) => {
    const before = buckets.get(deadlines.counter) ?? { ...deadlines, drawn: 0, served: 0 };
    buckets.set(deadlines.counter, { ...before, ...counts });
  };
  for (const [name, value] of Object.entries(countersSchema.parse(item ?? {}))) {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) continue;
    const [, formerServed] = FORMER_SERVED.exec(name) ?? [];
    const deadlines = deadlinesOf(formerServed === undefined ? name : formerCounterOf(Number(formerServed)));
    if (deadlines === undefined) continue;
    if (formerServed !== undefined) count(deadlines, { served: value });
    else if (formerBucketOf(name) !== undefined) count(deadlines, { drawn: value });
    else count(deadlines, countsOf(value));
  }
  return [...buckets.values()].sort(compareDeadlines);
}
