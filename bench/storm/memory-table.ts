import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { Table } from '../../functions/shared/table/table.ts';
import { conditionOf, type Item, updateOf } from './expressions.ts';

/** A write unit a second is what one item takes (DynamoDB, "partitions": 1,000 write units each). */
const WRITES_PER_SECOND = 1000;

export interface MemoryTableOptions {
  readonly nowMs: () => number;
  /** Resolves when a call's way there, or back, is over. */
  readonly travel: () => Promise<void>;
  readonly writesPerSecond?: number;
}

const keySchema = z.object({ pk: z.string(), sk: z.string() });
const inputSchema = z.object({
  Key: keySchema.optional(),
  Item: z.record(z.string(), z.unknown()).optional(),
  UpdateExpression: z.string().optional(),
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
  ExpressionAttributeValues: z.record(z.string(), z.unknown()).optional(),
  ReturnValues: z.literal('ALL_NEW').optional(),
});

/**
 * A table in memory behind the real document client: GetItem, PutItem and UpdateItem with the expressions that
 * the functions use, one item's limit on writes included. For simulations of more calls than dynalite can take;
 * `test/bench/memory-table.test.ts` holds it against dynalite.
 */
export class MemoryTable {
  readonly table: Table;
  /** The most writes that one item has had in a second, refused ones not counted. */
  mostWritesPerSecond = 0;
  reads = 0;
  writes = 0;
  refusedWrites = 0;
  readonly #items = new Map<string, Item>();
  readonly #writes = new Map<string, { second: number; count: number }>();
  readonly #options: MemoryTableOptions;

  constructor(options: MemoryTableOptions) {
    this.#options = options;
    const client = new DynamoDBClient({ region: 'us-west-2' });
    const documents = DynamoDBDocumentClient.from(client, {
      marshallOptions: { removeUndefinedValues: true },
    });
    documents.middlewareStack.add(
      (_, context) => async (args) => {
        await options.travel();
        const output = this.#answer(String(context['commandName']), args.input);
        await options.travel();
        return { response: {}, output: { $metadata: {}, ...output } };
      },
      { step: 'initialize', priority: 'high', name: 'memoryTable' },
    );
    this.table = { documents, name: 'Table' };
  }

  #answer(command: string, raw: unknown): object {
    const input = inputSchema.parse(raw);
    const key = keySchema.parse(input.Key ?? input.Item);
    const id = `${key.pk}\n${key.sk}`;
    const item = this.#items.get(id);
    if (command === 'GetItemCommand') {
      this.reads++;
      return item === undefined ? {} : { Item: item };
    }
    this.#countWrite(id);
    const context = {
      names: input.ExpressionAttributeNames ?? {},
      values: input.ExpressionAttributeValues ?? {},
    };
    const { ConditionExpression: condition, UpdateExpression: expression } = input;
    if (condition !== undefined && !conditionOf(condition)(item ?? {}, context)) {
      throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} });
    }
    if (command === 'PutItemCommand') {
      this.#items.set(id, { ...input.Item });
      return {};
    }
    if (command !== 'UpdateItemCommand' || expression === undefined)
      throw new Error(`No command: ${command}`);
    const next = { ...updateOf(expression)(item ?? {}, context), ...key };
    this.#items.set(id, next);
    return input.ReturnValues === undefined ? {} : { Attributes: next };
  }

  #countWrite(id: string): void {
    const second = Math.floor(this.#options.nowMs() / 1000);
    const counted = this.#writes.get(id);
    const count = counted?.second === second ? counted.count + 1 : 1;
    if (count > (this.#options.writesPerSecond ?? WRITES_PER_SECOND)) {
      this.refusedWrites++;
      throw new ProvisionedThroughputExceededException({ message: 'Too many writes', $metadata: {} });
    }
    this.writes++;
    this.mostWritesPerSecond = Math.max(this.mostWritesPerSecond, count);
    this.#writes.set(id, { second, count });
  }
}
