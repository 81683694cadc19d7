import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { paceOf, type Quota } from '../../functions/shared/quota/permits.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';

/**
 * The operation's quota is spoken for: its next permit is free at `freeAtMs`. With `#low`, so is the part of it that
 * calls of low priority may take.
 */
export async function bookPermits(
  table: Table,
  { operation, perSecond }: Quota,
  freeAtMs: number,
  lane: '' | '#low' = '',
): Promise<void> {
  const { burstMs } = paceOf({}, perSecond, 0);
  await table.documents.send(
    new PutCommand({
      TableName: table.name,
      Item: { pk: `permit#${operation}${lane}`, sk: 'permit', bookedUntilMs: freeAtMs + burstMs },
    }),
  );
}
