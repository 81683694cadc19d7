import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { conditionOf, type Item, updateOf } from './expressions.ts';

const keySchema = z.object({ pk: z.string(), sk: z.string() });
const itemSchema = z.record(z.string(), z.unknown());
const expressionsSchema = {
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
  ExpressionAttributeValues: itemSchema.optional(),
};
const getSchema = z.object({ Key: keySchema });
const putSchema = z.object({ Item: keySchema.and(itemSchema), ...expressionsSchema });
const updateSchema = z.object({
  Key: keySchema,
  UpdateExpression: z.string(),
  ReturnValues: z.literal('ALL_NEW').optional(),
  ...expressionsSchema,
});
const batchGetSchema = z.object({
  RequestItems: z.record(z.string(), z.object({ Keys: z.array(keySchema) })),
});
const querySchema = z.object({
  IndexName: z.string(),
  KeyConditionExpression: z.string(),
  ExpressionAttributeValues: itemSchema,
});

/**
 * What a table holds, and what each call to it answers, at once: the calls and expressions that the functions
 * use, on plain JavaScript values. Whatever else comes is refused. `test/dynamodb/memory-table.test.ts` holds it
 * against dynalite.
 */
export class MemoryItems {
  readonly #items = new Map<string, Item>();

  /**
   * @param command the name of a command of the document client or of the client below it.
   * @throws ConditionalCheckFailedException, and Error for what it does not know.
   */
  answer(command: string, input: unknown): object {
    switch (command.replace(/(Item)?Command$/, '')) {
      case 'Get': {
        const item = this.item(getSchema.parse(input).Key);
        return item === undefined ? {} : { Item: item };
      }
      case 'Put':
        return this.#put(putSchema.parse(input));
      case 'Update':
        return this.#update(updateSchema.parse(input));
      case 'BatchGet':
        return this.#batchGet(batchGetSchema.parse(input));
      case 'Query':
        return this.#query(querySchema.parse(input));
      case 'Scan':
        return { Items: this.all() };
      default:
        throw new Error(`No command: ${command}`);
    }
  }

  item(key: { readonly pk: string; readonly sk: string }): Item | undefined {
    return this.#items.get(idOf(key));
  }

  /** In the order of their keys. */
  all(): Item[] {
    return [...this.#items.entries()]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, item]) => item);
  }

  #put({ Item: item, ...expressions }: z.output<typeof putSchema>): object {
    const id = idOf(item);
    check(this.#items.get(id), expressions);
    this.#items.set(id, withoutUndefined(item));
    return {};
  }

  #update({
    Key: key,
    ReturnValues,
    UpdateExpression,
    ...expressions
  }: z.output<typeof updateSchema>): object {
    const id = idOf(key);
    const item = this.#items.get(id);
    check(item, expressions);
    const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = expressions;
    const next = withoutUndefined({
      ...updateOf(UpdateExpression)(item ?? {}, { names, values }),
      ...key,
    });
    this.#items.set(id, next);
    return ReturnValues === undefined ? {} : { Attributes: next };
  }

  #batchGet({ RequestItems }: z.output<typeof batchGetSchema>): object {
    const responses = Object.entries(RequestItems).map(([table, { Keys }]) => [
      table,
      Keys.flatMap((key) => this.#items.get(idOf(key)) ?? []),
    ]);
    return { Responses: Object.fromEntries(responses), UnprocessedKeys: {} };
  }

  /** An index of this memory never lags. */
  #query({
    KeyConditionExpression,
    ExpressionAttributeValues: values,
  }: z.output<typeof querySchema>): object {
    const holds = conditionOf(KeyConditionExpression);
    return { Items: this.all().filter((item) => holds(item, { names: {}, values })) };
  }
}

function idOf({ pk, sk }: { readonly pk: string; readonly sk: string }): string {
  return `${pk}\n${sk}`;
}

function check(
  item: Item | undefined,
  {
    ConditionExpression: condition,
    ExpressionAttributeNames: names = {},
    ExpressionAttributeValues: values = {},
  }: {
    readonly ConditionExpression?: string | undefined;
    readonly ExpressionAttributeNames?: Record<string, string> | undefined;
    readonly ExpressionAttributeValues?: Record<string, unknown> | undefined;
  },
): void {
  if (condition === undefined || conditionOf(condition)(item ?? {}, { names, values })) return;
  throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} });
}

/** As the document client sends it. */
function withoutUndefined(item: Item): Item {
  return Object.fromEntries(
    Object.entries(item)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, isPlain(value) ? withoutUndefined(value) : value]),
  );
}

function isPlain(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
