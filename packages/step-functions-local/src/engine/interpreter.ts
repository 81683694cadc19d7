import { MAX_SECONDS } from '../definition/schema.ts';
import type { Document } from './document.ts';
import type { Engine } from './engine.ts';
import type { Execution } from './execution.ts';
import { ExecutionEnded, STATES_ERRORS, StateFailure } from './failure.ts';
import type { ChoiceState, FailState, State, WaitState } from './machine.ts';
import { runTask } from './task.ts';
import type { Template } from './template.ts';
import { setLongTimer } from './timer.ts';
import { Variables } from './variables.ts';
import { type Departure, Visit } from './visit.ts';

/** Runs an execution to its end. Never throws: what a definition cannot do ends the execution. */
export async function run(execution: Execution, engine: Engine): Promise<void> {
  try {
    execution.succeed(await walk(execution, engine));
  } catch (error) {
    // Stopped, timed out or abandoned: its end is already written.
    if (error instanceof ExecutionEnded) return;
    if (error instanceof StateFailure) {
      execution.fail(error);
      return;
    }
    console.error(error);
    execution.fail(
      new StateFailure(STATES_ERRORS.runtime, 'The local engine failed; its terminal says why.'),
    );
  }
}

async function walk(execution: Execution, engine: Engine): Promise<Document> {
  const { program, roleArn } = execution.machine;
  execution.history.start({
    executionStartedEventDetails: {
      input: execution.input.text,
      inputDetails: { truncated: false },
      roleArn,
    },
  });
  let name = program.startAt;
  let input = execution.input;
  let variables = Variables.NONE;
  for (;;) {
    const state = program.states.get(name);
    if (state === undefined) throw new Error(`The definition was checked, but has no state "${name}".`);
    const departure = await runState(state, new Visit({ execution, engine, state, input, variables }));
    if (departure.next === undefined) return departure.output;
    name = departure.next;
    input = departure.output;
    variables = departure.variables;
  }
}

async function runState(state: State, visit: Visit): Promise<Departure> {
  switch (state.type) {
    case 'Task':
      return await runTask(state, visit);
    case 'Pass':
    case 'Succeed':
      return await visit.leave(state.leaving, visit.input);
    case 'Choice':
      return await runChoice(state, visit);
    case 'Wait':
      return await runWait(state, visit);
    case 'Fail':
      throw await failureOf(state, visit);
  }
}

async function runChoice(state: ChoiceState, visit: Visit): Promise<Departure> {
  for (const [index, rule] of state.rules.entries()) {
    const location = `Choices[${index}]/Condition`;
    const matches = await visit.evaluate(rule.condition, location);
    if (typeof matches !== 'boolean') throw visit.wrongType(location, rule.condition, 'boolean', matches);
    if (matches) return await visit.leave(rule.leaving, visit.input);
  }
  if (state.otherwise !== undefined) return await visit.leave(state.otherwise, visit.input);
  throw visit.failure(
    STATES_ERRORS.noChoiceMatched,
    'Failed to transition out of the state. The state does not point to a next state.',
  );
}

async function runWait(state: WaitState, visit: Visit): Promise<Departure> {
  const seconds = await visit.evaluate(state.seconds, 'Seconds');
  if (typeof seconds !== 'number') throw visit.wrongType('Seconds', state.seconds, 'number', seconds);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_SECONDS) {
    throw visit.evaluationFailure(
      'Seconds',
      `The value ${seconds} for the field 'Seconds' is not a whole number from 0 to ${MAX_SECONDS}.`,
    );
  }
  if (seconds > 0) {
    await visit.execution.pause<void>((resolve) => setLongTimer(visit.engine.clock, seconds * 1000, resolve));
  }
  return await visit.leave(state.leaving, visit.input);
}

async function failureOf(state: FailState, visit: Visit): Promise<StateFailure> {
  const error = await evaluateText(state.error, 'Error', visit);
  return new StateFailure(error, await evaluateText(state.cause, 'Cause', visit));
}

async function evaluateText(
  template: Template | undefined,
  location: string,
  visit: Visit,
): Promise<string | undefined> {
  if (template === undefined) return undefined;
  const text = await visit.evaluate(template, location);
  if (typeof text !== 'string') throw visit.wrongType(location, template, 'string', text);
  return text;
}
