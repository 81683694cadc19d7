/**
 * The drain of a stream group: one item, heard as the switch is. Until its end a window that opens gets the drain's end as its
 * own early end; after it the item says nothing.
 *
 * Why: docs/decisions/leaving.md#a-drain-is-an-item-and-two-passes-over-the-open-windows
 */
import * as z from 'zod';
import { drainKey } from '../contracts/table-keys.ts';
import { type Clock, isFresh } from '../runtime/clock.ts';
import type { Log } from '../runtime/logging.ts';
import { SWITCH_CACHE_MS } from '../runtime/switch.ts';
import { epochSeconds, putIf, readItem, type Table, wholeNumberSchema } from '../runtime/table.ts';

const drainItemSchema = z.object({ endsAtMs: wholeNumberSchema });

/** How long a drain may take to be heard of. */
export const DRAIN_CACHE_MS = SWITCH_CACHE_MS;
/** Of a stream group whose drain is over, for an operator who looks into it. */
const RETENTION_MS = 24 * 3600 * 1000;
/** Groups that one process remembers. An account has 500 watched ones at most. */
const MAX_GROUPS = 1000;

/** @throws DependencyUnavailableException */
export async function writeDrain(
  table: Table,
  streamGroupId: string,
  { endsAtMs, nowMs }: { readonly endsAtMs: number; readonly nowMs: number },
): Promise<void> {
  const item = { ...drainKey(streamGroupId), endsAtMs, startedAtMs: Math.floor(nowMs) };
  await putIf(table, { ...item, expiresAt: epochSeconds(endsAtMs + RETENTION_MS) }, {});
}

/**
 * @returns when the drain of the stream group ends or has ended; undefined when there is none.
 * @throws DependencyUnavailableException
 */
export async function readDrain(table: Table, streamGroupId: string): Promise<number | undefined> {
  const item = await readItem(table, drainKey(streamGroupId));
  return item === undefined ? undefined : drainItemSchema.parse(item).endsAtMs;
}

/** Returns when the stream group's drain ends; undefined while none is under way. Never fails. */
export type DrainEnd = (streamGroupId: string, log: Log) => Promise<number | undefined>;

/** A group's drain as this process knows it, read every five seconds at most. What cannot be read is as it was last. */
export function drainReader({ table, clock }: { readonly table: Table; readonly clock: Clock }): DrainEnd {
  const known = new Map<string, { readonly endsAtMs: number | undefined; readonly readAtMs: number }>();
  return async (streamGroupId, log) => {
    let entry = known.get(streamGroupId);
    if (entry === undefined || !isFresh(entry.readAtMs, DRAIN_CACHE_MS, clock.nowMs())) {
      try {
        entry = { endsAtMs: await readDrain(table, streamGroupId), readAtMs: clock.nowMs() };
      } catch (error) {
        log.error('DrainUnreadable', error);
        entry = { endsAtMs: entry?.endsAtMs, readAtMs: clock.nowMs() };
      }
      known.delete(streamGroupId);
      known.set(streamGroupId, entry);
      const [oldest] = known.keys();
      if (known.size > MAX_GROUPS && oldest !== undefined) known.delete(oldest);
    }
    const { endsAtMs } = entry;
    return endsAtMs !== undefined && endsAtMs > clock.nowMs() ? endsAtMs : undefined;
  };
}
