import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  NumberValue,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryTable } from '../../dynamodb/memory-table.ts';
import { type DynamoDb, startDynamoDb } from '../../dynamodb/server.ts';
import { documentsAt, REGION, TABLE_DEFINITION } from './small-table.ts';

let nowMs = 0;
let lastKey = 0;
let server: DynamoDb | undefined;
const TableName = TABLE_DEFINITION.TableName;

beforeAll(async () => {
  const tables = [TABLE_DEFINITION];
  server = await startDynamoDb({ port: 0, region: REGION, tables, nowMs: () => nowMs });
});
afterAll(() => server?.close());

const dynalite = () => documentsAt(server?.url ?? '');

function memory(): DynamoDBDocumentClient {
  return new MemoryTable({ nowMs: () => nowMs, travel: async () => {}, integersOnly: false }).table.documents;
}

/** Each test has a key and a second of its own. */
function newKey() {
  nowMs += 1000;
  return { pk: `key-${lastKey++}`, sk: 'item' };
}

interface Update {
  readonly expression: string;
  readonly condition?: string;
  readonly values?: Record<string, unknown>;
  readonly names?: Record<string, string>;
}

function update(Key: { pk: string; sk: string }, { expression, condition, values, names }: Update) {
  return new UpdateCommand({
    TableName,
    Key,
    UpdateExpression: expression,
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
    ExpressionAttributeNames: names,
    ReturnValues: 'ALL_NEW',
  });
}

const put = (item: { pk: string; sk: string }) => new PutCommand({ TableName, Item: item });

/** `SET …` of exactly so many bytes. */
function expressionOf(bytes: number): string {
  const names = Array.from({ length: 20 }, (_, index) => `attribute${index}`);
  const text = `SET ${names.map((name) => `${name} = :v`).join(', ')}`;
  return text.padEnd(bytes);
}

const additionsOf = (count: number) =>
  `SET ${Array.from({ length: count }, (_, index) => `a${index}=:v+:v`).join(',')}`;
const comparisonsOf = (operators: number) =>
  Array.from({ length: (operators + 1) / 2 }, () => 'a<>:v').join(' OR ');

