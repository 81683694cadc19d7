import { isObject } from 'local-server-kit';
import type { Document } from './document.ts';
import { documentOf, isTooLarge } from './document.ts';
import type { Engine } from './engine.ts';
import type { Execution } from './execution.ts';
import { dataLimitExceeded, STATES_ERRORS, StateFailure } from './failure.ts';
import type { EventDetails } from './history.ts';
import type { Leaving, State } from './machine.ts';
import { EvaluationError, evaluateTemplate, type Template } from './template.ts';
import type { Variables } from './variables.ts';

/** Where the execution goes from here. */
export interface Departure {
  readonly next: string | undefined;
  readonly output: Document;
  readonly variables: Variables;
}

/** What `$states` holds besides input and context, where it exists. */
export interface Available {
  readonly result?: unknown;
  readonly errorOutput?: unknown;
  readonly token?: string;
}

/** One stay of an execution in a state, from its entered event to its exited event. */
export class Visit {
  readonly execution: Execution;
  readonly engine: Engine;
  readonly input: Document;
  /** How often this visit has been retried; a task's context shows it. */
  retryCount = 0;
  readonly #state: State;
  readonly #variables: Variables;
  readonly #enteredMs: number;
  readonly #enteredEventId: number;
  readonly #eventBeforeId: number;

  constructor(options: {
    execution: Execution;
    engine: Engine;
    state: State;
    input: Document;
    variables: Variables;
  }) {
    this.execution = options.execution;
    this.engine = options.engine;
    this.input = options.input;
    this.#state = options.state;
    this.#variables = options.variables;
    this.#enteredMs = options.engine.clock.nowMs();
    this.#eventBeforeId = this.execution.history.previousEventId;
    const details = { name: this.#state.name, input: this.input.text, inputDetails: { truncated: false } };
    this.#enteredEventId = this.record(`${this.#state.type}StateEntered`, {
      stateEnteredEventDetails: details,
    });
  }

  record(type: string, details: EventDetails): number {
    return this.execution.history.record(type, details);
  }

  /** A failure in the words that AWS puts before every cause it finds itself. */
  failure(errorName: string, sentence: string): StateFailure {
    return new StateFailure(
      errorName,
      `An error occurred while executing the state '${this.#state.name}' (entered at the event id #${this.#enteredEventId}). ${sentence}`,
    );
  }

  /** @throws StateFailure States.QueryEvaluationError, after its EvaluationFailed event. */
  async evaluate(template: Template, location: string, available: Available = {}): Promise<unknown> {
    const { token, ...states } = available;
    const bindings = {
      ...this.engine.functions,
      ...this.#variables.values,
      states: { input: this.input.value, context: this.#context(token), ...states },
    };
    try {
      return await evaluateTemplate(template, bindings, location);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      throw this.evaluationFailure(error.location, error.message);
    }
  }

  evaluationFailure(location: string, sentence: string): StateFailure {
    const failure = this.failure(STATES_ERRORS.queryEvaluationError, sentence);
    const { history } = this.execution;
    // As recorded on AWS: directly after the state was entered, the event follows what that one followed.
    const previous =
      history.previousEventId === this.#enteredEventId ? this.#eventBeforeId : history.previousEventId;
    const details = {
      error: STATES_ERRORS.queryEvaluationError,
      cause: failure.causeText,
      location,
      state: this.#state.name,
    };
    history.record('EvaluationFailed', { evaluationFailedEventDetails: details }, previous);
    return failure;
  }

  /** For a field that takes one type only. */
  wrongType(location: string, template: Template, expected: string, value: unknown): StateFailure {
    const source =
      template.kind === 'expression' ? `The JSONata expression '${template.source}'` : 'The value';
    return this.evaluationFailure(
      location,
      `${source} specified for the field '${location}' returned an unexpected result type. Expected '${expected}', but was '${typeName(value)}' for value: ${JSON.stringify(value)}`,
    );
  }

  /**
   * Evaluates Assign and Output, both against the variables as they were on entering, and leaves the state.
   * Without an Output, `otherwise` is what it would be.
   */
  async leave(leaving: Leaving, otherwise: Document, available: Available = {}): Promise<Departure> {
    const { assign, output: outputTemplate, next, location } = leaving;
    const assigned =
      assign === undefined
        ? undefined
        : documentOf(await this.evaluate(assign, `${location}Assign`, available));
    if (assigned !== undefined && isTooLarge(assigned.text)) throw dataLimitExceeded(this.#state.name);
    const output =
      outputTemplate === undefined
        ? otherwise
        : documentOf(await this.evaluate(outputTemplate, `${location}Output`, available));
    if (isTooLarge(output.text)) throw dataLimitExceeded(this.#state.name);
    const assignedTexts = isObject(assigned?.value)
      ? Object.fromEntries(
          Object.entries(assigned.value).map(([name, value]) => [name, JSON.stringify(value)]),
        )
      : {};
    const variables = this.#variables.with(assignedTexts);
    if (variables.isTooLarge) throw dataLimitExceeded(this.#state.name);
    this.#recordExit(output, assignedTexts);
    return { next, output, variables };
  }

  #recordExit(output: Document, assignedVariables: Readonly<Record<string, string>>): void {
    const assignedDetails =
      Object.keys(assignedVariables).length === 0
        ? {}
        : { assignedVariables, assignedVariablesDetails: { truncated: false } };
    this.record(`${this.#state.type}StateExited`, {
      stateExitedEventDetails: {
        name: this.#state.name,
        output: output.text,
        outputDetails: { truncated: false },
        ...assignedDetails,
      },
    });
  }

  /** The context object; https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
  #context(token: string | undefined): Record<string, unknown> {
    const { execution } = this;
    const { machine } = execution;
    return {
      Execution: {
        Id: execution.arn,
        Input: execution.input.value,
        Name: execution.name,
        RoleArn: machine.roleArn,
        StartTime: new Date(execution.startMs).toISOString(),
        ...(machine.type === 'STANDARD' ? { RedriveCount: 0 } : {}),
      },
      State: {
        Name: this.#state.name,
        EnteredTime: new Date(this.#enteredMs).toISOString(),
        ...(this.#state.type === 'Task' ? { RetryCount: this.retryCount } : {}),
      },
      StateMachine: { Id: machine.arn, Name: machine.name },
      ...(token === undefined ? {} : { Task: { Token: token } }),
    };
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
