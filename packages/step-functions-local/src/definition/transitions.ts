import { isObject } from 'local-server-kit';
import type { DefinitionError } from './definition-error.ts';
import { type RawState, rawItems, rawStates } from './raw-states.ts';

/** A way from one state to another, with the Assign that happens on it. */
export interface Transition {
  readonly path: string;
  readonly target: string;
  readonly assign: unknown;
}

const TYPES_WITH_NEXT = ['Task', 'Pass', 'Wait'];

export function transitionsOf(state: RawState): readonly Transition[] {
  const ways = [
    { path: `${state.path}/Next`, target: state.fields['Next'], assign: state.fields['Assign'] },
    { path: `${state.path}/Default`, target: state.fields['Default'], assign: undefined },
    ...['Choices', 'Catch'].flatMap((field) =>
      rawItems(state, field).map((item) => ({
        path: `${item.path}/Next`,
        target: item.fields['Next'],
        assign: item.fields['Assign'],
      })),
    ),
  ];
  return ways.flatMap(({ path, target, assign }) =>
    typeof target === 'string' ? [{ path, target, assign }] : [],
  );
}

/** Every target exists, every state is reached and goes somewhere, and some way leads to an end. */
export function checkTransitions(definition: unknown): DefinitionError[] {
  if (!isObject(definition)) return [];
  const states = rawStates(definition);
  const names = new Set(states.map(({ name }) => name));
  const startAt = definition['StartAt'];
  const starts = typeof startAt === 'string' ? [{ path: '/StartAt', target: startAt }] : [];
  const missing = [...starts, ...states.flatMap(transitionsOf)].flatMap(({ path, target }) =>
    names.has(target) ? [] : [{ path, message: `there is no state "${target}"` }],
  );
  return [
    ...missing,
    ...states.flatMap(checkLeaving),
    ...(typeof startAt === 'string' && names.has(startAt) ? checkReachability(states, startAt) : []),
  ];
}

function checkLeaving({ path, fields }: RawState): DefinitionError[] {
  const type = fields['Type'];
  if (typeof type !== 'string' || !TYPES_WITH_NEXT.includes(type)) return [];
  const given = ['Next', 'End'].filter((field) => field in fields);
  return given.length === 1 ? [] : [{ path, message: 'must have exactly one of Next and End' }];
}

function checkReachability(states: readonly RawState[], startAt: string): DefinitionError[] {
  const byName = new Map(states.map((state) => [state.name, state]));
  const reached = new Set<string>();
  const open = [startAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = byName.get(name);
    if (state === undefined || reached.has(name)) continue;
    reached.add(name);
    open.push(...transitionsOf(state).map(({ target }) => target));
  }
  const unreachable = states.flatMap(({ name, path }) =>
    reached.has(name) ? [] : [{ path, message: 'cannot be reached' }],
  );
  const ends = states.some(
    ({ name, fields }) =>
      reached.has(name) &&
      (fields['End'] === true || fields['Type'] === 'Succeed' || fields['Type'] === 'Fail'),
  );
  return ends
    ? unreachable
    : [...unreachable, { path: '/States', message: 'no state that can be reached ends the execution' }];
}
