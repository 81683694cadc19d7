import { MAX_EXPRESSION_BYTES, MAX_EXPRESSION_OPERATORS, MAX_PLACEHOLDER_CHARACTERS } from './limits.ts';

const EXPRESSIONS = [
  'UpdateExpression',
  'ConditionExpression',
  'KeyConditionExpression',
  'FilterExpression',
  'ProjectionExpression',
] as const;

/** The members of a request that are limited. */
export interface ExpressionRequest
  extends Readonly<Partial<Record<(typeof EXPRESSIONS)[number], string | undefined>>> {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Why DynamoDB refuses the request's expressions for their size, in its words; undefined when it does not. What an
 * expression says is not looked at here.
 */
export function expressionRefusal(request: ExpressionRequest): string | undefined {
  for (const name of EXPRESSIONS) {
    const text = request[name];
    if (text === undefined || text === null) continue;
    const bytes = Buffer.byteLength(text, 'utf8');
    if (bytes > MAX_EXPRESSION_BYTES) {
      return `Invalid ${name}: Expression size has exceeded the maximum allowed size; expression size: ${bytes}`;
    }
    if (countOperators(text) > MAX_EXPRESSION_OPERATORS) {
      const count = MAX_EXPRESSION_OPERATORS + 1;
      return `Invalid ${name}: The expression contains too many operators; operator count: ${count}`;
    }
  }
  for (const name of ['ExpressionAttributeNames', 'ExpressionAttributeValues'] as const) {
    const isTooLong = (key: string) => key.length > MAX_PLACEHOLDER_CHARACTERS;
    if (Object.keys(request[name] ?? {}).some(isTooLong)) {
      return `${name} contains invalid key: The expression attribute map contains a key that is too long`;
    }
  }
  return undefined;
}

const TOKEN = /[#:]?[A-Za-z_][\w.]*|<=|>=|<>|[=<>+(-]/g;
const KEYWORDS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT', 'BETWEEN', 'IN']);
const SECTIONS: ReadonlySet<string> = new Set(['SET', 'ADD', 'REMOVE', 'DELETE']);

/** Operators and functions. The `=` of a SET gives a value and compares nothing; the AND of a BETWEEN is part of it. */
export function countOperators(text: string): number {
  let count = 0;
  let isUpdate = false;
  let betweens = 0;
  let name = '';
  for (const [token] of text.matchAll(TOKEN)) {
    const word = token.toUpperCase();
    if (token === '(') {
      if (name !== '') count++;
      name = '';
      continue;
    }
    name = '';
    if (SECTIONS.has(word) && (isUpdate || count === 0)) isUpdate = true;
    else if (word === 'AND' && betweens > 0) betweens--;
    else if (KEYWORDS.has(word)) {
      count++;
      if (word === 'BETWEEN') betweens++;
    } else if (/^[A-Za-z_]/.test(token)) name = token;
    else if (/^[<>=+-]/.test(token) && !(isUpdate && token === '=')) count++;
  }
  return count;
}
