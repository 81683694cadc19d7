import { isObject } from 'local-server-kit';
import type { DefinitionError } from './definition-error.ts';
import { rawItems, rawStates } from './raw-states.ts';
import { transitionsOf } from './transitions.ts';

/** AWS: an identifier by Unicode's rules, 80 characters at most, and not the reserved name. */
const VARIABLE_NAME = /^\p{ID_Start}\p{ID_Continue}{0,79}$/u;

export function checkVariableNames(definition: unknown): DefinitionError[] {
  return rawStates(definition).flatMap((state) => {
    const places = [
      { path: state.path, fields: state.fields },
      ...rawItems(state, 'Choices'),
      ...rawItems(state, 'Catch'),
    ];
    return places.flatMap(({ path, fields }) =>
      assignedNames(fields['Assign']).flatMap((name) =>
        VARIABLE_NAME.test(name) && name !== 'states'
          ? []
          : [{ path: `${path}/Assign/${name}`, message: 'is no name for a variable' }],
      ),
    );
  });
}

/**
 * For each state that can be reached, the variables that some path to it assigns. A state's own Assign counts
 * from the next state on.
 */
export function variablesBefore(definition: unknown): ReadonlyMap<string, ReadonlySet<string>> {
  const states = new Map(rawStates(definition).map((state) => [state.name, state]));
  const before = new Map<string, Set<string>>();
  const startAt = isObject(definition) ? definition['StartAt'] : undefined;
  if (typeof startAt !== 'string') return before;
  before.set(startAt, new Set());
  const open = [startAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = states.get(name);
    if (state === undefined) continue;
    const known = before.get(name) ?? new Set();
    for (const { target, assign } of transitionsOf(state)) {
      const atTarget = before.get(target);
      const after = new Set([...(atTarget ?? []), ...known, ...assignedNames(assign)]);
      if (atTarget !== undefined && atTarget.size === after.size) continue;
      before.set(target, after);
      open.push(target);
    }
  }
  return before;
}

function assignedNames(assign: unknown): string[] {
  return isObject(assign) ? Object.keys(assign) : [];
}
