import {
  type ClientName,
  type Dependencies,
  defineFunction,
  edge,
  emitMetrics,
  type FunctionDefinition,
  type Given,
  type Handler,
  knownErrorsOnly,
  type Needs,
  parseInput,
  type SettingName,
} from './definition.ts';
import type { LogFields } from './logging.ts';

export interface EventDefinition<Input, Result, Client extends ClientName, Name extends SettingName>
  extends Needs<Client, Name> {
  /** Reads an event of any form: a bad one is not to be retried, so it is an input too. */
  readonly parse: (event: unknown, dependencies: Given<Client, Name>) => Input | Promise<Input>;
  /** The session's ids, for the log. */
  readonly idsOf: (input: Input) => LogFields;
  readonly decide: (input: Input, dependencies: Given<Client, Name>) => Promise<Result>;
}

/** Defines a function that EventBridge invokes with one event. */
export function defineEvent<
  Input,
  Result,
  const Client extends ClientName = never,
  const Name extends SettingName = never,
>(definition: EventDefinition<Input, Result, Client, Name>): FunctionDefinition<Client, unknown, Result> {
  return defineFunction(definition, (dependencies) => eventHandler(definition, dependencies));
}

export function eventHandler<Input, Result, Client extends ClientName, Name extends SettingName>(
  { parse, idsOf, decide }: EventDefinition<Input, Result, Client, Name>,
  dependencies: Dependencies<Client, Name>,
  errors = knownErrorsOnly(),
): Handler<unknown, Result> {
  return edge<unknown, Input, Result>(
    [
      errors,
      emitMetrics(),
      parseInput((event, { log, metrics }) => parse(event, { ...dependencies, log, metrics }), idsOf),
    ],
    (input, { log, metrics }) => decide(input, { ...dependencies, log, metrics }),
  );
}
