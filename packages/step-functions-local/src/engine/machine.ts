import type { Catcher, Definition, Retrier, StateDefinition } from '../definition/schema.ts';
import { LAMBDA_INVOKE_CALLBACK } from '../definition/schema.ts';
import { compileTemplate, type Template } from './template.ts';

/** A checked definition with its expressions parsed, ready to run. */
export interface Program {
  readonly startAt: string;
  readonly timeoutSeconds: number | undefined;
  readonly states: ReadonlyMap<string, State>;
}

/** `Assign` and `Output` as they apply together when a state is left on one way. */
export interface Leaving {
  readonly assign: Template | undefined;
  readonly output: Template | undefined;
  /** undefined ends the execution. */
  readonly next: string | undefined;
  /** Where the two fields are in the state, like `Choices[0]/`; empty for the state's own. */
  readonly location: string;
}

export interface Catching extends Leaving {
  readonly errorEquals: readonly string[];
}

export interface TaskState {
  readonly type: 'Task';
  readonly name: string;
  readonly waitsForToken: boolean;
  readonly arguments: Template;
  readonly timeoutSeconds: Template;
  readonly retriers: readonly Retrier[];
  readonly catchers: readonly Catching[];
  readonly leaving: Leaving;
}

export interface PassState {
  readonly type: 'Pass';
  readonly name: string;
  readonly leaving: Leaving;
}

export interface ChoiceState {
  readonly type: 'Choice';
  readonly name: string;
  readonly rules: readonly { readonly condition: Template; readonly leaving: Leaving }[];
  /** With the state's own Output, which only counts when no rule matches. */
  readonly otherwise: Leaving | undefined;
}

export interface WaitState {
  readonly type: 'Wait';
  readonly name: string;
  readonly seconds: Template;
  readonly leaving: Leaving;
}

export interface SucceedState {
  readonly type: 'Succeed';
  readonly name: string;
  readonly leaving: Leaving;
}

export interface FailState {
  readonly type: 'Fail';
  readonly name: string;
  readonly error: Template | undefined;
  readonly cause: Template | undefined;
}

export type State = TaskState | PassState | ChoiceState | WaitState | SucceedState | FailState;

const compiled = new WeakMap<Definition, Program>();

/** Compiles a definition once, however many servers create a machine of it: parsing its expressions takes some 30 ms. */
export function compile(definition: Definition): Program {
  const known = compiled.get(definition);
  if (known !== undefined) return known;
  const program = {
    startAt: definition.StartAt,
    timeoutSeconds: definition.TimeoutSeconds,
    states: new Map(
      Object.entries(definition.States).map(([name, state]) => [name, compileState(name, state)]),
    ),
  };
  compiled.set(definition, program);
  return program;
}

function compileState(name: string, state: StateDefinition): State {
  switch (state.Type) {
    case 'Task':
      return {
        type: 'Task',
        name,
        waitsForToken: state.Resource === LAMBDA_INVOKE_CALLBACK,
        arguments: compileTemplate(state.Arguments),
        timeoutSeconds: compileTemplate(state.TimeoutSeconds),
        retriers: state.Retry ?? [],
        catchers: (state.Catch ?? []).map(compileCatcher),
        leaving: leaving(state, state.Next),
      };
    case 'Pass':
      return { type: 'Pass', name, leaving: leaving(state, state.Next) };
    case 'Choice':
      return {
        type: 'Choice',
        name,
        rules: state.Choices.map((rule, index) => ({
          condition: compileTemplate(rule.Condition),
          leaving: leaving(rule, rule.Next, `Choices[${index}]/`),
        })),
        otherwise: state.Default === undefined ? undefined : leaving(state, state.Default),
      };
    case 'Wait':
      return {
        type: 'Wait',
        name,
        seconds: compileTemplate(state.Seconds),
        leaving: leaving(state, state.Next),
      };
    case 'Succeed':
      return { type: 'Succeed', name, leaving: leaving(state, undefined) };
    case 'Fail':
      return { type: 'Fail', name, error: optional(state.Error), cause: optional(state.Cause) };
  }
}

function compileCatcher(catcher: Catcher, index: number): Catching {
  return { ...leaving(catcher, catcher.Next, `Catch[${index}]/`), errorEquals: catcher.ErrorEquals };
}

function leaving(
  from: { readonly Assign?: unknown; readonly Output?: unknown },
  next: string | undefined,
  location = '',
): Leaving {
  return { assign: optional(from.Assign), output: optional(from.Output), next, location };
}

function optional(value: unknown): Template | undefined {
  return value === undefined ? undefined : compileTemplate(value);
}
