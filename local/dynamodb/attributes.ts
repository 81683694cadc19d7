/** Attribute values as DynamoDB's API writes them, what they are in JavaScript, and what they take in storage. */
import { NumberValue } from '@aws-sdk/lib-dynamodb';
import { digitsOf, normalNumber } from './decimals.ts';
import { MAX_ITEM_BYTES, READ_UNIT_BYTES, WRITE_UNIT_BYTES } from './limits.ts';

/** One member is there: the value's type. */
export interface Attribute {
  readonly S?: string;
  readonly N?: string;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly B?: string;
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly string[];
  readonly L?: readonly Attribute[];
  readonly M?: Attributes;
}
export type Attributes = Readonly<Record<string, Attribute>>;

/** As the document client writes it, which refuses what it refuses here. @throws Error */
export function attributesOf(item: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined) attributes[name] = attributeOf(value);
  }
  return attributes;
}

export function attributeOf(value: unknown): Attribute {
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
      return { N: numberText(value) };
    case 'bigint':
      return { N: String(value) };
    case 'boolean':
      return { BOOL: value };
    case 'object':
      if (value === null) return { NULL: true };
      if (value instanceof NumberValue) return { N: normalNumber(value.toString()) };
      if (value instanceof Set) return setOf(value);
      if (Array.isArray(value)) return { L: value.map(attributeOf) };
      if (isPlain(value)) return { M: attributesOf(value) };
  }
  throw new Error(`Unsupported type passed: ${typeof value}. Pass options.convertClassInstanceToMap=true.`);
}

function setOf(values: ReadonlySet<unknown>): Attribute {
  const [first] = values;
  if (first === undefined) throw new Error('Pass a non-empty set, or options.convertEmptyValues=true.');
  const members = [...values];
  if (members.every((member) => typeof member === 'string')) return { SS: members };
  if (members.every((member) => typeof member === 'number')) return { NS: members.map(numberText) };
  throw new Error('Only Number Set (NS), Binary Set (BS), String Set (SS) are allowed.');
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`Special numeric value ${value} is not allowed`);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new Error(`Number ${value} is outside of the safe integers. Use NumberValue.`);
  }
  return normalNumber(String(value));
}

function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** As the document client reads it. @throws Error for an integer that no double holds. */
export function valuesOf(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plainOf(value)]));
}

function plainOf({ S, N, BOOL, SS, NS, L, M }: Attribute): unknown {
  if (S !== undefined) return S;
  if (N !== undefined) return numberOf(N);
  if (BOOL !== undefined) return BOOL;
  if (SS !== undefined) return new Set(SS);
  if (NS !== undefined) return new Set(NS.map(numberOf));
  if (L !== undefined) return L.map(plainOf);
  return M === undefined ? null : valuesOf(M);
}

function numberOf(text: string): number {
  const value = Number(text);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  throw new Error(`${text} is outside SAFE_INTEGER bounds. Set options.wrapNumbers to get string value.`);
}

/** What the item takes: names and strings in UTF-8, a number one byte and one for each two digits, and so on. */
export function itemBytes(item: Attributes): number {
  let bytes = 0;
  for (const name in item) bytes += textBytes(name) + valueBytes(item[name] ?? {});
  return bytes;
}

const COLLECTION_BYTES = 3;

/** Without the name. */
export function valueBytes({ S, N, B, SS, NS, BS, L, M }: Attribute): number {
  if (S !== undefined) return textBytes(S);
  if (N !== undefined) return numberBytes(N);
  if (B !== undefined) return Buffer.byteLength(B, 'base64');
  if (SS !== undefined) return total(SS, textBytes);
  if (NS !== undefined) return total(NS, numberBytes);
  if (BS !== undefined) return total(BS, (member) => Buffer.byteLength(member, 'base64'));
  if (L !== undefined) return COLLECTION_BYTES + total(L, (member) => 1 + valueBytes(member));
  if (M !== undefined) return COLLECTION_BYTES + Object.keys(M).length + itemBytes(M);
  return 1;
}

function textBytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function numberBytes(text: string): number {
  // Epoch milliseconds, most of them.
  if (text.length === 13 && !text.endsWith('0') && /^\d+$/.test(text)) return 8;
  return 1 + Math.ceil(digitsOf(text) / 2) + (text.startsWith('-') ? 1 : 0);
}

function total<Member>(members: readonly Member[], bytesOf: (member: Member) => number): number {
  return members.reduce((sum, member) => sum + bytesOf(member), 0);
}

export function isTooLarge(item: Attributes): boolean {
  return itemBytes(item) > MAX_ITEM_BYTES;
}

/** An item that is not there takes a unit, too. */
export function writeUnits(...items: readonly (Attributes | undefined)[]): number {
  let bytes = 1;
  for (const item of items) bytes = Math.max(bytes, item === undefined ? 0 : itemBytes(item));
  return Math.ceil(bytes / WRITE_UNIT_BYTES);
}

export function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (isConsistent ? 1 : 0.5);
}
