import { parser } from '@aws-lambda-powertools/parser/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import * as z from 'zod';
import { type SessionKey, sessionKeySchema } from '../contracts/index.ts';
import { InvalidTaskInputError, isKnownError, UnexpectedError } from './errors.ts';
import { createLog, type Log } from './logging.ts';
import { type Metrics, measured } from './metrics.ts';

/** What every task of a state machine gets: which session it is for, and in which execution. */
export const taskInputShape = { ...sessionKeySchema.shape, executionName: z.string().min(1).max(80) };

/** Epoch ms, of those that a Date can have: the table takes larger numbers, and nobody could read them again. */
export const epochMsSchema = z.number().min(0).max(8.64e15).overwrite(Math.round);

export type TaskInput = SessionKey & { readonly executionName: string };

/**
 * The glue of a Step Functions task: the input is parsed once, the log carries the session and the execution,
 * and what the decision throws leaves as one of the errors of `errors.ts`, the only ones that `Retry` and
 * `Catch` know and whose messages are fit for a history.
 */
export function taskHandler<Input extends TaskInput, Dependencies extends object, Result>(
  schema: z.ZodType<Input>,
  decide: (
    input: Input,
    dependencies: Dependencies & { readonly log: Log; readonly metrics: Metrics },
  ) => Promise<Result>,
  dependencies: Dependencies,
): MiddyfiedHandler<Input, Result> {
  return middy<Input, Result>({ timeoutEarlyInMillis: 0 })
    .use(knownErrorsOnly())
    .use(parser({ schema }))
    .handler(async (input: Input) => {
      const { streamGroupId, streamSessionId, executionName } = input;
      const log = createLog({ streamGroupId, streamSessionId, executionName });
      try {
        return await measured(log, (metrics) => decide(input, { ...dependencies, log, metrics }));
      } catch (error) {
        throw fitForHistory(error, log);
      }
    });
}

/** What the decision throws is known by now. Before it only the parser fails: the input is not what the state machine builds. */
function knownErrorsOnly(): middy.MiddlewareObj {
  return {
    onError: ({ error }) => {
      throw isKnownError(error)
        ? error
        : fitForHistory(new InvalidTaskInputError({ cause: error }), createLog({}));
    },
  };
}

/** Logs the error as far as it may be logged, and gives it back as one that a state machine may see. */
export function fitForHistory(error: unknown, log: Log): unknown {
  log.error('TaskFailed', error);
  return isKnownError(error) ? error : new UnexpectedError({ cause: error });
}
