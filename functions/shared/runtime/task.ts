import { parse } from '@aws-lambda-powertools/parser';
import * as z from 'zod';
import { type SessionKey, sessionKeySchema } from '../contracts/index.ts';
import {
  type ClientName,
  type Dependencies,
  defineFunction,
  edge,
  emitMetrics,
  type FunctionDefinition,
  type Given,
  knownErrorsOnly,
  type Needs,
  parseInput,
  type SettingName,
  type Tools,
} from './definition.ts';
import { InvalidTaskInputError } from './errors.ts';

/** What every task of a state machine gets: which session it is for, and in which execution. */
export const taskInputShape = { ...sessionKeySchema.shape, executionName: z.string().min(1).max(80) };

/** Epoch ms, of those that a Date can have: the table takes larger numbers, and nobody could read them again. */
export const epochMsSchema = z.number().min(0).max(8.64e15).overwrite(Math.round);

export type TaskInput = SessionKey & { readonly executionName: string };

type TaskDefinition<Input, Result, Client extends ClientName, Name extends SettingName> = Needs<
  Client,
  Name
> & { readonly input: z.ZodType<Input> } & (
    | { readonly decide: (input: Input, dependencies: Given<Client, Name>) => Promise<Result> }
    /** Makes the decision once, for the function's life, where it remembers something from one invocation to the next. */
    | {
        readonly prepare: (
          dependencies: Dependencies<NoInfer<Client>, NoInfer<Name>>,
        ) => (input: Input, tools: Tools) => Promise<Result>;
      }
  );

/**
 * Defines a task of a state machine. Its input is parsed once, its log carries the session and the execution, and what
 * the decision throws leaves as one of the errors of `errors.ts`.
 */
export function defineTask<
  Input extends TaskInput,
  Result,
  const Client extends ClientName = never,
  const Name extends SettingName = never,
>(definition: TaskDefinition<Input, Result, Client, Name>): FunctionDefinition<Client, unknown, Result> {
  return defineFunction(definition, (dependencies) => {
    const decide =
      'prepare' in definition
        ? definition.prepare(dependencies)
        : (input: Input, tools: Tools) => definition.decide(input, { ...dependencies, ...tools });
    return edge<unknown, Input, Result>(
      [knownErrorsOnly(), emitMetrics(), parseInput((event) => parseTask(event, definition.input), idsOf)],
      (input, { log, metrics }) => decide(input, { log, metrics }),
    );
  });
}

/** @throws InvalidTaskInputError for what its state machine never builds. */
function parseTask<Input>(event: unknown, schema: z.ZodType<Input>): Input {
  try {
    return parse(event, undefined, schema);
  } catch (error) {
    throw new InvalidTaskInputError({ cause: error });
  }
}

function idsOf({ streamGroupId, streamSessionId, executionName }: TaskInput) {
  return { streamGroupId, streamSessionId, executionName };
}
