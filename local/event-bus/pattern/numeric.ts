import { InvalidEventPatternException } from './invalid-pattern.ts';

const COMPARISONS = {
  '=': (one: number, other: number) => one === other,
  '<': (one: number, other: number) => one < other,
  '<=': (one: number, other: number) => one <= other,
  '>': (one: number, other: number) => one > other,
  '>=': (one: number, other: number) => one >= other,
} as const;

/** EventBridge's range for numbers in patterns. */
const MAX_MAGNITUDE = 5_000_000_000;

/** `["=", 1]`, one bound (`[">", 0]`), or a lower and then an upper bound (`[">", 0, "<=", 5]`). */
export function compileNumeric(argument: unknown, path: string): (leaf: unknown) => boolean {
  if (!Array.isArray(argument) || (argument.length !== 2 && argument.length !== 4)) {
    throw invalid(path, 'numeric match pattern must be one or two comparisons');
  }
  const terms = [comparison(argument[0], argument[1], path)];
  if (argument.length === 4) {
    terms.push(comparison(argument[2], argument[3], path));
    const [lower, upper] = terms;
    if (!lower?.operator.startsWith('>') || !upper?.operator.startsWith('<') || lower.bound >= upper.bound) {
      throw invalid(path, 'Bad numeric range: a lower bound and then a higher upper bound required');
    }
  }
  return (leaf) => typeof leaf === 'number' && terms.every(({ test }) => test(leaf));
}

function comparison(operator: unknown, bound: unknown, path: string) {
  if (!isOperator(operator)) throw invalid(path, 'Unrecognized numeric range operator');
  if (typeof bound !== 'number' || Math.abs(bound) > MAX_MAGNITUDE) {
    throw invalid(path, 'Value of numeric match must be a number from -5.0e9 to 5.0e9');
  }
  const compare = COMPARISONS[operator];
  return { operator, bound, test: (leaf: number) => compare(leaf, bound) };
}

function isOperator(value: unknown): value is keyof typeof COMPARISONS {
  return typeof value === 'string' && Object.hasOwn(COMPARISONS, value);
}

function invalid(path: string, reason: string): InvalidEventPatternException {
  return new InvalidEventPatternException(path, reason);
}
