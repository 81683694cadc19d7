/**
 * The part of DynamoDB's condition and update expressions that the functions use. It throws for every other operator:
 * an operator that is ignored would make a lie of what is measured or proven here. What dynalite's validation refuses
 * is not looked at again.
 */
import { type Attribute, type Attributes, valueBytes } from './attributes.ts';
import { addNumbers, compareNumbers, numberRefusal } from './decimals.ts';

export interface ExpressionContext {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Attributes;
}

type Evaluate<Result> = (item: Attributes, context: ExpressionContext) => Result;
type Changes = Record<string, Attribute>;

/** An update that the item's present values make impossible: a ValidationException with this message. */
export class UpdateRefusal extends Error {}
const WRONG_TYPE = 'An operand in the update expression has an incorrect data type';
const NO_ATTRIBUTE = 'The provided expression refers to an attribute that does not exist in the item';

const TOKEN = /\s*([A-Za-z_]\w*|[#:]\w+|<=|>=|<>|[(),=<>+-])/y;

class Tokens {
  readonly #tokens: string[] = [];
  readonly #text: string;
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    const end = text.trimEnd().length;
    while (TOKEN.lastIndex < end) {
      const token = TOKEN.exec(text)?.[1];
      if (token === undefined) throw new Error(`Not understood: ${text}`);
      this.#tokens.push(token);
    }
  }

  peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  take(): string {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw new Error(`Ends too early: ${this.#text}`);
    return token;
  }

  /** Takes the token if it is next. */
  has(token: string): boolean {
    if (this.peek() !== token) return false;
    this.#next++;
    return true;
  }

  expect(token: string): void {
    if (!this.has(token)) throw new Error(`${token} expected: ${this.#text}`);
  }
}

const conditions = new Map<string, Evaluate<boolean>>();
const updates = new Map<string, Evaluate<Changes>>();
/** Expressions that name the time, or a bucket, are many. */
const MAX_CACHED = 2000;

/** @throws Error for what it does not know. */
export function conditionOf(text: string): Evaluate<boolean> {
  return cached(conditions, text, () => {
    const tokens = new Tokens(text);
    const condition = parseOr(tokens);
    if (tokens.peek() !== undefined) throw new Error(`Goes on: ${text}`);
    return condition;
  });
}

/** The item after the update, which throws UpdateRefusal. @throws Error for what it does not know. */
export function updateOf(text: string): Evaluate<Changes> {
  return cached(updates, text, () => parseUpdate(new Tokens(text)));
}

function cached<Value>(cache: Map<string, Value>, text: string, make: () => Value): Value {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const made = make();
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(text, made);
  return made;
}

function parseOr(tokens: Tokens): Evaluate<boolean> {
  let left = parseAnd(tokens);
  while (tokens.has('OR')) {
    const [a, b] = [left, parseAnd(tokens)];
    left = (item, context) => a(item, context) || b(item, context);
  }
  return left;
}

function parseAnd(tokens: Tokens): Evaluate<boolean> {
  let left = parseNot(tokens);
  while (tokens.has('AND')) {
    const [a, b] = [left, parseNot(tokens)];
    left = (item, context) => a(item, context) && b(item, context);
  }
  return left;
}

function parseNot(tokens: Tokens): Evaluate<boolean> {
  if (tokens.has('NOT')) {
    const inner = parseNot(tokens);
    return (item, context) => !inner(item, context);
  }
  if (tokens.has('(')) {
    const inner = parseOr(tokens);
    tokens.expect(')');
    return inner;
  }
  if (tokens.peek() === 'attribute_not_exists' || tokens.peek() === 'attribute_exists') {
    const wanted = tokens.take() === 'attribute_exists';
    tokens.expect('(');
    const operand = parseOperand(tokens);
    tokens.expect(')');
    return (item, context) => (operand(item, context) !== undefined) === wanted;
  }
  if (tokens.has('contains')) {
    tokens.expect('(');
    const whole = parseOperand(tokens);
    tokens.expect(',');
    const part = parseOperand(tokens);
    tokens.expect(')');
    return (item, context) => contains(whole(item, context), part(item, context));
  }
  if (tokens.has('begins_with')) {
    tokens.expect('(');
    const whole = parseOperand(tokens);
    tokens.expect(',');
    const start = parseOperand(tokens);
    tokens.expect(')');
    return (item, context) => whole(item, context)?.S?.startsWith(start(item, context)?.S ?? '\n') ?? false;
  }
  return parseComparison(tokens);
}

function parseComparison(tokens: Tokens): Evaluate<boolean> {
  const left = parseOperand(tokens);
  if (tokens.has('IN')) {
    const choices = parseList(tokens);
    return (item, context) => {
      const value = left(item, context);
      return choices.some((choice) => compare('=', value, choice(item, context)));
    };
  }
  const operator = tokens.take();
  const right = parseOperand(tokens);
  return (item, context) => compare(operator, left(item, context), right(item, context));
}

function parseList(tokens: Tokens): Evaluate<Attribute | undefined>[] {
  const operands: Evaluate<Attribute | undefined>[] = [];
  tokens.expect('(');
  do operands.push(parseOperand(tokens));
  while (tokens.has(','));
  tokens.expect(')');
  return operands;
}

function contains(whole: Attribute | undefined, part: Attribute | undefined): boolean {
  if (whole === undefined || part === undefined) return false;
  if (whole.S !== undefined) return part.S !== undefined && whole.S.includes(part.S);
  const members = whole.L ?? whole.SS?.map((S) => ({ S })) ?? whole.NS?.map((N) => ({ N })) ?? [];
  return members.some((member) => isEqual(member, part));
}

function isEqual(one: Attribute, other: Attribute): boolean {
  if (one.N !== undefined) return other.N !== undefined && compareNumbers(one.N, other.N) === 0;
  if (one.SS !== undefined || one.NS !== undefined) {
    const [members, others] = [new Set(one.SS ?? one.NS), new Set(other.SS ?? other.NS)];
    return (
      (one.SS === undefined) === (other.SS === undefined) &&
      members.size === others.size &&
      [...members].every((member) => others.has(member))
    );
  }
  if (one.L !== undefined || one.M !== undefined) throw new Error('Lists and maps are not compared here.');
  return one.S === other.S && one.BOOL === other.BOOL && one.NULL === other.NULL && other.N === undefined;
}

/** An attribute that is not there makes every comparison false, `<>` excepted. */
function compare(operator: string, left: Attribute | undefined, right: Attribute | undefined): boolean {
  if (operator === '=') return left !== undefined && right !== undefined && isEqual(left, right);
  if (operator === '<>') return left === undefined || right === undefined || !isEqual(left, right);
  const order = orderOf(left, right);
  if (order === undefined) return false;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      throw new Error(`No operator: ${operator}`);
  }
}

