import { isObject } from 'local-server-kit';
import type { z } from 'zod';
import type { DefinitionError } from './definition-error.ts';
import { rawStates } from './raw-states.ts';
import { type Definition, definitionSchema, STATE_SCHEMAS } from './schema.ts';

const JSONPATH_FIELDS = [
  'InputPath',
  'OutputPath',
  'ResultPath',
  'ResultSelector',
  'Parameters',
  'Result',
  'Variable',
  'TimeoutSecondsPath',
  'HeartbeatSecondsPath',
  'SecondsPath',
  'TimestampPath',
  'ErrorPath',
  'CausePath',
];

type Issue = z.core.$ZodIssue;

export type Structure =
  | { readonly ok: true; readonly definition: Definition }
  | { readonly ok: false; readonly errors: readonly DefinitionError[] };

/** The fields, their types and limits. Whatever the schema does not know is an error of its own. */
export function checkStructure(definition: unknown): Structure {
  const parsed = definitionSchema.safeParse(definition);
  if (!parsed.success) return { ok: false, errors: errorsOf(parsed.error.issues, definition, []) };
  const { States: states } = parsed.data;
  if (Object.keys(states).length === 0) {
    return { ok: false, errors: [{ path: '/States', message: 'must hold at least one state' }] };
  }
  // The schema drops a state of this name without a word.
  if (rawStates(definition).some(({ name }) => name === '__proto__')) {
    return { ok: false, errors: [{ path: '/States/__proto__', message: 'this name is not supported here' }] };
  }
  return { ok: true, definition: parsed.data };
}

function errorsOf(issues: readonly Issue[], root: unknown, base: readonly PropertyKey[]): DefinitionError[] {
  return issues.flatMap((issue) => {
    const segments = [...base, ...issue.path];
    const value = valueAt(root, segments);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: pathOf([...segments, key]), message: unknownField(key) }));
    }
    if (issue.code === 'invalid_union' && segments.at(-1) === 'Type') {
      return [{ path: pathOf(segments), message: unknownType(value) }];
    }
    if (issue.code === 'invalid_union' && isObject(value)) {
      // Of the alternatives, the one for objects says what is wrong inside.
      const inside = issue.errors.filter((branch) =>
        branch.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
      );
      if (inside.length > 0) return inside.flatMap((branch) => errorsOf(branch, root, segments));
    }
    return [{ path: pathOf(segments), message: value === undefined ? 'is required' : messageOf(issue) }];
  });
}

function messageOf(issue: Issue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  return issue.message.startsWith('Invalid input') ? 'is not what this field takes' : issue.message;
}

function unknownField(key: string): string {
  return JSONPATH_FIELDS.includes(key) ? 'not supported here: it belongs to JSONPath' : 'not supported here';
}

function unknownType(value: unknown): string {
  if (value === undefined) return 'is required';
  return `${JSON.stringify(value)} is not supported here: only ${Object.keys(STATE_SCHEMAS).join(', ')}`;
}

export function pathOf(segments: readonly PropertyKey[]): string {
  return `/${segments.map(String).join('/')}`;
}

function valueAt(root: unknown, segments: readonly PropertyKey[]): unknown {
  let value = root;
  for (const segment of segments) {
    if (Array.isArray(value)) value = value[Number(segment)];
    else if (isObject(value)) value = value[String(segment)];
    else return undefined;
  }
  return value;
}
