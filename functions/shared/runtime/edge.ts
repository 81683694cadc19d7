import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { isKnownError, UnexpectedError } from './errors.ts';
import { createLog, type Log, type LogFields } from './logging.ts';
import { createMetrics, type EmittedMetrics, type Metrics } from './metrics.ts';

/** What each invocation makes anew. The decision gets it beside the function's dependencies. */
export interface Tools {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Lambda's context with the tools. A middleware replaces the log once the session is known. */
export interface Invocation extends Context {
  log: Log;
  readonly metrics: EmittedMetrics;
}

export type Middleware = middy.MiddlewareObj<unknown, unknown, unknown, Invocation>;
export type Handler<Event, Result> = (event: Event, context: Context) => Promise<Result>;

/** A method, because TypeScript lets it narrow the event: Lambda may hand over anything, and the middlewares parse it. */
interface Stack<Result> {
  run(event: unknown, invocation: Invocation): Promise<Result>;
}

/**
 * Makes a handler of a decision and the middlewares around it. On the way in they run in this order, on the way out and
 * after a failure in the opposite one.
 *
 * @param work gets what the middlewares have made of the event.
 */
export function edge<Event, Input, Result>(
  middlewares: readonly Middleware[],
  work: (input: Input, invocation: Invocation) => Promise<Result>,
): Handler<Event, Result> {
  const stack: Stack<Result> = {
    // Lambda ends an invocation itself. Middy's own early end would take 5 ms of it, and is an error of another name.
    run: middy<Input, Result, unknown, Invocation>({ timeoutEarlyInMillis: 0 })
      .use([...middlewares])
      .handler<Input, Result>(work),
  };
  return (event, context) => {
    const metrics = createMetrics(() => invocation.log);
    const invocation: Invocation = { ...context, log: createLog({}), metrics };
    return stack.run(event, invocation);
  };
}

/** Emits what the invocation has counted, whether it failed or not. */
export function emitMetrics(): Middleware {
  const emit = ({ context }: { readonly context: Invocation }) => context.metrics.emit();
  return { after: emit, onError: emit };
}

/** Replaces the event by the decision's input, and writes the session's ids on every log line from then on. */
export function parseInput<Input>(
  parse: (event: unknown, tools: Tools) => Input | Promise<Input>,
  idsOf: (input: Input) => LogFields,
): Middleware {
  return {
    before: async (request) => {
      const input = await parse(request.event, request.context);
      request.event = input;
      request.context.log = request.context.log.with(idsOf(input));
    },
  };
}

/**
 * Logs a failure as far as it may be logged, and lets only the errors of `errors.ts` out: the only ones that `Retry` and
 * `Catch` know, and whose messages are fit for an execution's history.
 */
export function knownErrorsOnly(
  logFailure = (error: unknown, log: Log): void => log.error('TaskFailed', error),
): Middleware {
  return {
    onError: (request) => {
      logFailure(request.error, request.context.log);
      // Replaced, not thrown: middy adds the original to what is thrown, and Lambda logs an error's members.
      if (!isKnownError(request.error)) request.error = new UnexpectedError({ cause: request.error });
    },
  };
}
