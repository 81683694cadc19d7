import { isObject } from 'local-server-kit';
import type { DefinitionError } from './definition-error.ts';
import { jsonataSource } from './jsonata-string.ts';
import { type RawState, rawItems, rawStates } from './raw-states.ts';
import { LAMBDA_INVOKE_CALLBACK } from './schema.ts';

/** What `$states` holds where an expression stands. */
export interface Scope {
  readonly result: boolean;
  readonly errorOutput: boolean;
  readonly taskToken: boolean;
  readonly retryCount: boolean;
}

export interface Expression {
  readonly state: string;
  readonly path: string;
  readonly source: string;
  readonly scope: Scope;
}

interface Field {
  readonly path: string;
  readonly value: unknown;
  readonly scope: Scope;
}

/** Every expression of a definition; and every string that looks like one, but would be taken literally. */
export function findExpressions(definition: unknown): {
  expressions: readonly Expression[];
  errors: readonly DefinitionError[];
} {
  const expressions: Expression[] = [];
  const errors: DefinitionError[] = [];
  for (const state of rawStates(definition)) {
    for (const { path, value, scope } of fieldsOf(state)) {
      walk(path, value, (textPath, text) => {
        const source = jsonataSource(text);
        if (source !== undefined) {
          expressions.push({ state: state.name, path: textPath, source, scope });
        } else if (text.includes('{%') || text.includes('%}')) {
          const message = 'JSONata must be the whole string: it begins with {% and ends with %}';
          errors.push({ path: textPath, message });
        }
      });
    }
  }
  return { expressions, errors };
}

function fieldsOf(state: RawState): readonly Field[] {
  const isTask = state.fields['Type'] === 'Task';
  const plain: Scope = { result: false, errorOutput: false, taskToken: false, retryCount: isTask };
  const own = (field: string, scope: Scope): Field => ({
    path: `${state.path}/${field}`,
    value: state.fields[field],
    scope,
  });
  const waitsForToken = state.fields['Resource'] === LAMBDA_INVOKE_CALLBACK;
  const withResult = { ...plain, result: isTask };
  return [
    own('Arguments', { ...plain, taskToken: waitsForToken }),
    ...['TimeoutSeconds', 'Seconds', 'Error', 'Cause'].map((field) => own(field, plain)),
    ...['Assign', 'Output'].map((field) => own(field, withResult)),
    ...itemFields(state, 'Choices', ['Condition', 'Assign', 'Output'], plain),
    ...itemFields(state, 'Catch', ['Assign', 'Output'], { ...plain, errorOutput: true }),
  ];
}

function itemFields(
  state: RawState,
  field: string,
  names: readonly string[],
  scope: Scope,
): readonly Field[] {
  return rawItems(state, field).flatMap((item) =>
    names.map((name) => ({ path: `${item.path}/${name}`, value: item.fields[name], scope })),
  );
}

function walk(path: string, value: unknown, onText: (path: string, text: string) => void): void {
  if (typeof value === 'string') onText(path, value);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(`${path}/${index}`, item, onText);
  } else if (isObject(value)) {
    for (const [name, field] of Object.entries(value)) walk(`${path}/${name}`, field, onText);
  }
}
