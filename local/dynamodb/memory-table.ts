import { DynamoDBClient, ThrottlingException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { MemoryItems } from './memory-items.ts';

export interface MemoryTableOptions {
  /** Counts what each key takes in a second. Without it no key is ever throttled. */
  readonly nowMs?: () => number;
  /** Resolves when a call's way there, or back, is over. */
  readonly travel: () => Promise<void>;
  /** Whether an item with a fraction in it is an error, as it is unless a test is about decimals. */
  readonly integersOnly?: boolean;
}

const keySchema = z.object({ pk: z.string() });
const writeSchema = z.object({ Key: keySchema.optional(), Item: keySchema.optional() });

/**
 * A table in memory behind the real document client, for simulations of more calls than dynalite can take. It stands in
 * for the SDK's own retries, too: they would sleep by the machine's clock.
 */
export class MemoryTable {
  readonly table: { readonly documents: DynamoDBDocumentClient; readonly name: string };
  /** The most write units that the items of one partition key have used in a second. */
  mostWriteUnitsPerSecond = 0;
  reads = 0;
  /** With those that were refused. */
  writes = 0;
  /** Throttled, because the key has used up its second. */
  refusedWrites = 0;
  readonly #items: MemoryItems;

  constructor(options: MemoryTableOptions) {
    this.#items = new MemoryItems(options);
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
      // After the middleware of tests, which watch calls and let them fail.
      { step: 'initialize', priority: 'low', name: 'memoryTable' },
    );
    this.table = { documents, name: 'Table' };
  }

  #answer(command: string, input: unknown): object {
    if (command !== 'PutItemCommand' && command !== 'UpdateItemCommand') {
      this.reads++;
      return this.#items.answer(command, input);
    }
    const { Key, Item } = writeSchema.parse(input);
    const partition = (Key ?? Item)?.pk ?? '';
    try {
      return this.#items.answer(command, input);
    } catch (error) {
      if (error instanceof ThrottlingException) this.refusedWrites++;
      throw error;
    } finally {
      this.writes++;
      const units = this.#items.writeUnitsOf(partition);
      this.mostWriteUnitsPerSecond = Math.max(this.mostWriteUnitsPerSecond, units);
    }
  }
}
