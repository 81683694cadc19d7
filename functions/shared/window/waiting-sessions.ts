/**
 * Which sessions of a stream group the service waits for, as the latest list said: one item for each group, which all
 * requests share. One list call tells of a hundred sessions, so it sorts out any number of made-up ids.
 */
import * as z from 'zod';
import { waitingKey } from '../contracts/table-keys.ts';
import { sha256Hex } from '../runtime/hash.ts';
import { epochSeconds, readItem, type Table, updateIf, wholeNumberSchema } from '../runtime/table.ts';
import { CLOCK_SKEW_MS } from './deadline.ts';

const waitingItemSchema = z.object({
  /** When the list was begun, in epoch ms. */
  listedAtMs: wholeNumberSchema.optional(),
  /** The sessions, by six characters each. */
  listedNames: z.string().optional(),
  /** Whether every waiting session of the group is in `listedNames`. */
  isComplete: z.boolean().optional(),
  /** No request lists again before this time. */
  nextAtMs: wholeNumberSchema.optional(),
});

/** What the latest list said. Empty when there was none, or a wrong clock has written it. */
export interface WaitingList {
  readonly listedAtMs: number;
  readonly names: ReadonlySet<string>;
  readonly isComplete: boolean;
  readonly nextAtMs: number;
}

/** 36 bits: one made-up id in 10⁸ is taken for one of 600 sessions. */
const NAME_LENGTH = 6;
/** With them the item stays below 4 KB, so that reading it costs half a read unit. */
export const MAX_LISTED = 600;
/** A list that takes longer has failed. A later time was written by a clock that was ahead. */
const LONGEST_PAUSE_MS = 10_000;
/** Requests need the list for ten seconds. An operator who looks into a storm has it for an hour. */
const RETENTION_MS = 3_600_000;

export function waitingNameOf(streamSessionId: string): string {
  return Buffer.from(sha256Hex(streamSessionId), 'hex').toString('base64url').slice(0, NAME_LENGTH);
}

/** @throws DependencyUnavailableException */
export async function readWaitingList(
  table: Table,
  streamGroupId: string,
  nowMs: number,
): Promise<WaitingList> {
  const item = await readItem(table, waitingKey(streamGroupId), { consistent: false });
  const {
    listedAtMs = 0,
    listedNames = '',
    isComplete = false,
    nextAtMs = 0,
  } = waitingItemSchema.parse(item ?? {});
  const isFromTheFuture = listedAtMs > nowMs + CLOCK_SKEW_MS;
  return {
    listedAtMs: isFromTheFuture ? 0 : listedAtMs,
    names: new Set(isFromTheFuture ? [] : (listedNames.match(/.{6}/g) ?? [])),
    isComplete,
    nextAtMs: nextAtMs > nowMs + LONGEST_PAUSE_MS ? 0 : nextAtMs,
  };
}

/**
 * Claims the next list for this caller.
 *
 * @returns whether the caller is to list; false while another caller's claim lasts.
 * @throws DependencyUnavailableException
 */
export async function claimList(
  table: Table,
  streamGroupId: string,
  nowMs: number,
  forMs: number,
): Promise<boolean> {
  const claimed = await updateIf(table, waitingKey(streamGroupId), {
    UpdateExpression: 'SET nextAtMs = :next, expiresAt = :expiresAt',
    ConditionExpression: 'attribute_not_exists(nextAtMs) OR nextAtMs <= :now OR nextAtMs > :latest',
    ExpressionAttributeValues: {
      ':now': nowMs,
      ':next': nowMs + forMs,
      ':latest': nowMs + LONGEST_PAUSE_MS,
      ':expiresAt': epochSeconds(nowMs + RETENTION_MS),
    },
  });
  return claimed !== undefined;
}

/** @throws DependencyUnavailableException */
export async function writeWaitingList(
  table: Table,
  streamGroupId: string,
  list: WaitingList,
): Promise<void> {
  await updateIf(table, waitingKey(streamGroupId), {
    UpdateExpression:
      'SET listedAtMs = :listedAt, listedNames = :names, isComplete = :complete, nextAtMs = :next, expiresAt = :expiresAt',
    ExpressionAttributeValues: {
      ':listedAt': list.listedAtMs,
      ':names': [...list.names].slice(0, MAX_LISTED).join(''),
      ':complete': list.isComplete,
      ':next': list.nextAtMs,
      ':expiresAt': epochSeconds(list.listedAtMs + RETENTION_MS),
    },
  });
}
