import type { LambdaResult } from 'local-server-kit';
import { isObject } from 'local-server-kit';
import { MAX_SECONDS } from '../definition/schema.ts';
import { type Document, documentOf, isTooLarge, parseDocument } from './document.ts';
import { dataLimitExceeded, STATES_ERRORS, StateFailure } from './failure.ts';
import { failureOf } from './lambda.ts';
import type { TaskState } from './machine.ts';
import { matchesError, Retries } from './retries.ts';
import type { TaskAnswer } from './task-tokens.ts';
import { setLongTimer } from './timer.ts';
import type { Departure, Visit } from './visit.ts';

type Outcome =
  | { readonly kind: 'succeeded'; readonly result: Document }
  | {
      readonly kind: 'failed';
      readonly errorName: string | undefined;
      readonly causeText: string | undefined;
    }
  | { readonly kind: 'timed out' };

/** @throws StateFailure what neither Retry nor Catch takes. */
export async function runTask(state: TaskState, visit: Visit): Promise<Departure> {
  const retries = new Retries(state.retriers, visit.engine.random);
  for (;;) {
    try {
      const result = await attempt(state, visit);
      return await visit.leave(state.leaving, result, { result: result.value });
    } catch (error) {
      if (!(error instanceof StateFailure)) throw error;
      const delayMs = retries.nextDelayMs(error.errorName);
      if (delayMs === undefined) return await handle(error, state, visit);
      await visit.execution.pause<void>((resolve) => setLongTimer(visit.engine.clock, delayMs, resolve));
      visit.retryCount++;
    }
  }
}

async function handle(failure: StateFailure, state: TaskState, visit: Visit): Promise<Departure> {
  const catcher = state.catchers.find(({ errorEquals }) => matchesError(errorEquals, failure.errorName));
  if (catcher === undefined) throw failure;
  const { errorOutput } = failure;
  return await visit.leave(catcher, documentOf(errorOutput), { errorOutput });
}

async function attempt(state: TaskState, visit: Visit): Promise<Document> {
  // A token for each attempt: an answer to an earlier one must not end this one.
  const token = state.waitsForToken ? visit.engine.tokens.issue(visit.execution.arn) : undefined;
  const evaluated = await visit.evaluate(state.arguments, 'Arguments', token === undefined ? {} : { token });
  const timeoutSeconds = await evaluateTimeout(state, visit);
  const parameters = documentOf(evaluated);
  if (isTooLarge(parameters.text)) throw dataLimitExceeded(state.name);
  const functionName = functionNameOf(parameters, visit);

  const resource = {
    resourceType: 'lambda',
    resource: state.waitsForToken ? 'invoke.waitForTaskToken' : 'invoke',
  };
  visit.record('TaskScheduled', {
    taskScheduledEventDetails: {
      ...resource,
      region: visit.engine.region,
      parameters: parameters.text,
      timeoutInSeconds: timeoutSeconds,
    },
  });
  visit.record('TaskStarted', { taskStartedEventDetails: resource });
  const payload =
    isObject(parameters.value) && 'Payload' in parameters.value ? parameters.value['Payload'] : {};
  const outcome = await perform({ visit, functionName, payload, token, timeoutSeconds, resource });

  switch (outcome.kind) {
    case 'succeeded':
      visit.record('TaskSucceeded', {
        taskSucceededEventDetails: { ...resource, ...outputOf(outcome.result) },
      });
      return outcome.result;
    case 'failed': {
      const failure = new StateFailure(outcome.errorName, outcome.causeText);
      visit.record('TaskFailed', {
        taskFailedEventDetails: {
          ...resource,
          ...(failure.errorName === undefined ? {} : { error: failure.errorName }),
          ...(failure.causeText === undefined ? {} : { cause: failure.causeText }),
        },
      });
      throw failure;
    }
    case 'timed out':
      visit.record('TaskTimedOut', {
        taskTimedOutEventDetails: { ...resource, error: STATES_ERRORS.timeout },
      });
      throw new StateFailure(STATES_ERRORS.timeout, undefined);
  }
}

