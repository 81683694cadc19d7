import { BlockList, isIP } from 'node:net';
import { isObject } from 'local-server-kit';
import { InvalidEventPatternException } from './invalid-pattern.ts';
import { compileNumeric } from './numeric.ts';
import { compileWildcard } from './wildcard.ts';

/** Whether a field with these values matches; an absent field has none. */
export type FieldTest = (leaves: readonly unknown[]) => boolean;
type LeafTest = (leaf: unknown) => boolean;

/** One entry of a pattern's list: a literal value, or an object with one operator. */
export function compileOperator(entry: unknown, path: string): FieldTest {
  if (isLiteral(entry)) return any((leaf) => leaf === entry);
  const { name, argument, at } = operatorOf(entry, path);
  if (name === 'exists') {
    if (typeof argument !== 'boolean') throw invalid(at, 'exists match pattern must be true or false');
    return (leaves) => leaves.length > 0 === argument;
  }
  return any(compileLeafTest(name, argument, at));
}

function any(test: LeafTest): FieldTest {
  return (leaves) => leaves.some(test);
}

function compileLeafTest(name: string, argument: unknown, path: string): LeafTest {
  switch (name) {
    case 'prefix':
    case 'suffix':
    case 'equals-ignore-case':
    case 'wildcard':
      return compileTextTest(name, argument, path);
    case 'anything-but':
      return compileAnythingBut(argument, path);
    case 'numeric':
      return compileNumeric(argument, path);
    case 'cidr':
      return compileCidr(argument, path);
    default:
      throw invalid(path, `Unrecognized match type ${name}`);
  }
}

type TextOperator = 'prefix' | 'suffix' | 'equals-ignore-case' | 'wildcard';

function isTextOperator(name: string): name is TextOperator {
  return name === 'prefix' || name === 'suffix' || name === 'equals-ignore-case' || name === 'wildcard';
}

function compileTextTest(name: TextOperator, argument: unknown, path: string): LeafTest {
  if ((name === 'prefix' || name === 'suffix') && isObject(argument)) {
    const nested = operatorOf(argument, path);
    if (nested.name !== 'equals-ignore-case')
      throw invalid(nested.at, `Unrecognized match type ${nested.name}`);
    const text = affixOf(nested.argument, nested.at).toLowerCase();
    return onText((leaf) => {
      const lower = leaf.toLowerCase();
      return name === 'prefix' ? lower.startsWith(text) : lower.endsWith(text);
    });
  }
  const text = name === 'prefix' || name === 'suffix' ? affixOf(argument, path) : textOf(argument, path);
  switch (name) {
    case 'prefix':
      return onText((leaf) => leaf.startsWith(text));
    case 'suffix':
      return onText((leaf) => leaf.endsWith(text));
    case 'equals-ignore-case': {
      const lower = text.toLowerCase();
      return onText((leaf) => leaf.toLowerCase() === lower);
    }
    case 'wildcard':
      return onText(compileWildcard(text, path));
  }
}

/** A value or a list of values of one kind, or a text operator with one text or a list of them. */
function compileAnythingBut(argument: unknown, path: string): LeafTest {
  if (isObject(argument)) {
    const { name, argument: texts, at } = operatorOf(argument, path);
    if (!isTextOperator(name)) throw invalid(at, `Unsupported anything-but pattern ${name}`);
    const tests = listOf(texts, at).map((text) => compileTextTest(name, text, at));
    return (leaf) => !tests.some((test) => test(leaf));
  }
  const excluded = listOf(argument, path);
  const [kind] = excluded.map((value) => typeof value);
  if ((kind !== 'string' && kind !== 'number') || excluded.some((value) => typeof value !== kind)) {
    throw invalid(path, 'Inside anything but list, values must be all strings or all numbers');
  }
  return (leaf) => !excluded.includes(leaf);
}

function compileCidr(argument: unknown, path: string): LeafTest {
  const [address = '', bits = '', ...rest] = textOf(argument, path).split('/');
  const version = isIP(address);
  const maxBits = version === 4 ? 32 : 128;
  // Event Ruler has no range of one address.
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) >= maxBits) {
    throw invalid(path, 'Malformed CIDR, one / with an address and fewer bits than it has required');
  }
  const block = new BlockList();
  block.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return onText((leaf) => {
    const leafVersion = isIP(leaf);
    return leafVersion !== 0 && block.check(leaf, leafVersion === 4 ? 'ipv4' : 'ipv6');
  });
}

function onText(test: (text: string) => boolean): LeafTest {
  return (leaf) => typeof leaf === 'string' && test(leaf);
}

function operatorOf(value: unknown, path: string): { name: string; argument: unknown; at: string } {
  if (!isObject(value)) throw invalid(path, 'Match value must be String, number, true, false, or null');
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  if (name === '' || others.length > 0) throw invalid(path, 'Only one key allowed in match expression');
  return { name, argument, at: `${path}.${name}` };
}

function listOf(value: unknown, path: string): unknown[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw invalid(path, 'Empty arrays are not allowed');
  return list;
}

/**
 * EventBridge refuses an empty prefix or suffix inside `anything-but`. Outside, it compares with the value in its
 * quotes, so an empty one stands for "any text": refused here, for nobody would mean that.
 */
function affixOf(value: unknown, path: string): string {
  const text = textOf(value, path);
  if (text === '') throw invalid(path, 'Null prefix/suffix not allowed');
  return text;
}

function textOf(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalid(path, 'match pattern must be a string');
  return value;
}

/** Numbers compare by value here; EventBridge compares how they are written, which JSON.parse does not keep. */
function isLiteral(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function invalid(path: string, reason: string): InvalidEventPatternException {
  return new InvalidEventPatternException(path, reason);
}
