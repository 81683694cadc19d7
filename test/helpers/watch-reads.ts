import { onTestFinished } from 'vitest';
import * as z from 'zod';
import type { Table } from '../../functions/shared/runtime/table.ts';

const keySchema = z.object({ sk: z.string() });
const getSchema = z.object({ Key: keySchema, ConsistentRead: z.boolean().default(false) });
const batchSchema = z.object({
  RequestItems: z.record(
    z.string(),
    z.object({ Keys: z.array(keySchema), ConsistentRead: z.boolean().default(false) }),
  ),
});

export interface WatchedRead {
  /** Which kind of item it was: the sort key. */
  readonly sk: string;
  readonly consistent: boolean;
}

/** Every item that is read by its key from now on. The local table is always consistent, DynamoDB only when asked for it. */
export function watchReads(table: Table): readonly WatchedRead[] {
  const reads: WatchedRead[] = [];
  const { middlewareStack } = table.documents;
  middlewareStack.add(
    (next, context) => (args) => {
      if (context['commandName'] === 'GetItemCommand') {
        const { Key, ConsistentRead } = getSchema.parse(args.input);
        reads.push({ sk: Key.sk, consistent: ConsistentRead });
      }
      if (context['commandName'] === 'BatchGetItemCommand') {
        for (const { Keys, ConsistentRead } of Object.values(batchSchema.parse(args.input).RequestItems)) {
          reads.push(...Keys.map(({ sk }) => ({ sk, consistent: ConsistentRead })));
        }
      }
      return next(args);
    },
    { step: 'initialize', name: 'watch-reads' },
  );
  onTestFinished(() => {
    middlewareStack.remove('watch-reads');
  });
  return reads;
}