function orderOf(left: Attribute | undefined, right: Attribute | undefined): number | undefined {
  if (left?.N !== undefined && right?.N !== undefined) return compareNumbers(left.N, right.N);
  if (left?.S !== undefined && right?.S !== undefined) {
    return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  }
  return undefined;
}

function parseOperand(tokens: Tokens): Evaluate<Attribute | undefined> {
  const token = tokens.take();
  if (token.startsWith(':')) {
    return (_, { values }) => {
      const value = values[token];
      if (value === undefined) throw new Error(`No value for ${token}`);
      return value;
    };
  }
  if (tokens.peek() === '(') return parseFunction(token, tokens);
  return (item, context) => item[nameOf(token, context)];
}

function parseFunction(name: string, tokens: Tokens): Evaluate<Attribute | undefined> {
  tokens.expect('(');
  const first = parseOperand(tokens);
  if (name === 'size') {
    tokens.expect(')');
    return (item, context) => sizeOf(first(item, context));
  }
  if (name !== 'if_not_exists') throw new Error(`No function here: ${name}`);
  tokens.expect(',');
  const otherwise = parseOperand(tokens);
  tokens.expect(')');
  return (item, context) => first(item, context) ?? otherwise(item, context);
}

function sizeOf(value: Attribute | undefined): Attribute | undefined {
  const members = value?.SS ?? value?.NS ?? value?.L ?? (value?.M && Object.keys(value.M));
  if (members !== undefined) return { N: String(members.length) };
  return value?.S === undefined ? undefined : { N: String(valueBytes(value)) };
}

