/**
 * The part of DynamoDB's condition and update expressions that the functions use, on plain JavaScript values.
 * Whatever else comes is refused: an operator that is ignored would make a lie of what is measured or proven here.
 */
export type Item = Readonly<Record<string, unknown>>;

export interface ExpressionContext {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

type Evaluate<Result> = (item: Item, context: ExpressionContext) => Result;

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
const updates = new Map<string, Evaluate<Record<string, unknown>>>();

/** @throws Error for what it does not know. */
export function conditionOf(text: string): Evaluate<boolean> {
  return cached(conditions, text, () => {
    const tokens = new Tokens(text);
    const condition = parseOr(tokens);
    if (tokens.peek() !== undefined) throw new Error(`Goes on: ${text}`);
    return condition;
  });
}

/** The item after the update. @throws Error for what it does not know. */
export function updateOf(text: string): Evaluate<Record<string, unknown>> {
  return cached(updates, text, () => parseUpdate(new Tokens(text)));
}

function cached<Value>(cache: Map<string, Value>, text: string, make: () => Value): Value {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const made = make();
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

function parseList(tokens: Tokens): Evaluate<unknown>[] {
  const operands: Evaluate<unknown>[] = [];
  tokens.expect('(');
  do operands.push(parseOperand(tokens));
  while (tokens.has(','));
  tokens.expect(')');
  return operands;
}

function contains(whole: unknown, part: unknown): boolean {
  if (whole instanceof Set) return whole.has(part);
  return typeof whole === 'string' && typeof part === 'string' && whole.includes(part);
}

/** An attribute that is not there makes every comparison false, `<>` excepted. */
function compare(operator: string, left: unknown, right: unknown): boolean {
  if (operator === '=') return left !== undefined && left === right;
  if (operator === '<>') return left !== right;
  if (typeof left !== 'number' || typeof right !== 'number') return false;
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      throw new Error(`No operator: ${operator}`);
  }
}

function parseOperand(tokens: Tokens): Evaluate<unknown> {
  const token = tokens.take();
  if (token.startsWith(':')) {
    return (_, { values }) => {
      if (!Object.hasOwn(values, token)) throw new Error(`No value for ${token}`);
      return values[token];
    };
  }
  if (tokens.peek() === '(') throw new Error(`No function here: ${token}`);
  return (item, context) => item[nameOf(token, context)];
}

function nameOf(token: string, { names }: ExpressionContext): string {
  if (!token.startsWith('#')) return token;
  const name = names[token];
  if (name === undefined) throw new Error(`No name for ${token}`);
  return name;
}

function parseUpdate(tokens: Tokens): Evaluate<Record<string, unknown>> {
  const clauses: ((item: Item, next: Record<string, unknown>, context: ExpressionContext) => void)[] = [];
  while (tokens.peek() !== undefined) {
    const section = tokens.take();
    do {
      const name = tokens.take();
      if (section === 'SET') clauses.push(parseAssignment(name, tokens));
      else if (section === 'ADD') clauses.push(parseAddition(name, tokens));
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
function parseAssignment(name: string, tokens: Tokens) {
  tokens.expect('=');
  const left = parseOperand(tokens);
  const right = tokens.has('+') ? parseOperand(tokens) : undefined;
  return (item: Item, next: Record<string, unknown>, context: ExpressionContext) => {
    const value = left(item, context);
    next[nameOf(name, context)] = right === undefined ? value : sum(value, right(item, context));
  };
}

function parseAddition(name: string, tokens: Tokens) {
  const operand = parseOperand(tokens);
  return (item: Item, next: Record<string, unknown>, context: ExpressionContext) => {
    const attribute = nameOf(name, context);
    const added = operand(item, context);
    next[attribute] = added instanceof Set ? union(item[attribute], added) : sum(item[attribute] ?? 0, added);
  };
}

function union(left: unknown, right: ReadonlySet<unknown>): Set<unknown> {
  if (left !== undefined && !(left instanceof Set)) throw new Error('Only a set is added to a set.');
  return new Set([...(left ?? []), ...right]);
}

function sum(left: unknown, right: unknown): number {
  if (typeof left !== 'number' || typeof right !== 'number') throw new Error('Only numbers are added.');
  return left + right;
}
