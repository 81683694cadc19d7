import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type Clock, systemClock } from './clock.ts';
import { isKnownError, UnexpectedError } from './errors.ts';
import { createLog, type Log, type LogFields } from './logging.ts';
import { createMetrics, type EmittedMetrics, type Metrics } from './metrics.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Table } from './table.ts';

/** The SDK clients of all functions. Each has its file in `clients/`; `handler.ts` imports those it needs. */
export interface Clients {
  readonly documents: DynamoDBDocumentClient;
  readonly eventBridge: EventBridgeClient;
  readonly gameLiftStreams: GameLiftStreamsClient;
  readonly sqs: SQSClient;
  readonly stepFunctions: SFNClient;
  readonly stepFunctionsSingleAttempt: SFNClient;
}
export type ClientName = keyof Clients;
export type SettingName = keyof Settings;

/** What a function takes from the process that it runs in. A simulation has its own. */
export interface Surroundings {
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a decision gets, beside the tools of its invocation. */
export type Dependencies<Client extends ClientName, Name extends SettingName> = Pick<Clients, Client> &
  Omit<Surroundings, 'environment'> & {
    readonly table: Table;
    readonly settings: Pick<Settings, Name | 'TABLE_NAME'>;
  };

/** The same with the tools, for a decision: what it takes does not widen what its definition names. */
export type Given<Client extends ClientName, Name extends SettingName> = Dependencies<
  NoInfer<Client>,
  NoInfer<Name>
> &
  Tools;

/** What a definition names. Every function has the table: the client `documents` and the setting `TABLE_NAME`. */
export interface Needs<Client extends ClientName, Name extends SettingName> {
  readonly settings?: readonly Name[];
  readonly clients?: readonly Client[];
}

/**
 * One function: Lambda's handler, the simulation and the tests of the template are made from it.
 *
 * Why: docs/decisions/deployment.md#each-function-is-defined-once
 */
export interface FunctionDefinition<Client extends ClientName = ClientName, Event = never, Result = unknown> {
  /** The environment variables that the function reads. */
  readonly settings: readonly SettingName[];
  readonly clients: readonly ClientName[];
  /**
   * Makes the function's handler, and reads its settings.
   *
   * @throws Error naming every setting that is missing or invalid.
   */
  handler(
    clients: Pick<Clients, Client | 'documents'>,
    surroundings?: Partial<Surroundings>,
  ): Handler<Event, Result>;
}

export function defineFunction<Client extends ClientName, Name extends SettingName, Event, Result>(
  { settings: names = [], clients: clientNames = [] }: Needs<Client, Name>,
  handlerOf: (
    dependencies: Dependencies<Client, Name>,
    clients: Pick<Clients, Client>,
  ) => Handler<Event, Result>,
): FunctionDefinition<Client, Event, Result> {
  const settingNames = ['TABLE_NAME', ...names] as const;
  return {
    settings: settingNames,
    clients: ['documents', ...clientNames],
    handler(clients, { clock = systemClock, random = Math.random, environment = process.env } = {}) {
      const settings = readSettings(settingNames, environment);
      const table = { documents: clients.documents, name: settings.TABLE_NAME };
      return handlerOf({ ...clients, table, clock, random, settings }, clients);
    },
  };
}

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
