import { parseJson } from 'local-server-kit';
import { checkWithAslValidator } from './asl-validator.ts';
import type { DefinitionError } from './definition-error.ts';
import { checkErrorHandlers } from './error-handlers.ts';
import { checkExpress } from './express.ts';
import { checkExpressions } from './references.ts';
import type { Definition, StateMachineType } from './schema.ts';
import { checkWithStatesLanguageService } from './states-language-service.ts';
import { checkStructure } from './structure.ts';
import { checkTransitions } from './transitions.ts';
import { checkVariableNames } from './variables.ts';

export type { DefinitionError } from './definition-error.ts';

export type ReadDefinition =
  | { readonly ok: true; readonly definition: Definition }
  | { readonly ok: false; readonly errors: readonly DefinitionError[] };

/** Everything that is wrong with a definition, or that cannot run here; empty when it can be created. */
export async function checkDefinition(
  definition: unknown,
  type: StateMachineType,
): Promise<DefinitionError[]> {
  const result = await readDefinition(JSON.stringify(definition ?? null), type);
  return result.ok ? [] : [...result.errors];
}

/** A check costs some 100 ms, and servers that follow each other create the same few machines. */
const MAX_REMEMBERED = 32;
const remembered = new Map<string, Promise<ReadDefinition>>();

/** Reads a definition that has no error, or gives all its errors at once. */
export async function readDefinition(text: string, type: StateMachineType): Promise<ReadDefinition> {
  const key = `${type} ${text}`;
  const known = remembered.get(key) ?? read(text, type);
  remembered.delete(key);
  remembered.set(key, known);
  const [oldest] = remembered.keys();
  if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  return await known;
}

async function read(text: string, type: StateMachineType): Promise<ReadDefinition> {
  let definition: unknown;
  try {
    definition = parseJson(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, errors: [{ path: '/', message: `is no JSON: ${why}` }] };
  }
  const structure = checkStructure(definition);
  const own = [
    ...(structure.ok ? [] : structure.errors),
    ...checkTransitions(definition),
    ...checkErrorHandlers(definition),
    ...checkVariableNames(definition),
    ...checkExpressions(definition),
    ...(type === 'EXPRESS' ? checkExpress(definition) : []),
  ];
  const others = [
    ...(await checkWithAslValidator(definition)),
    ...(await checkWithStatesLanguageService(text)),
  ];
  const errors = withoutRepeats([...own, ...others.filter((error) => !isSaid(error, own))]);
  if (structure.ok && errors.length === 0) return structure;
  return { ok: false, errors };
}

/**
 * Whether one of our own errors is at the same place, above it or below it. The two checkers then say the
 * same in other words.
 */
function isSaid(error: DefinitionError, own: readonly DefinitionError[]): boolean {
  return own.some(
    ({ path }) => path === error.path || isWithin(path, error.path) || isWithin(error.path, path),
  );
}

function withoutRepeats(errors: readonly DefinitionError[]): DefinitionError[] {
  return [...new Map(errors.map((error) => [`${error.path} ${error.message}`, error])).values()];
}

function isWithin(path: string, outer: string): boolean {
  return outer === '/' || path.startsWith(`${outer}/`);
}
