import type { Definition, State } from './definition.ts';

/** Where a graph begins and ends: longer than a state's name can be, which is at most 80 characters. */
export const START = `${'-'.repeat(81)}start`;
export const END = `${'-'.repeat(81)}end`;

/** A way from one state to another; all rules that lead there by the same kind of way are one. */
export interface Transition {
  readonly from: string;
  readonly to: string;
  readonly kind: 'flow' | 'catch';
  /** When it is taken: a condition, the errors caught, or nothing for the only way. */
  readonly when: readonly string[];
}

/** The edges of a definition's graph, from its start to its ends. */
export function transitionsOf({ startAt, states }: Definition): Transition[] {
  const all: Transition[] = [{ from: START, to: startAt, kind: 'flow', when: [] }];
  for (const [name, state] of states) all.push(...merged(leavingOf(name, state)));
  return all;
}

function leavingOf(from: string, state: State): Transition[] {
  const flow = (to: string, ...when: string[]): Transition => ({ from, to, kind: 'flow', when });
  const ways = [
    ...state.Choices.map(({ Next, Condition }) => flow(Next, bare(Condition))),
    ...(state.Default === undefined ? [] : [flow(state.Default, 'otherwise')]),
    ...(state.Next === undefined ? [] : [flow(state.Next)]),
    ...state.Catch.map(
      ({ Next, ErrorEquals }): Transition => ({ from, to: Next, kind: 'catch', when: ErrorEquals }),
    ),
  ];
  return isEnd(state) ? [flow(END)] : ways;
}

function isEnd(state: State): boolean {
  return state.Type === 'Succeed' || state.Type === 'Fail' || state['End'] === true;
}

/** A condition without the marks that say that it is JSONata. */
function bare(condition: string | boolean | undefined): string {
  const text = String(condition ?? '');
  const inner = text.startsWith('{%') && text.endsWith('%}') ? text.slice(2, -2) : text;
  return inner.trim().replaceAll(/\s+/g, ' ');
}

function merged(transitions: readonly Transition[]): Transition[] {
  const byWay = Map.groupBy(transitions, ({ to, kind }) => `${kind} ${to}`);
  return [...byWay.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first, when: [...first.when, ...others.flatMap(({ when }) => when)] }],
  );
}