function nameOf(token: string, { names }: ExpressionContext): string {
  if (!token.startsWith('#')) return token;
  const name = names[token];
  if (name === undefined) throw new Error(`No name for ${token}`);
  return name;
}

type Clause = (item: Attributes, next: Changes, context: ExpressionContext) => void;

function parseUpdate(tokens: Tokens): Evaluate<Changes> {
  const clauses: Clause[] = [];
  while (tokens.peek() !== undefined) {
    const section = tokens.take();
    do {
      const name = tokens.take();
      if (section === 'SET') clauses.push(parseAssignment(name, tokens));
      else if (section === 'ADD') clauses.push(parseAddition(name, tokens));
      else if (section === 'DELETE') clauses.push(parseDeletion(name, tokens));
      else if (section === 'REMOVE') {
        clauses.push((_, next, context) => {
          delete next[nameOf(name, context)];
        });
      } else throw new Error(`No section: ${section}`);
    } while (tokens.has(','));
  }
  return (item, context) => {
    const next = { ...item };
    for (const clause of clauses) clause(item, next, context);
    return next;
  };
}

/** Operands are read from the item as it was before the update. */
function parseAssignment(name: string, tokens: Tokens): Clause {
  tokens.expect('=');
  const left = parseOperand(tokens);
  const sign = tokens.has('+') ? 1 : tokens.has('-') ? -1 : undefined;
  const right = sign === undefined ? undefined : parseOperand(tokens);
  return (item, next, context) => {
    const value = left(item, context);
    if (value === undefined) throw new UpdateRefusal(NO_ATTRIBUTE);
    if (right === undefined || sign === undefined) {
      next[nameOf(name, context)] = value;
      return;
    }
    const added = right(item, context);
    if (added === undefined) throw new UpdateRefusal(NO_ATTRIBUTE);
    next[nameOf(name, context)] = sumOf(value, added, sign);
  };
}

function parseAddition(name: string, tokens: Tokens): Clause {
  const operand = parseOperand(tokens);
  return (item, next, context) => {
    const attribute = nameOf(name, context);
    const [value, added] = [item[attribute], operand(item, context)];
    if (added?.N !== undefined) next[attribute] = sumOf(value ?? { N: '0' }, added, 1);
    else next[attribute] = changeSet(value, added, (members, others) => [...members, ...others]);
  };
}

/** A set without members is no attribute. */
function parseDeletion(name: string, tokens: Tokens): Clause {
  const operand = parseOperand(tokens);
  return (item, next, context) => {
    const attribute = nameOf(name, context);
    const value = item[attribute];
    if (value === undefined) return;
    const left = changeSet(value, operand(item, context), (members, others) =>
      members.filter((member) => !others.includes(member)),
    );
    if ((left.SS ?? left.NS ?? []).length === 0) delete next[attribute];
    else next[attribute] = left;
  };
}

function changeSet(
  value: Attribute | undefined,
  changed: Attribute | undefined,
  change: (members: readonly string[], others: readonly string[]) => readonly string[],
): Attribute {
  for (const type of ['SS', 'NS'] as const) {
    const members = changed?.[type];
    if (members === undefined) continue;
    if (value !== undefined && value[type] === undefined) throw new UpdateRefusal(WRONG_TYPE);
    return { [type]: [...new Set(change(value?.[type] ?? [], members))] };
  }
  throw new UpdateRefusal(WRONG_TYPE);
}

/** Exact, as DynamoDB's are. */
function sumOf(left: Attribute, right: Attribute, sign: 1 | -1): Attribute {
  if (left.N === undefined || right.N === undefined) throw new UpdateRefusal(WRONG_TYPE);
  const N = addNumbers(left.N, right.N, sign);
  const refusal = numberRefusal(N);
  if (refusal !== undefined) throw new UpdateRefusal(refusal);
  return { N };
}
