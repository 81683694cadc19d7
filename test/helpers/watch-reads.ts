import { onTestFinished } from 'vitest';
import * as z from 'zod';
import type { Table } from '../../functions/shared/table/table.ts';

const readSchema = z.object({
  Key: z.object({ sk: z.string() }),
  ConsistentRead: z.boolean().default(false),
});

export interface WatchedRead {
  /** Which kind of item it was: the sort key. */
  readonly sk: string;
  readonly consistent: boolean;
}

/** Every GetItem of the table from now on. The local table is always consistent, DynamoDB only for whoever asks for it. */
export function watchReads(table: Table): readonly WatchedRead[] {
  const reads: WatchedRead[] = [];
  const { middlewareStack } = table.documents;
  middlewareStack.add(
    (next, context) => (args) => {
      if (context['commandName'] === 'GetItemCommand') {
        const { Key, ConsistentRead } = readSchema.parse(args.input);
        reads.push({ sk: Key.sk, consistent: ConsistentRead });
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
