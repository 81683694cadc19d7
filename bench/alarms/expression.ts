/** Values of one data point by their ids; undefined is missing. */
export type Known = (id: string) => number | undefined;
/** Returns the value of an expression for one data point, or undefined where a value that it needs is missing. */
export type Expression = (known: Known) => number | undefined;

const TOKEN = /\s*(AND|OR|[A-Za-z]\w*|\d+(?:\.\d+)?|[<>]=?|==|[-+*/(),])/y;
/** By how tightly they bind, loosest first. */
const OPERATORS: readonly Readonly<Record<string, (left: number, right: number) => number>>[] = [
  { OR: (left, right) => Number(left !== 0 || right !== 0) },
  { AND: (left, right) => Number(left !== 0 && right !== 0) },
  {
    '>=': (left, right) => Number(left >= right),
    '<=': (left, right) => Number(left <= right),
    '>': (left, right) => Number(left > right),
    '<': (left, right) => Number(left < right),
    '==': (left, right) => Number(left === right),
  },
  { '+': (left, right) => left + right, '-': (left, right) => left - right },
  { '*': (left, right) => left * right, '/': (left, right) => left / right },
];

/**
 * Parses a metric-math expression, as far as the alarms use it: numbers, ids, operators, IF and FILL with a number.
 * CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
 *
 * @throws Error when the text has anything else.
 */
export function parseExpression(text: string): Expression {
  const tokens = tokensOf(text);
  let next = 0;
  const take = (expected?: string): string => {
    const token = tokens[next++];
    if (token === undefined || (expected !== undefined && token !== expected)) {
      throw new Error(`"${text}" is not understood at ${token ?? 'its end'}.`);
    }
    return token;
  };
  const operation = (level: number): Expression => {
    const operators = OPERATORS[level];
    if (operators === undefined) return operand();
    let left = operation(level + 1);
    for (;;) {
      const operator = Object.hasOwn(operators, tokens[next] ?? '') ? operators[take()] : undefined;
      if (operator === undefined) return left;
      const [first, second] = [left, operation(level + 1)];
      left = (known) => {
        const [one, other] = [first(known), second(known)];
        return one === undefined || other === undefined ? undefined : operator(one, other);
      };
    }
  };
  const operand = (): Expression => {
    const token = take();
    if (token === '(') {
      const inner = operation(0);
      take(')');
      return inner;
    }
    if (/^\d/.test(token)) return () => Number(token);
    if (tokens[next] !== '(') return (known) => known(token);
    take('(');
    const parts = [operation(0)];
    while (tokens[next] === ',') {
      take();
      parts.push(operation(0));
    }
    take(')');
    return callOf(token, parts);
  };
  const whole = operation(0);
  if (next < tokens.length) take('');
  return whole;
}

function callOf(name: string, [first, second, third, ...others]: readonly Expression[]): Expression {
  if (name === 'FILL' && first && second && third === undefined) {
    return (known) => first(known) ?? second(known);
  }
  if (name === 'IF' && first && second && third && others.length === 0) {
    return (known) => {
      const condition = first(known);
      return condition === undefined ? undefined : (condition === 0 ? third : second)(known);
    };
  }
  throw new Error(`${name} is not understood.`);
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const from = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) throw new Error(`"${text}" is not understood at ${text.slice(from)}.`);
    tokens.push(token);
  }
  return tokens;
}
