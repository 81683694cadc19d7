import { onTestFinished } from 'vitest';
import type { Table } from '../../functions/shared/runtime/table.ts';

/** The names of the commands that write to the table from now on. */
export function watchWrites(table: Table): readonly string[] {
  const writes: string[] = [];
  const { middlewareStack } = table.documents;
  middlewareStack.add(
    (next, context) => (args) => {
      const command = String(context['commandName']);
      if (command === 'PutItemCommand' || command === 'UpdateItemCommand') writes.push(command);
      return next(args);
    },
    { step: 'initialize', name: 'watch-writes' },
  );
  onTestFinished(() => {
    middlewareStack.remove('watch-writes');
  });
  return writes;
}
