import { PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { SWITCH_KEY } from '../contracts/table-keys.ts';
import { type Clock, isFresh, withTimeout } from './clock.ts';
import { DependencyUnavailableException } from './errors.ts';
import type { Log } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { callDependency } from './service-fault.ts';
import { readItem, type Table } from './table.ts';

/**
 * What the service does with a call that is made now; docs/switch.md says it for each route.
 * `passThrough`: the call goes to Amazon GameLift Streams at once, past everything that this service adds.
 *
 * Why: docs/decisions/off-switch.md#the-off-switch-is-one-item-of-the-table-with-three-states
 */
export const switchStateSchema = z.enum(['on', 'passThrough', 'refuse']);
export type SwitchState = z.infer<typeof switchStateSchema>;

export const switchItemSchema = z.object({
  state: switchStateSchema,
  changedAt: z.string().optional(),
  reason: z.string().optional(),
});
export type SwitchItem = z.infer<typeof switchItemSchema>;

/**
 * @returns undefined when nobody has ever switched, which is `on`.
 * @throws DependencyUnavailableException, UnexpectedError; ZodError when the item was written by hand, and wrong.
 */
export async function readSwitchItem(
  table: Table,
  abortSignal?: AbortSignal,
): Promise<SwitchItem | undefined> {
  const item = await readItem(table, SWITCH_KEY, { abortSignal });
  return item === undefined ? undefined : switchItemSchema.parse(item);
}

/** @throws DependencyUnavailableException, UnexpectedError */
export async function writeSwitchItem(table: Table, item: SwitchItem): Promise<void> {
  await callDependency(() =>
    table.documents.send(new PutCommand({ TableName: table.name, Item: { ...SWITCH_KEY, ...item } })),
  );
}

/** How long a change may take to be heard of. One read in 5 s is nothing beside what a request reads anyway. */
export const SWITCH_CACHE_MS = 5000;
/** The table answers within milliseconds; when it is in trouble, no request waits longer than that for the switch. */
const READ_TIMEOUT_MS = 500;

/** What a switch that was written by hand, without the time, counts as: a ticket too early is better than none. */
const UNKNOWN_SINCE_MS = 3_600_000;

/** Never fails, and reads at most every five seconds. With metrics it measures how long the service has been off. */
export type ReadSwitch = (log: Log, metrics?: Metrics) => Promise<SwitchState>;

/**
 * The switch as this process knows it. What cannot be read is as it was last, and `on` before the first read: a
 * switch that is there for when things break must break nothing itself, and must not undo what an operator has set.
 */
export function switchReader({ table, clock }: { readonly table: Table; readonly clock: Clock }): ReadSwitch {
  let known: SwitchState = 'on';
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const read = async (log: Log, metrics?: Metrics): Promise<void> => {
    try {
      const item = await withTimeout(clock, READ_TIMEOUT_MS, (signal) =>
        // The SDK's pause between two attempts does not end with the signal.
        Promise.race([readSwitchItem(table, signal), failureAt(signal)]),
      );
      const state = item?.state ?? 'on';
      if (state !== known) log.warn('SwitchChanged', { from: known, to: state });
      known = state;
      if (metrics !== undefined) measureSwitch(item, clock.nowMs(), metrics);
    } catch (error) {
      log.error('SwitchUnreadable', error, { state: known });
    }
    // After a failure too, so that it is not every request that waits for a table in trouble.
    readAtMs = clock.nowMs();
  };

  return async (log, metrics) => {
    if (isFresh(readAtMs, SWITCH_CACHE_MS, clock.nowMs())) return known;
    reading ??= read(log, metrics).finally(() => {
      reading = undefined;
    });
    await reading;
    return known;
  };
}

/** Measures for how long the service has not been `on`. A switch that is `on` has no value, so it costs no metric. */
export function measureSwitch(item: SwitchItem | undefined, nowMs: number, metrics: Metrics): void {
  if (item === undefined || item.state === 'on') return;
  const sinceMs = Date.parse(item.changedAt ?? '');
  const offForMs = Number.isNaN(sinceMs) ? UNKNOWN_SINCE_MS : Math.max(0, nowMs - sinceMs);
  metrics.add('SwitchedOffFor', offForMs);
}

function failureAt(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new DependencyUnavailableException()));
  });
}
