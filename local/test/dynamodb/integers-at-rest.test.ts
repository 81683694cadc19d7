import { describe, expect, it } from 'vitest';
import { MemoryItems } from '../../dynamodb/memory-items.ts';

const put = (items: MemoryItems, members: object) =>
  items.answer('PutCommand', { Item: { pk: 'key', sk: 'item', ...members } });

describe('a table that demands integers at rest', () => {
  it.each([{ a: 0.5 }, { a: [1, 0.5] }, { a: { b: 0.5 } }, { a: new Set([0.5]) }])(
    'refuses an item with a fraction: %o',
    (members) => {
      expect(() => put(new MemoryItems(), members)).toThrow('fraction');
    },
  );

  it('refuses a sum that is a fraction', () => {
    const items = new MemoryItems();
    put(items, { a: 1 });

    const add = () =>
      items.answer('UpdateCommand', {
        Key: { pk: 'key', sk: 'item' },
        UpdateExpression: 'ADD a :half',
        ExpressionAttributeValues: { ':half': 0.5 },
      });

    expect(add).toThrow('A fraction is written to the table: a');
  });

  it('takes whole numbers, texts with a point, and fractions without the demand', () => {
    put(new MemoryItems(), { a: 1e15, b: '0.5', c: [-1], d: new Set([2]) });
    put(new MemoryItems({ integersOnly: false }), { a: 0.5 });
  });
});
