import type { StateMachineError } from 'asl-validator';
import { isObject } from 'local-server-kit';
import type { DefinitionError } from './definition-error.ts';
import { jsonataSource } from './jsonata-string.ts';
import { checkTransitions } from './transitions.ts';

/** Its verdicts that our own check of transitions gives too, there with the path. */
const TRANSITION_CODES = ['MISSING_TRANSITION_TARGET', 'MISSING_TERMINAL_STATE', 'TERMINAL_STATE_WITH_NEXT'];

/**
 * The verdict of asl-validator. Loaded at the first use: some 50 ms and 5 MB, then about 50 ms a definition,
 * for it compiles its schemas anew each time.
 */
export async function checkWithAslValidator(definition: unknown): Promise<DefinitionError[]> {
  // What it cannot take makes it throw; the schema of ours refuses that already.
  if (!isObject(definition) || !isObject(definition['States'])) return [];
  if (!Object.values(definition['States']).every(isObject)) return [];
  const { default: validate } = await import('asl-validator');
  const { errors } = validate(rewritten(definition));
  const known = checkTransitions(definition);
  return errors.flatMap((error) => {
    if (TRANSITION_CODES.includes(error['Error code']) && known.length > 0) return [];
    return [{ path: placeOf(error, definition), message: `${error.Message} (asl-validator)` }];
  });
}

/**
 * The state that it means: where it is inside is the deepest place at which one of a schema's alternatives
 * did not fit, and that is often the wrong one.
 */
function placeOf(error: StateMachineError, definition: Record<string, unknown>): string {
  const states = isObject(definition['States']) ? Object.keys(definition['States']) : [];
  const path = error.schemaError?.instancePath ?? '/States';
  const state = states.find((name) => path === `/States/${name}` || path.startsWith(`/States/${name}/`));
  if (state !== undefined) return `/States/${state}`;
  return path === '' ? '/' : path;
}

/**
 * A copy for it to change and to judge. It has no words for some of what AWS takes in JSONata's templates
 * (literals as a whole Output, empty strings, line breaks, arrays in arrays, a boolean Condition), and it
 * takes a payload's field called Next for a transition. So templates are rewritten to others of the same
 * kind that it knows; everything else is as it was.
 */
function rewritten(definition: Record<string, unknown>): Record<string, unknown> {
  const states = isObject(definition['States']) ? definition['States'] : {};
  return {
    ...structuredClone(definition),
    States: Object.fromEntries(Object.entries(states).map(([name, state]) => [name, rewrittenState(state)])),
  };
}

function rewrittenState(state: unknown): unknown {
  if (!isObject(state)) return state;
  const copy = rewrittenFields(structuredClone(state));
  for (const field of ['Choices', 'Catch']) {
    const items = copy[field];
    if (Array.isArray(items))
      copy[field] = items.map((item) => (isObject(item) ? rewrittenFields(item) : item));
  }
  return copy;
}

function rewrittenFields(fields: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...fields };
  for (const field of ['Arguments', 'Assign', 'Output']) {
    if (field in copy) copy[field] = wholeTemplate(copy[field]);
  }
  for (const field of ['Condition', 'TimeoutSeconds', 'Seconds', 'Error', 'Cause']) {
    if (typeof copy[field] === 'string') copy[field] = template(copy[field]);
  }
  if (typeof copy['Condition'] === 'boolean') copy['Condition'] = '{% true %}';
  return copy;
}

function wholeTemplate(value: unknown): unknown {
  const known = template(value);
  return isObject(known) || jsonataSource(known) !== undefined ? known : { literal: known };
}

function template(value: unknown): unknown {
  if (typeof value === 'string') {
    const source = jsonataSource(value);
    return source === undefined ? 'literal' : `{% ${source.replace(/\s+/g, ' ')} %}`;
  }
  if (Array.isArray(value))
    return value.map((item) => (Array.isArray(item) ? { items: template(item) } : template(item)));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.values(value).map((field, index) => [`field${index}`, template(field)]));
}
