import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { type Attributes, attributesOf, itemBytes, readUnits, valuesOf } from './attributes.ts';
import { KeyCapacity, throttled } from './capacity.ts';
import { conditionOf, UpdateRefusal, updateOf } from './expressions.ts';
import { demandIntegers } from './integers-at-rest.ts';
import { MAX_BATCH_BYTES, MAX_QUERY_PAGE_BYTES } from './limits.ts';
import {
  INDEX_KEY,
  refuse,
  validateKey,
  validatePut,
  validateQuery,
  validateUpdate,
  validateUpdated,
  type WriteRequest,
} from './validation.ts';

export type Item = Readonly<Record<string, unknown>>;

const itemSchema = z.record(z.string(), z.unknown());
const attributesSchema = itemSchema.transform(attributesOf);
const expressionsSchema = {
  TableName: z.string().optional(),
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
  ExpressionAttributeValues: attributesSchema.optional(),
};
const getSchema = z.object({ Key: attributesSchema, ConsistentRead: z.boolean().optional() });
const putSchema = z.object({ Item: attributesSchema, ...expressionsSchema });
const updateSchema = z.object({
  Key: attributesSchema,
  UpdateExpression: z.string(),
  ReturnValues: z.literal('ALL_NEW').optional(),
  ...expressionsSchema,
});
/** Of tests: the functions delete nothing. */
const deleteSchema = z.strictObject({ TableName: z.string(), Key: attributesSchema });
const batchGetSchema = z.object({
  RequestItems: z.record(
    z.string(),
    z.object({ Keys: z.array(attributesSchema), ConsistentRead: z.boolean().optional() }),
  ),
});
const querySchema = z.object({
  /** Without it the table itself, by the items' own partition. */
  IndexName: z.string().optional(),
  KeyConditionExpression: z.string(),
  ExpressionAttributeValues: attributesSchema,
  ExclusiveStartKey: z.object({ pk: z.string(), sk: z.string() }).loose().optional(),
});
/** Of operators' commands and tests: one page, however large. */
const scanSchema = z.object({
  IndexName: z.string().optional(),
  FilterExpression: z.string().optional(),
  ExpressionAttributeValues: attributesSchema.optional(),
});

const MAX_BATCH_KEYS = 100;

export interface MemoryItemsOptions {
  /** Counts what each key takes in a second. Without it no key is ever throttled. */
  readonly nowMs?: () => number;
  /** Whether an item with a fraction in it is an error. It is, unless a test is about other fractions than the service writes. */
  readonly integersOnly?: boolean;
  /** Called with each item as it is written. */
  readonly onWrite?: (item: Attributes) => void;
}

/**
 * What a table holds, and what each call to it answers, at once: the calls and expressions that the functions use, as
 * the document client writes and reads them. Whatever else comes is refused. `test/dynamodb` holds it against dynalite.
 */
export class MemoryItems {
  readonly #items = new Map<string, Attributes>();
  /** Items as the document client reads them. */
  readonly #read = new WeakMap<Attributes, Item>();
  readonly #capacity: KeyCapacity | undefined;
  readonly #integersOnly: boolean;
  readonly #onWrite: MemoryItemsOptions['onWrite'];

  constructor({ nowMs, integersOnly = true, onWrite }: MemoryItemsOptions = {}) {
    this.#integersOnly = integersOnly;
    this.#onWrite = onWrite;
    const indexes = [{ name: 'OpenWindows', key: INDEX_KEY }];
    this.#capacity = nowMs === undefined ? undefined : new KeyCapacity(nowMs, indexes);
  }

  /**
   * @param command the name of a command of the document client or of the client below it.
   * @throws what the SDK throws: ConditionalCheckFailedException, ThrottlingException, and ValidationException in
   *   DynamoDB's words; Error for what the client refuses to send, and for what is not known here.
   */
  answer(command: string, input: unknown): object {
    switch (command.replace(/(Item)?Command$/, '')) {
      case 'Get':
        return this.#get(getSchema.parse(input));
      case 'Put':
        return this.#put(putSchema.parse(input));
      case 'Update':
        return this.#update(updateSchema.parse(input));
      case 'Delete':
        return this.#delete(deleteSchema.parse(input));
      case 'BatchGet':
        return this.#batchGet(batchGetSchema.parse(input));
      case 'Query':
        return this.#query(querySchema.parse(input));
      case 'Scan':
        return this.#scan(scanSchema.parse(input));
      default:
        throw new Error(`No command: ${command}`);
    }
  }

  item(key: { readonly pk: string; readonly sk: string }): Item | undefined {
    const item = this.#items.get(`${key.pk}\n${key.sk}`);
    return item && this.#valuesOf(item);
  }

  /** In the order of their keys. */
  all(): Item[] {
    return this.#ordered().map((item) => this.#valuesOf(item));
  }

  /** Write units that the key has used in this second. */
  writeUnitsOf(partition: string): number {
    return this.#capacity?.used('write', partition) ?? 0;
  }

  #get({ Key: key, ConsistentRead }: z.output<typeof getSchema>): object {
    validateKey(key);
    if (this.#capacity?.isReadTooMuch(partitionOf(key))) throw throttled();
    const item = this.#items.get(idOf(key));
    this.#countRead(key, item, ConsistentRead);
    return item === undefined ? {} : { Item: this.#valuesOf(item) };
  }

  #put({ Item: item, ...request }: z.output<typeof putSchema>): object {
    validatePut(item, request);
    const id = idOf(item);
    const old = this.#items.get(id);
    this.#check(item, old, request);
    this.#store(id, old, item);
    return {};
  }

