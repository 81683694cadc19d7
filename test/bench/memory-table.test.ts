import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryTable } from '../../bench/storm/memory-table.ts';
import type { Table } from '../../functions/shared/table/table.ts';
import { useTable } from '../helpers/table.ts';

const dynalite = useTable();
let nextKey = 0;

const memoryTable = (options: { writesPerSecond?: number; nowMs?: () => number } = {}) =>
  new MemoryTable({ nowMs: () => 0, travel: async () => {}, ...options });

type Step = (key: { pk: string; sk: string }) => GetCommand | PutCommand | UpdateCommand;
const TableName = 'Table';
const get: Step = (Key) => new GetCommand({ TableName, Key });
const put =
  (members: object, condition?: string, values?: Record<string, unknown>): Step =>
  (key) =>
    new PutCommand({
      TableName,
      Item: { ...key, ...members },
      ConditionExpression: condition,
      ExpressionAttributeValues: values,
    });
const update =
  (
    expression: string,
    values: Record<string, unknown>,
    options: { condition?: string; names?: Record<string, string> } = {},
  ): Step =>
  (Key) =>
    new UpdateCommand({
      TableName,
      Key,
      UpdateExpression: expression,
      ConditionExpression: options.condition,
      ExpressionAttributeNames: options.names,
      ExpressionAttributeValues: Object.keys(values).length > 0 ? values : undefined,
      ReturnValues: 'ALL_NEW',
    });

/** What each step answers: the item, the attributes, or the error's name. */
async function run(table: Table, steps: readonly Step[]): Promise<unknown[]> {
  const key = { pk: `item-${nextKey++}`, sk: 'item' };
  const answers: unknown[] = [];
  for (const step of steps) {
    const command = step(key);
    try {
      const reply =
        command instanceof GetCommand
          ? (await table.documents.send(command)).Item
          : command instanceof PutCommand
            ? (await table.documents.send(command)).Attributes
            : (await table.documents.send(command)).Attributes;
      const { pk: _pk, ...members } = reply ?? {};
      answers.push(members);
    } catch (error) {
      answers.push(error instanceof Error ? error.name : error);
    }
  }
  return answers;
}

const BOOK = 'bookedUntilMs >= :now AND bookedUntilMs <= :last';
const IDLE = 'attribute_not_exists(bookedUntilMs) OR bookedUntilMs < :now';

describe('the table in memory', () => {
  it.each<[string, Step[]]>([
    ['an item that is not there', [get]],
    ['a put and a get', [put({ a: 1, b: 'two', c: new Set(['x']) }), get]],
    [
      'a put on a condition',
      [
        put({ a: 'x' }, 'attribute_not_exists(pk) OR a = :a', { ':a': 'x' }),
        put({ a: 'x', b: 1 }, 'attribute_not_exists(pk) OR a = :a', { ':a': 'x' }),
        put({ a: 'y' }, 'attribute_not_exists(pk) OR a = :a', { ':a': 'y' }),
        get,
      ],
    ],
    [
      'sums, removals and counters in one update',
      [
        update(
          'SET revision = :one, flag = :true ADD #c :two',
          { ':one': 1, ':true': true, ':two': 2 },
          { names: { '#c': 'counter' } },
        ),
        update(
          'SET revision = revision + :one REMOVE flag ADD #c :two',
          { ':one': 1, ':two': 2 },
          { names: { '#c': 'counter' } },
        ),
        update('REMOVE #c, revision', {}, { names: { '#c': 'counter' } }),
      ],
    ],
    [
      'a condition with an attribute that is not there',
      [
        update('SET a = :one', { ':one': 1 }, { condition: 'otherOne < :one' }),
        update('SET a = :one', { ':one': 1 }, { condition: 'NOT otherOne < :one' }),
        update('SET a = :one', { ':one': 2 }, { condition: 'attribute_exists(a) AND a < :one' }),
        get,
      ],
    ],
  ])('answers as dynalite does: %s', async (_, steps) => {
    expect(await run(memoryTable().table, steps)).toEqual(await run(dynalite(), steps));
  });

  it('books permits as dynalite does, whatever the order', async () => {
    const step = fc.oneof(
      fc
        .integer({ min: 0, max: 50 })
        .map((nowMs) =>
          update('SET bookedUntilMs = :next', { ':next': nowMs + 5, ':now': nowMs }, { condition: IDLE }),
        ),
      fc
        .integer({ min: 0, max: 50 })
        .map((nowMs) =>
          update(
            'SET bookedUntilMs = bookedUntilMs + :interval',
            { ':interval': 5, ':now': nowMs, ':last': nowMs + 12 },
            { condition: BOOK },
          ),
        ),
      fc.constant(get),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        expect(await run(memoryTable().table, steps)).toEqual(await run(dynalite(), steps));
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  it('refuses an expression that it does not know', async () => {
    const [answer] = await run(memoryTable().table, [
      update('SET a = list_append(a, :one)', { ':one': [1] }),
    ]);

    expect(answer).toBe('Error');
  });

  it('takes so many writes of one item in a second, and no more', async () => {
    let nowMs = 0;
    const table = memoryTable({ writesPerSecond: 2, nowMs: () => nowMs });
    const add = update('ADD a :one', { ':one': 1 });

    const answers = await run(table.table, [add, add, add, get]);
    nowMs = 1000;

    expect(answers).toEqual([
      { sk: 'item', a: 1 },
      { sk: 'item', a: 2 },
      'ProvisionedThroughputExceededException',
      { sk: 'item', a: 2 },
    ]);
    expect(table).toMatchObject({ mostWritesPerSecond: 2, refusedWrites: 1 });
  });
});
