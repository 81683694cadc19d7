/**
 * Which sessions of a stream group the service waits for, as the latest list said: one item for each group, which all
 * requests share. One list call tells of a hundred sessions, so it sorts out any number of made-up ids. Only a group that
 * the service is known to have gets an item, so made-up groups leave nothing.
 *
 * Why: docs/decisions/quota-and-line.md#only-known-stream-groups-have-a-list-of-their-own
 */
import * as z from 'zod';
import { waitingKey } from '../contracts/table-keys.ts';
import { epochSeconds, readItem, type Table, updateIf, wholeNumberSchema } from '../runtime/table.ts';
import { sha256Hex } from '../runtime/text.ts';
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
  /** When the service last took a connection for a session of the group, or the watcher listed it first. */
  knownAtMs: wholeNumberSchema.optional(),
  /** How many sessions the watcher counted, and when: only while they are more than `listedNames` holds. */
  counted: wholeNumberSchema.optional(),
  countedAtMs: wholeNumberSchema.optional(),
});

/** What the latest list said. Empty when there was none, or a wrong clock has written it. */
export interface WaitingList {
  readonly listedAtMs: number;
  readonly names: ReadonlySet<string>;
  readonly isComplete: boolean;
  readonly nextAtMs: number;
}

export interface StoredWaitingList extends WaitingList {
  /** Whether the service is known to have the stream group. */
  readonly isKnown: boolean;
  /** How many sessions the watcher counted within the last half minute, if they were more than `MAX_LISTED`. */
  readonly counted: number | undefined;
}

/** 36 bits: one made-up id in 10⁸ is taken for one of 600 sessions. */
const NAME_LENGTH = 6;
/** With them the item stays below 4 KB, so that reading it costs half a read unit. */
export const MAX_LISTED = 600;
/** A list that takes longer has failed. A later time was written by a clock that was ahead. */
const LONGEST_PAUSE_MS = 10_000;
/** A group stays known for as long. The watcher, and each connection after it, make it known again. */
const RETENTION_MS = 30 * 24 * 3_600_000;
/** A look at 10,000 sessions takes some ten seconds. A count that is older is too high, because sessions only leave. */
const COUNT_MS = 30_000;

export function waitingNameOf(streamSessionId: string): string {
  return Buffer.from(sha256Hex(streamSessionId), 'hex').toString('base64url').slice(0, NAME_LENGTH);
}

/**
 * Reads the latest list of a stream group; without a group, when an unknown one may be listed next.
 *
 * @throws DependencyUnavailableException
 */
export async function readWaitingList(
  table: Table,
  streamGroupId: string | undefined,
  nowMs: number,
): Promise<StoredWaitingList> {
  const item = await readItem(table, waitingKey(streamGroupId), { consistent: false });
  const {
    listedAtMs = 0,
    listedNames = '',
    isComplete = false,
    nextAtMs = 0,
    knownAtMs,
    counted,
    countedAtMs = 0,
  } = waitingItemSchema.parse(item ?? {});
  const isFromTheFuture = listedAtMs > nowMs + CLOCK_SKEW_MS;
  return {
    listedAtMs: isFromTheFuture ? 0 : listedAtMs,
    names: new Set(isFromTheFuture ? [] : (listedNames.match(/.{6}/g) ?? [])),
    isComplete,
    nextAtMs: nextAtMs > nowMs + LONGEST_PAUSE_MS ? 0 : nextAtMs,
    isKnown: knownAtMs !== undefined || listedAtMs > 0,
    counted: Math.abs(nowMs - countedAtMs) < COUNT_MS ? counted : undefined,
  };
}

/**
 * Claims the next list of a stream group for this caller; without a group, the next list of any unknown one.
 *
 * @returns whether the caller is to list; false while another caller's claim lasts.
 * @throws DependencyUnavailableException
 */
export async function claimList(
  table: Table,
  streamGroupId: string | undefined,
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

/**
 * Keeps that the service has the stream group and, where the watcher has counted them, how many sessions wait there.
 *
 * @throws DependencyUnavailableException
 */
export async function rememberGroup(
  table: Table,
  streamGroupId: string,
  nowMs: number,
  counted?: number,
): Promise<void> {
  await updateIf(table, waitingKey(streamGroupId), {
    UpdateExpression: `SET knownAtMs = :now, expiresAt = :expiresAt${
      counted === undefined ? '' : ', counted = :counted, countedAtMs = :now'
    }`,
    ExpressionAttributeValues: {
      ':now': Math.floor(nowMs),
      ':expiresAt': epochSeconds(nowMs + RETENTION_MS),
      ...(counted === undefined ? {} : { ':counted': counted }),
    },
  });
}
