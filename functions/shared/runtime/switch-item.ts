import { PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { SWITCH_KEY } from '../contracts/table-keys.ts';
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
