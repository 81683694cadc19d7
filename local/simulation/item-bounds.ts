import { type Attributes, itemBytes } from '../dynamodb/attributes.ts';
import { WRITE_UNIT_BYTES } from '../dynamodb/limits.ts';

/**
 * The largest size of each kind of item in bytes, whatever the timeout and however often anyone asks or reports. Ids of
 * sessions and stream groups have 128 characters at most. The files below are in functions/shared.
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
  /** Two hashes of 64 characters in api/client-tokens.ts. */
  'client-token': 512,
  /** A status reason of 256 characters, three bytes each at most (`MAX_STATUS_REASON_LENGTH`), and the outcome's event. */
  outcome: 2 * WRITE_UNIT_BYTES,
  /** A hash of 64 characters in api/owners.ts. */
  owner: 512,
  /** A reason of 256 characters, three bytes each at most (`MAX_REASON_LENGTH` in cli/switch). */
  switch: WRITE_UNIT_BYTES,
};

/** Notes how large the items of each kind become: `onWrite` is for `MemoryItems`. */
export function largestItems() {
  const largestBytes: Record<string, number> = {};
  const onWrite = (item: Attributes): void => {
    const [kind = ''] = (item['sk']?.S ?? '').split('#');
    largestBytes[kind] = Math.max(largestBytes[kind] ?? 0, itemBytes(item));
  };
  return { largestBytes, onWrite };
}