async function evaluateTimeout(state: TaskState, visit: Visit): Promise<number> {
  const seconds = await visit.evaluate(state.timeoutSeconds, 'TimeoutSeconds');
  if (typeof seconds !== 'number') {
    throw visit.wrongType('TimeoutSeconds', state.timeoutSeconds, 'number', seconds);
  }
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
    throw visit.evaluationFailure(
      'TimeoutSeconds',
      `The value ${seconds} for the field 'TimeoutSeconds' is not a whole number from 1 to ${MAX_SECONDS}.`,
    );
  }
  return seconds;
}

/** An object in the definition was checked when the machine was created; an expression can give anything. */
function functionNameOf(parameters: Document, visit: Visit): string {
  const { value } = parameters;
  const unusable = (why: string): StateFailure =>
    visit.failure(STATES_ERRORS.runtime, `The Arguments could not be used to start the Task: ${why}`);
  if (!isObject(value)) throw unusable('[They must be an object]');
  const unknown = Object.keys(value).find((name) => name !== 'FunctionName' && name !== 'Payload');
  if (unknown !== undefined) throw unusable(`[The field '${unknown}' is not supported here]`);
  const functionName = value['FunctionName'];
  if (typeof functionName !== 'string' || functionName === '') {
    throw unusable("[The value for the field 'FunctionName' must be a STRING]");
  }
  return functionName;
}

/** Invokes the function and waits for what ends the task: its result, the token's answer, or the time-out. */
async function perform(call: {
  visit: Visit;
  functionName: string;
  payload: unknown;
  token: string | undefined;
  timeoutSeconds: number;
  resource: Readonly<Record<string, string>>;
}): Promise<Outcome> {
  const { visit, token } = call;
  const { engine, execution } = visit;
  return await execution.pause<Outcome>((resolve, reject) => {
    let waiting = true;
    const cancelTimeout = setLongTimer(engine.clock, call.timeoutSeconds * 1000, () =>
      resolve({ kind: 'timed out' }),
    );
    const stopAwaiting =
      token === undefined ? () => {} : engine.tokens.waitFor(token, (answer) => resolve(outcomeOf(answer)));
    invoke(call)
      .then((outcome) => {
        // Too late to count: the task timed out, was answered by its token, or its execution ended.
        if (!waiting) return;
        if (token === undefined || outcome.kind !== 'succeeded') {
          resolve(outcome);
          return;
        }
        visit.record('TaskSubmitted', {
          taskSubmittedEventDetails: { ...call.resource, ...outputOf(outcome.result) },
        });
      })
      .catch(reject);
    return () => {
      waiting = false;
      cancelTimeout();
      stopAwaiting();
    };
  });
}

async function invoke(call: { visit: Visit; functionName: string; payload: unknown }): Promise<Outcome> {
  let result: LambdaResult;
  try {
    result = await call.visit.engine.invokeLambda(call.functionName, call.payload);
  } catch (error) {
    const errorMessage = `The invoker failed: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'failed', ...failureOf({ errorType: 'Lambda.Unknown', errorMessage }) };
  }
  if (!result.ok) return { kind: 'failed', ...failureOf(result.failure) };
  let response: Document;
  try {
    response = documentOf({
      ExecutedVersion: '$LATEST',
      Payload: result.payload ?? null,
      StatusCode: 200,
    });
  } catch {
    const failure = { errorType: 'Runtime.MarshalError', errorMessage: 'Unable to stringify response body' };
    return { kind: 'failed', ...failureOf(failure) };
  }
  if (!isTooLarge(response.text)) return { kind: 'succeeded', result: response };
  const { errorName, causeText } = dataLimitExceeded('lambda');
  return { kind: 'failed', errorName, causeText };
}

function outcomeOf(answer: TaskAnswer): Outcome {
  return answer.kind === 'success'
    ? { kind: 'succeeded', result: parseDocument(answer.outputText) }
    : { kind: 'failed', errorName: answer.errorName, causeText: answer.causeText };
}

function outputOf(result: Document): Record<string, unknown> {
  return { output: result.text, outputDetails: { truncated: false } };
}
