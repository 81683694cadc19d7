import jsonata from 'jsonata';
import { isObject } from 'local-server-kit';
import { jsonataSource } from '../definition/jsonata-string.ts';

/** A field's value, parsed once when the machine is created: JSON with expressions in it. */
export type Template =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'expression'; readonly source: string; readonly expression: jsonata.Expression }
  | { readonly kind: 'object'; readonly fields: readonly (readonly [string, Template])[] }
  | { readonly kind: 'array'; readonly items: readonly Template[] };

/** What an expression can name: `states`, the functions, and the variables. */
export type Bindings = Readonly<Record<string, unknown>>;

/** An expression that threw, or gave nothing, or something that its field cannot take. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  /** The field as AWS names it in its history, like `Output/result`. */
  readonly location: string;

  constructor(location: string, message: string) {
    super(message);
    this.location = location;
  }
}

/** @throws when an expression is no JSONata; a checked definition has none. */
export function compileTemplate(value: unknown): Template {
  const source = jsonataSource(value);
  if (source !== undefined) return { kind: 'expression', source, expression: jsonata(source) };
  if (Array.isArray(value)) {
    const items = value.map(compileTemplate);
    return items.every(isLiteral) ? { kind: 'literal', value } : { kind: 'array', items };
  }
  if (isObject(value)) {
    const fields = Object.entries(value).map(([name, field]) => [name, compileTemplate(field)] as const);
    return fields.every(([, field]) => isLiteral(field))
      ? { kind: 'literal', value }
      : { kind: 'object', fields };
  }
  return { kind: 'literal', value };
}

function isLiteral(template: Template): boolean {
  return template.kind === 'literal';
}

/** @throws EvaluationError */
export async function evaluateTemplate(
  template: Template,
  bindings: Bindings,
  location: string,
): Promise<unknown> {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return await evaluateExpression(template.source, template.expression, bindings, location);
    case 'array': {
      const items: unknown[] = [];
      for (const [index, item] of template.items.entries()) {
        items.push(await evaluateTemplate(item, bindings, `${location}[${index}]`));
      }
      return items;
    }
    case 'object': {
      const fields: [string, unknown][] = [];
      for (const [name, field] of template.fields) {
        fields.push([name, await evaluateTemplate(field, bindings, `${location}/${name}`)]);
      }
      // Not by assignment: a field may be called __proto__.
      return Object.fromEntries(fields);
    }
  }
}

async function evaluateExpression(
  source: string,
  expression: jsonata.Expression,
  bindings: Bindings,
  location: string,
): Promise<unknown> {
  // The wording of AWS's recorded histories.
  const where = `The JSONata expression '${source}' specified for the field '${location}'`;
  let result: unknown;
  try {
    result = await expression.evaluate(undefined, bindings);
  } catch (error) {
    throw new EvaluationError(location, `${where} threw an error during evaluation. ${describe(error)}`);
  }
  if (result === undefined) throw new EvaluationError(location, `${where} returned nothing (undefined).`);
  if (holdsFunction(result)) {
    throw new EvaluationError(location, `${where} returned an unsupported result type.`);
  }
  return result;
}

/** JSONata throws plain objects with a code and a message. */
function describe(error: unknown): string {
  if (error instanceof Error) return error.message;
  if (!isObject(error)) return 'Unknown error';
  const { code, message } = error;
  return typeof code === 'string' ? `${code}: ${String(message)}` : String(message);
}

function holdsFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (Array.isArray(value)) return value.some(holdsFunction);
  if (!isObject(value)) return false;
  if ('_jsonata_function' in value || '_jsonata_lambda' in value) return true;
  return Object.values(value).some(holdsFunction);
}
