import { type Definition, parseDefinition } from './definition.ts';
import { type Layout, layOut } from './layout.ts';
import { type Transition, transitionsOf } from './transitions.ts';

/** A state machine's graph: what does not change while its executions come and go. */
export interface Graph {
  readonly definition: Definition;
  readonly transitions: readonly Transition[];
  readonly layout: Layout;
}

/** @param definitionText as DescribeStateMachine gives it. */
export async function graphOf(definitionText: string): Promise<Graph> {
  const definition = parseDefinition(definitionText);
  const transitions = transitionsOf(definition);
  return { definition, transitions, layout: await layOut(definition, transitions) };
}
