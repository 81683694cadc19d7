/**
 * The size of an item as DynamoDB counts it: names and strings in UTF-8, and for a number a byte for each two significant
 * digits and one more ("DynamoDB item sizes and formats", Developer Guide). One write unit is for 1,024 bytes.
 */
export function itemBytes(item: Readonly<Record<string, unknown>>): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + utf8(name) + valueBytes(value), 0);
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return utf8(value);
  if (typeof value === 'number') return numberBytes(value);
  if (typeof value === 'boolean' || value === null) return 1;
  if (value instanceof Set) return [...value].reduce((sum: number, member) => sum + valueBytes(member), 0);
  if (Array.isArray(value)) return 3 + value.reduce((sum: number, member) => sum + valueBytes(member) + 1, 0);
  if (typeof value === 'object') {
    return (
      3 + Object.entries(value).reduce((sum, [name, member]) => sum + utf8(name) + valueBytes(member) + 1, 0)
    );
  }
  throw new Error(`A value of the type ${typeof value} rests in no item.`);
}

function numberBytes(value: number): number {
  const digits = String(value).replace(/^-/, '').replace('.', '').replace(/^0+/, '').replace(/0+$/, '');
  return Math.ceil(digits.length / 2) + 1 + (value < 0 ? 1 : 0);
}

const utf8 = (text: string) => Buffer.byteLength(text, 'utf8');