  #update({ Key: key, ReturnValues, ...request }: z.output<typeof updateSchema>): object {
    validateUpdate(key, request);
    const id = idOf(key);
    const old = this.#items.get(id);
    this.#check(key, old, request);
    const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = request;
    const changed = { ...updated(request.UpdateExpression, old ?? {}, { names, values }), ...key };
    validateUpdated(changed);
    this.#store(id, old, changed);
    return ReturnValues === undefined ? {} : { Attributes: this.#valuesOf(changed) };
  }

  #delete({ Key: key }: z.output<typeof deleteSchema>): object {
    validateKey(key);
    this.#items.delete(idOf(key));
    return {};
  }

  /** A condition that fails uses write units, too. */
  #check(key: Attributes, old: Attributes | undefined, request: WriteRequest): void {
    if (this.#capacity?.isWriteTooMuch(partitionOf(key), old)) throw throttled();
    const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = request;
    const condition = request.ConditionExpression;
    if (condition === undefined || conditionOf(condition)(old ?? {}, { names, values })) return;
    this.#capacity?.write(partitionOf(key), old, undefined);
    throw new ConditionalCheckFailedException({
      message: 'The conditional request failed',
      $metadata: { httpStatusCode: 400 },
    });
  }

  #store(id: string, old: Attributes | undefined, changed: Attributes): void {
    if (this.#integersOnly) demandIntegers(changed);
    this.#items.set(id, changed);
    this.#capacity?.write(partitionOf(changed), old, changed);
    this.#onWrite?.(changed);
  }

  #countRead(key: Attributes, item: Attributes | undefined, isConsistent = false): void {
    const units = () => readUnits(item === undefined ? 0 : itemBytes(item), isConsistent);
    if (this.#capacity !== undefined) this.#capacity.read(units(), partitionOf(key));
  }

  #batchGet({ RequestItems }: z.output<typeof batchGetSchema>): object {
    const Responses: Record<string, Item[]> = {};
    const UnprocessedKeys: Record<string, object> = {};
    for (const [table, { Keys, ConsistentRead }] of Object.entries(RequestItems)) {
      validateBatch(Keys);
      const items: Item[] = [];
      const left: Item[] = [];
      let bytes = 0;
      for (const key of Keys) {
        const item = this.#items.get(idOf(key));
        bytes += item === undefined ? 0 : itemBytes(item);
        if (bytes > MAX_BATCH_BYTES) left.push(valuesOf(key));
        else {
          this.#countRead(key, item, ConsistentRead);
          if (item !== undefined) items.push(this.#valuesOf(item));
        }
      }
      Responses[table] = items;
      if (left.length > 0) UnprocessedKeys[table] = { Keys: left, ConsistentRead };
    }
    return { Responses, UnprocessedKeys };
  }

  /** An index of this memory never lags. A page ends when it has read 1 MB. */
  #query({ ExclusiveStartKey: start, IndexName, ...request }: z.output<typeof querySchema>): object {
    validateQuery(request);
    const values = request.ExpressionAttributeValues;
    const key = Object.values(values)[0]?.S ?? '';
    if (this.#capacity?.isReadTooMuch(key, IndexName)) throw throttled();
    const holds = conditionOf(request.KeyConditionExpression);
    const startId = start === undefined ? '' : `${start.pk}\n${start.sk}`;
    const page: Attributes[] = [];
    let bytes = 0;
    for (const item of this.#ordered()) {
      if (bytes >= MAX_QUERY_PAGE_BYTES) break;
      if (idOf(item) <= startId || !holds(item, { names: {}, values })) continue;
      page.push(item);
      bytes += itemBytes(item);
    }
    this.#capacity?.read(readUnits(bytes, false), key, IndexName);
    const Items = page.map((item) => this.#valuesOf(item));
    const last = page.at(-1);
    if (bytes < MAX_QUERY_PAGE_BYTES || last === undefined) return { Items };
    const { pk, sk, [INDEX_KEY]: indexKey } = this.#valuesOf(last);
    return { Items, LastEvaluatedKey: { pk, sk, [INDEX_KEY]: indexKey } };
  }

  #scan({
    IndexName,
    FilterExpression,
    ExpressionAttributeValues: values = {},
  }: z.output<typeof scanSchema>) {
    const holds = FilterExpression === undefined ? () => true : conditionOf(FilterExpression);
    const scanned = this.#ordered().filter((item) => IndexName === undefined || INDEX_KEY in item);
    return {
      Items: scanned.filter((item) => holds(item, { names: {}, values })).map((item) => this.#valuesOf(item)),
    };
  }

  #ordered(): Attributes[] {
    return [...this.#items.entries()]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, item]) => item);
  }

  #valuesOf(item: Attributes): Item {
    const known = this.#read.get(item);
    if (known !== undefined) return known;
    const values = valuesOf(item);
    this.#read.set(item, values);
    return values;
  }
}

function partitionOf(key: Attributes): string {
  return key['pk']?.S ?? '';
}

function idOf(key: Attributes): string {
  return `${partitionOf(key)}\n${key['sk']?.S ?? ''}`;
}

function updated(
  text: string,
  item: Attributes,
  context: Parameters<ReturnType<typeof updateOf>>[1],
): Attributes {
  try {
    return updateOf(text)(item, context);
  } catch (error) {
    if (error instanceof UpdateRefusal) refuse(error.message);
    throw error;
  }
}

function validateBatch(keys: readonly Attributes[]): void {
  if (keys.length > MAX_BATCH_KEYS) refuse('Too many items requested for the BatchGetItem call');
  if (new Set(keys.map(idOf)).size < keys.length) refuse('Provided list of item keys contains duplicates');
  keys.forEach(validateKey);
}
