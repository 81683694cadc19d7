import { InternalServerError } from '@aws-sdk/client-dynamodb';
import { onTestFinished } from 'vitest';
import type { Table } from '../../functions/shared/runtime/table.ts';

export type TableOperation =
  | 'PutItemCommand'
  | 'UpdateItemCommand'
  | 'GetItemCommand'
  | 'BatchGetItemCommand';

/**
 * The table's next such call fails as DynamoDB fails after the SDK's retries: BEFORE anything was written, or
 * AFTER the write took place and its reply was lost.
 */
export function failNext(
  table: Table,
  operation: TableOperation,
  when: 'BEFORE' | 'AFTER',
  error: Error = new InternalServerError({
    message: 'Internal server error',
    $metadata: { httpStatusCode: 500, attempts: 5 },
  }),
): void {
  onNext(table, operation, async (call) => {
    if (when === 'AFTER') await call();
    throw error;
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

/** Before the table's next such call something else happens. */
export function beforeNext(table: Table, operation: TableOperation, act: () => Promise<unknown>): void {
  onNext(table, operation, async (call) => {
    await act();
    return call();
  });
}

/**
 * After each of the table's next reads of an item, `times` of them, something else happens before the reader goes on:
 * what it then writes is too late.
 *
 * @returns how many such reads there have been.
 */
export function raceReads(
  table: Table,
  times: number,
  race: (read: number) => Promise<unknown>,
): () => number {
  let reads = 0;
  const wait = async () => {
    reads++;
    if (reads < times) delayNext(table, 'GetItemCommand', wait);
    await race(reads);
  };
  delayNext(table, 'GetItemCommand', wait);
  return () => reads;
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
