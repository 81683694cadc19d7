/** The keys of every item of the table: built, parsed and listed here only. docs/architecture.md describes each item. */

import type { SessionKey } from './fields.ts';
import type { QuotaOperation } from './quotas.ts';

/** Names one item of the table. */
export type ItemKey = Readonly<Record<'pk' | 'sk', string>>;

/** One write unit of DynamoDB is for so many bytes. */
const WRITE_UNIT_BYTES = 1024;

/**
 * The largest size of each kind of item in bytes, whatever the timeout and however often anyone asks or reports. Ids of
 * sessions and stream groups have 128 characters at most.
 * Why: docs/decisions/tests-and-tools.md#the-bounds-of-items-are-constants-and-each-item-is-filled-to-its-bound
 */
export const ITEM_BOUNDS: Readonly<Record<string, number>> = {
  /** Every draw writes it, so it stays within one write unit: `FULL_BYTES` and its reserve in quota/line.ts. */
  line: WRITE_UNIT_BYTES,
  /** Seven numbers in quota/permits.ts. Every call to the service writes it. */
  permit: 192,
  /**
   * 128 signal ids of 80 characters (`MAX_SIGNAL_IDS` in window/mailbox.ts), a task token of 2,048 (Step Functions API Reference,
   * SendTaskSuccess), the execution's input of 500, and some twenty short attributes. It loses ids and token when it is
   * closed and gets a status reason of 768 bytes.
   */
  window: 14 * WRITE_UNIT_BYTES,
  /** 256 names of 8 bytes and 8 ids of 32 (`RECENT_OFFERS` and `KNOWN_OFFERS` in quota/places.ts), and eleven short attributes. */
  place: 3 * WRITE_UNIT_BYTES,
  /** Two hashes of 64 characters and one of 16 in request-connection/offer.ts. */
  'client-token': 512,
  /** Three short attributes in window/end-mark.ts. */
  end: 512,
  /** A status reason of 256 characters, three bytes each at most (`MAX_STATUS_REASON_LENGTH`), and the outcome's event. */
  outcome: 2 * WRITE_UNIT_BYTES,
  /** A hash of 64 characters in api/check-user-id.ts. */
  owner: 512,
  /** 600 sessions by six bytes each (`MAX_LISTED` in window/waiting-sessions.ts): half a read unit. */
  waiting: 4 * WRITE_UNIT_BYTES,
  /** 500 ids of 128 characters, in watch-sessions/stream-groups.ts. 50 groups of today's ids: 1 KB. */
  'stream-groups': 68 * WRITE_UNIT_BYTES,
  /** Nine characters for each of 10,000 stream groups, in watch-sessions/stream-groups.ts. */
  'tag-matches': 92 * WRITE_UNIT_BYTES,
  /** Three numbers in window/drain.ts, and a stream group's id. */
  drain: 256,
  /** A reason of 256 characters, three bytes each at most (`MAX_REASON_LENGTH` in cli/switch). */
  switch: WRITE_UNIT_BYTES,
};

/** Returns what kind of item a key names: the sort key, without the number or hash behind it. */
export function itemKindOf({ sk }: Pick<ItemKey, 'sk'>): string {
  return sk.replace(/#.*/, '');
}

/** The partition of a session's items. Its owner is in another one. */
export function sessionPartition({ streamGroupId, streamSessionId }: SessionKey): string {
  return `session#${streamGroupId}/${streamSessionId}`;
}

/** Returns the session that `sessionPartition` was made of. An id contains neither of its separators. */
export function sessionOfPartition(partition: string): SessionKey {
  const slash = partition.indexOf('/');
  return {
    streamGroupId: partition.slice('session#'.length, slash),
    streamSessionId: partition.slice(slash + 1),
  };
}

export function windowKey(session: SessionKey): ItemKey {
  return { pk: sessionPartition(session), sk: 'window' };
}

/** Pads the number, so that a query of the session lists its outcomes in order. */
export function outcomeKey(session: SessionKey, generation: number): ItemKey {
  return { pk: sessionPartition(session), sk: `outcome#${String(generation).padStart(6, '0')}` };
}

export function placeKey(session: SessionKey): ItemKey {
  return { pk: sessionPartition(session), sk: 'place' };
}

/** Whether the session was ended on purpose, and who ended it. */
export function endMarkKey(session: SessionKey): ItemKey {
  return { pk: sessionPartition(session), sk: 'end' };
}

export function clientTokenKey(session: SessionKey, tokenHash: string): ItemKey {
  return { pk: sessionPartition(session), sk: `client-token#${tokenHash}` };
}

/** Not in the session's partition, because requests of strangers must not use up its throughput. */
export function ownerKey({ streamGroupId, streamSessionId }: SessionKey): ItemKey {
  return { pk: `owner#${streamSessionId}/${streamGroupId}`, sk: 'owner' };
}

/**
 * Which sessions of a stream group the service waits for; without a group, the item that lists of unknown groups share. A
 * stream group's id is never empty.
 */
export function waitingKey(streamGroupId = ''): ItemKey {
  return { pk: `waiting#${streamGroupId}`, sk: 'waiting' };
}

/** Which stream groups the watcher watches, where it is not told their ids. */
export const STREAM_GROUPS_KEY = { pk: 'groups#all', sk: 'stream-groups' } as const satisfies ItemKey;

/** Which stream groups the account has, and how their tags match, where they are chosen by a tag. */
export const TAG_MATCHES_KEY = { pk: 'groups#all', sk: 'tag-matches' } as const satisfies ItemKey;

export function lineKey(operation: QuotaOperation): ItemKey {
  return { pk: `line#${operation}`, sk: 'line' };
}

/** Calls of low priority take a permit of a lane of their own first. */
export function permitKey(operation: QuotaOperation, lane: '' | '#low' = ''): ItemKey {
  return { pk: `permit#${operation}${lane}`, sk: 'permit' };
}

/** Alone in its partition, so that a policy can name it (`dynamodb:LeadingKeys`). */
export const SWITCH_KEY = { pk: 'switch', sk: 'switch' } as const satisfies ItemKey;

/** The drain of a stream group. In partitions of its own, so that a policy can name them. */
export function drainKey(streamGroupId: string): ItemKey {
  return { pk: `drain#${streamGroupId}`, sk: 'drain' };
}

/**
 * The sparse index of open windows: an item is in it as long as it has the attribute `openIn`, which opening
 * sets and closing removes. So all open windows of a stream group are found without reading a closed one.
 *
 * Why: docs/decisions/watcher.md#open-windows-are-in-a-sparse-index-in-eight-shards
 */
export const OPEN_WINDOWS_INDEX = 'OpenWindows';

/** The value of `openIn`. */
export function openInKey(streamGroupId: string, shard: number): string {
  return `${streamGroupId}#${shard}`;
}
