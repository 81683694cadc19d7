import { DynamoDBClient, ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { MemoryItems } from './memory-items.ts';

/** A write unit a second is what one item takes (DynamoDB, "partitions": 1,000 write units each). */
const WRITES_PER_SECOND = 1000;

export interface MemoryTableOptions {
  readonly nowMs: () => number;
  /** Resolves when a call's way there, or back, is over. */
  readonly travel: () => Promise<void>;
  readonly writesPerSecond?: number;
}

const keySchema = z.object({ pk: z.string(), sk: z.string() });
const writeSchema = z.object({ Key: keySchema.optional(), Item: keySchema.optional() });

/**
 * A table in memory behind the real document client, one item's limit on writes included. For simulations of
 * more calls than dynalite can take.
 */
export class MemoryTable {
  readonly table: { readonly documents: DynamoDBDocumentClient; readonly name: string };
  /** The most writes that one item has had in a second, refused ones not counted. */
  mostWritesPerSecond = 0;
  reads = 0;
  writes = 0;
  refusedWrites = 0;
  readonly #items = new MemoryItems();
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

  #answer(command: string, input: unknown): object {
    if (command === 'PutItemCommand' || command === 'UpdateItemCommand') this.#countWrite(input);
    else this.reads++;
    return this.#items.answer(command, input);
  }

  #countWrite(input: unknown): void {
    const { Key, Item } = writeSchema.parse(input);
    const key = Key ?? Item;
    const id = `${key?.pk}\n${key?.sk}`;
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
