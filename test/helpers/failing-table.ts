import { InternalServerError } from '@aws-sdk/client-dynamodb';
import { onTestFinished } from 'vitest';
import type { Table } from '../../functions/shared/table/table.ts';

export type TableOperation = 'PutItemCommand' | 'UpdateItemCommand' | 'GetItemCommand';

/**
 * The table's next such call fails as DynamoDB fails after the SDK's retries: BEFORE anything was written, or
 * AFTER the write took place and its reply was lost.
 */
export function failNext(table: Table, operation: TableOperation, when: 'BEFORE' | 'AFTER'): void {
  onNext(table, operation, async (call) => {
    if (when === 'AFTER') await call();
    throw new InternalServerError({
      message: 'Internal server error',
      $metadata: { httpStatusCode: 500, attempts: 5 },
    });
  });
}

/** The table's next such call is answered after `wait`. */
export function delayNext(table: Table, operation: TableOperation, wait: () => Promise<void>): void {
  onNext(table, operation, async (call) => {
    const reply = await call();
    await wait();
    return reply;
  });
}

function onNext(
  table: Table,
  operation: TableOperation,
  around: <Reply>(call: () => Promise<Reply>) => Promise<Reply>,
): void {
  const { middlewareStack } = table.documents;
  const remove = () => {
    middlewareStack.remove(`next-${operation}`);
  };
  middlewareStack.add(
    (next, context) => (args) => {
      if (context['commandName'] !== operation) return next(args);
      remove();
      return around(() => next(args));
    },
    { step: 'initialize', name: `next-${operation}` },
  );
  onTestFinished(remove);
}