describe.each([
  { table: 'dynalite', documents: dynalite },
  { table: 'the table in memory', documents: memory },
])('$table', ({ documents }) => {
  const refused = (message: string) => ({ name: 'ValidationException', message });

  it('takes an expression of 4,096 bytes and refuses one of 4,097', async () => {
    const table = documents();
    const values = { ':v': 1 };

    await table.send(update(newKey(), { expression: expressionOf(4096), values }));
    const refusal = table.send(update(newKey(), { expression: expressionOf(4097), values }));

    await expect(refusal).rejects.toMatchObject(
      refused(
        'Invalid UpdateExpression: Expression size has exceeded the maximum allowed size; expression size: 4097',
      ),
    );
  });

  it('takes 300 operators in an update and refuses 301', async () => {
    const table = documents();
    const values = { ':v': 1 };

    await table.send(update(newKey(), { expression: additionsOf(300), values }));
    const refusal = table.send(update(newKey(), { expression: additionsOf(301), values }));

    await expect(refusal).rejects.toMatchObject(
      refused('Invalid UpdateExpression: The expression contains too many operators; operator count: 301'),
    );
  });

  it('takes 299 operators in a condition and refuses 301', async () => {
    const table = documents();
    const one = { expression: 'SET b = :v', values: { ':v': 1 } };

    await table.send(update(newKey(), { ...one, condition: comparisonsOf(299) }));
    const refusal = table.send(update(newKey(), { ...one, condition: comparisonsOf(301) }));

    await expect(refusal).rejects.toMatchObject(
      refused('Invalid ConditionExpression: The expression contains too many operators; operator count: 301'),
    );
  });

  it('puts an item of 400 KB, counted in UTF-8, and refuses one byte more', async () => {
    const table = documents();
    const key = newKey();
    const room = 400 * 1024 - Buffer.byteLength(`pk${key.pk}sk${key.sk}text`);

    await table.send(
      new PutCommand({ TableName, Item: { ...key, text: 'é'.repeat(room / 2) + 'x'.repeat(room % 2) } }),
    );
    const refusal = table.send(
      new PutCommand({
        TableName,
        Item: { ...key, text: `${'é'.repeat(room / 2)}${'x'.repeat((room % 2) + 1)}` },
      }),
    );

    await expect(refusal).rejects.toMatchObject(refused('Item size has exceeded the maximum allowed size'));
  });

  it('refuses an update that makes an item larger than 400 KB', async () => {
    const table = documents();
    const key = newKey();
    const half = 'x'.repeat(201 * 1024);

    await table.send(update(key, { expression: 'SET a = :half', values: { ':half': half } }));
    nowMs += 1000;
    const refusal = table.send(update(key, { expression: 'SET b = :half', values: { ':half': half } }));

    await expect(refusal).rejects.toMatchObject(
      refused('Item size to update has exceeded the maximum allowed size'),
    );
  });

  it('adds decimals exactly: what a double cannot hold is not equal to it', async () => {
    const table = documents();
    const key = newKey();
    const add = { expression: 'SET a = a + :third', values: { ':third': 33.333333333333336 } };

    await table.send(update(key, { expression: 'SET a = :start', values: { ':start': 1767225600000 } }));
    const { Attributes } = await table.send(update(key, add));
    const seen = Attributes?.['a'];
    const refusal = table.send(
      update(key, { expression: 'SET b = :seen', condition: 'a = :seen', values: { ':seen': seen } }),
    );

    await expect(refusal).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  });

  it('compares numbers of 38 digits by their last digit', async () => {
    const table = documents();
    const key = newKey();
    const [low, high] = [
      '12345678901234567890.123456789012345677',
      '12345678901234567890.123456789012345678',
    ];
    const store = new UpdateCommand({
      TableName,
      Key: key,
      UpdateExpression: 'SET a = :low',
      ExpressionAttributeValues: { ':low': NumberValue.from(low) },
    });
    const isLower = (value: string) =>
      new UpdateCommand({
        TableName,
        Key: key,
        UpdateExpression: 'SET b = :true',
        ConditionExpression: 'a < :value',
        ExpressionAttributeValues: { ':value': NumberValue.from(value), ':true': true },
      });

    await table.send(store);
    await table.send(isLower(high));

    await expect(table.send(isLower(low))).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  });

  it('refuses a sum of more than 38 digits', async () => {
    const table = documents();
    const key = newKey();

    await table.send(update(key, { expression: 'ADD a :v', values: { ':v': 0.1 } }));
    const refusal = table.send(
      new UpdateCommand({
        TableName,
        Key: key,
        UpdateExpression: 'ADD a :v',
        ExpressionAttributeValues: { ':v': NumberValue.from(`1${'0'.repeat(38)}`) },
      }),
    );

    await expect(refusal).rejects.toMatchObject(
      refused('Attempting to store more than 38 significant digits in a Number'),
    );
  });

  it('takes 1,000 write units of one key in a second, failed conditions among them', async () => {
    const table = documents();
    const key = newKey();
    const failed = update(key, { expression: 'SET a = :v', condition: 'a = :v', values: { ':v': 1 } });

    await Promise.allSettled(Array.from({ length: 1000 }, () => table.send(failed)));
    const refusal = table.send(put(key));

    await expect(refusal).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: expect.stringMatching(/^Throughput exceeds the current capacity of your table or index\./),
    });
    nowMs += 1000;
    await table.send(put(key));
  });

  it('counts a write by the KB of the item, before or after it', async () => {
    const table = documents();
    const key = newKey();
    const large = { ...key, text: 'x'.repeat(399 * 1024) };

    await table.send(put(large));
    await table.send(put(key));
    // 2 × 400 units are used; the item takes 1 now.
    for (let writes = 0; writes < 200; writes++) await table.send(put(key));

    await expect(table.send(put(key))).rejects.toMatchObject({ name: 'ThrottlingException' });
  });

  it('takes 3,000 read units of one key in a second, half for a read that may be old', async () => {
    const table = documents();
    const key = newKey();
    const read = (ConsistentRead: boolean) =>
      table.send(new GetCommand({ TableName, Key: key, ConsistentRead }));
    await table.send(put(key));
    await table.send(put({ ...key, sk: 'large', text: 'x'.repeat(396 * 1024) } as typeof key));
    const readLarge = new GetCommand({ TableName, Key: { ...key, sk: 'large' }, ConsistentRead: true });

    // 29 × 100 units, then 99, then two halves.
    for (let reads = 0; reads < 29; reads++) await table.send(readLarge);
    for (let reads = 0; reads < 99; reads++) await read(true);
    await read(false);
    await read(false);

    await expect(read(false)).rejects.toMatchObject({ name: 'ThrottlingException' });
  });

  it('throttles a table whose index is throttled', async () => {
    const table = documents();
    const { pk } = newKey();
    const openIn = `shard of ${pk}`;
    const inIndex = (index: number) => ({ pk: `${pk}#${index % 3}`, sk: 'item', openIn });

    await Promise.all(Array.from({ length: 1000 }, (_, writes) => table.send(put(inIndex(writes)))));

    await expect(table.send(put(inIndex(0)))).rejects.toMatchObject({ name: 'ThrottlingException' });
    await table.send(put(newKey()));
  });

  it('ends a page of a query at 1 MB, and goes on from there', async () => {
    const table = documents();
    const { pk } = newKey();
    const openIn = `shard of ${pk}`;
    for (let index = 0; index < 5; index++) {
      nowMs += 1000;
      const item = { pk: `${pk}#${index}`, sk: 'item', openIn, text: 'x'.repeat(300 * 1024) };
      await table.send(put(item));
    }
    const query = (start?: Record<string, unknown>) =>
      table.send(
        new QueryCommand({
          TableName,
          IndexName: 'OpenWindows',
          KeyConditionExpression: 'openIn = :key',
          ExpressionAttributeValues: { ':key': openIn },
          ExclusiveStartKey: start,
        }),
      );

    const first = await query();
    const second = await query(first.LastEvaluatedKey);

    expect([first.Items?.length, second.Items?.length]).toEqual([4, 1]);
    expect(second.LastEvaluatedKey).toBeUndefined();
  });

  it.each<[string, Update, string]>([
    [
      'a reserved word',
      { expression: 'SET state = :v', values: { ':v': 1 } },
      'Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: state',
    ],
    [
      'a value that no expression names',
      { expression: 'SET a = :v', values: { ':v': 1, ':unused': 1 } },
      'Value provided in ExpressionAttributeValues unused in expressions: keys: {:unused}',
    ],
    [
      'a name that no expression names',
      { expression: 'SET a = :v', values: { ':v': 1 }, names: { '#unused': 'b' } },
      'Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}',
    ],
    [
      'a value that is not there',
      { expression: 'SET a = :v, b = :other', values: { ':v': 1 } },
      'Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :other',
    ],
    [
      'two changes of one attribute',
      { expression: 'SET a = :v REMOVE a', values: { ':v': 1 } },
      'Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]',
    ],
    [
      'a change of the key',
      { expression: 'SET pk = :v', values: { ':v': 'x' } },
      'One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key',
    ],
    [
      'an index key that is a number',
      { expression: 'SET openIn = :v', values: { ':v': 1 } },
      'One or more parameter values were invalid: Type mismatch for Index Key openIn Expected: S Actual: N IndexName: OpenWindows',
    ],
    [
      'a sum with an attribute that is not there',
      { expression: 'SET a = a + :v', values: { ':v': 1 } },
      'The provided expression refers to an attribute that does not exist in the item',
    ],
    [
      'a sum with a text',
      { expression: 'SET a = sk + :v', values: { ':v': 1 }, condition: 'attribute_not_exists(a)' },
      'An operand in the update expression has an incorrect data type',
    ],
    [
      'a placeholder of 256 characters',
      { expression: 'SET a = :v', values: { ':v': 1, [`:${'x'.repeat(255)}`]: 1 } },
      'ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long',
    ],
  ])('refuses in an update %s', async (_, request, message) => {
    const table = documents();
    const key = newKey();
    await table.send(put(key));

    await expect(table.send(update(key, request))).rejects.toMatchObject(refused(message));
  });

  it.each([
    [
      { pk: '', sk: 'item' },
      'The AttributeValue for a key attribute cannot contain an empty string value. Key: pk',
    ],
    [
      { pk: 'x'.repeat(2049), sk: 'item' },
      'Size of hashkey has exceeded the maximum size limit of2048 bytes',
    ],
    [
      { pk: 'x', sk: 'x'.repeat(1025) },
      'Aggregated size of all range keys has exceeded the size limit of 1024 bytes',
    ],
  ])('refuses a key that DynamoDB does not take (%#)', async (key, message) => {
    const table = documents();

    for (const command of [new GetCommand({ TableName, Key: key }), put(key)]) {
      const refusal = command instanceof GetCommand ? table.send(command) : table.send(command);
      await expect(refusal).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringContaining(message),
      });
    }
  });

  it.each([new Set(), Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses to put %s', async (value) => {
    const item = { ...newKey(), value };

    await expect(documents().send(put(item))).rejects.toThrow();
  });

  it('refuses a batch of 101 keys, and one that names a key twice', async () => {
    const table = documents();
    const batch = (keys: readonly object[]) =>
      table.send(
        new BatchGetCommand({ RequestItems: { [TableName]: { Keys: keys.map((key) => ({ ...key })) } } }),
      );
    const keys = Array.from({ length: 101 }, newKey);

    await batch(keys.slice(0, 100));

    await expect(batch(keys)).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(batch([keys[0] ?? {}, keys[0] ?? {}])).rejects.toMatchObject(
      refused('Provided list of item keys contains duplicates'),
    );
  });
});
