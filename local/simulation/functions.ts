import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import {
  type InProcessNetwork,
  type LambdaResult,
  LOCAL_CREDENTIALS,
  type VirtualClock,
} from 'local-server-kit';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import type { Clients } from '../../functions/shared/runtime/definition.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { resolveEnvironment } from '../service/read-service.ts';
import type { Service } from '../service/service.ts';
import type { Endpoints, FunctionHost } from '../stack.ts';
import { FUNCTION_DEFINITIONS } from './definitions.ts';
import { documentsAt } from './documents.ts';
import { ExecutionEnvironments } from './execution-environments.ts';
import { type FunctionHooks, inMemory, sendAround } from './hooks.ts';

type Invocation = (payloadText: string, context: Context) => Promise<unknown>;

/** Runs before an invocation; what it throws is how the invocation fails. */
export type BeforeInvocation = (functionKey: string, payload: unknown) => void | Promise<void>;

/** How the functions reach what they call, where it does not listen. */
export interface Transport {
  readonly requestHandler?: InProcessNetwork['requestHandler'];
  readonly table?: Table;
}

/** A virtual clock, as far as the functions' glue needs to know that it is one. */
export type TrackingClock = Clock & Pick<VirtualClock, 'track' | 'untracked'>;

/**
 * The service's functions in this process, on a virtual clock: the same glue and decisions as the bundles, with
 * the same environment (but for what a test sets otherwise), and clients of their own. Payloads and replies cross as JSON, as Lambda's do.
 */
export function inProcessFunctions(
  service: Service,
  endpoints: Endpoints,
  clock: TrackingClock,
  random: () => number,
  before: BeforeInvocation,
  environment: Readonly<Record<string, string>> = {},
  { requestHandler, table: givenTable }: Transport = {},
  hooks: FunctionHooks = {},
): FunctionHost {
  const connection = {
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    // What simulates failing dependencies decides itself how often they fail.
    ...(requestHandler === undefined ? {} : { requestHandler, maxAttempts: 1 }),
  };
  const gameLiftStreams = new GameLiftStreamsClient({
    ...connection,
    endpoint: endpoints.gameLiftStreams,
    maxAttempts: 1,
  });
  const stepFunctionsClient = (options: { readonly maxAttempts?: number } = {}) => {
    const client = new SFNClient({
      ...connection,
      ...options,
      endpoint: endpoints.stepFunctions,
      disableHostPrefix: true,
    });
    // Whoever waits for an execution lets time move on: its backoff needs it to.
    client.middlewareStack.add(
      (next, context) => (args) =>
        context['commandName'] === 'StartSyncExecutionCommand'
          ? clock.untracked(() => next(args))
          : next(args),
      { step: 'initialize' },
    );
    return client;
  };
  const stepFunctions = stepFunctionsClient();
  const stepFunctionsSingleAttempt = stepFunctionsClient({ maxAttempts: 1 });
  const sqs = new SQSClient({ ...connection, endpoint: endpoints.sqs, maxAttempts: 1 });
  const eventBridge = new EventBridgeClient({ ...connection, endpoint: endpoints.eventBus });
  // The one function that publishes while time moves on for it: the call itself must take none.
  eventBridge.middlewareStack.add((next) => (args) => clock.track(() => next(args)), { step: 'initialize' });
  const ofHooks = <Client extends { readonly send: unknown }>(client: Client): Client =>
    hooks.call === undefined ? client : sendAround(client, hooks.call);
  const documents = givenTable?.documents ?? documentsAt(endpoints.dynamoDb);
  const clients: Clients = {
    documents: ofHooks(hooks.items === undefined ? documents : inMemory(documents, hooks.items)),
    eventBridge: ofHooks(eventBridge),
    gameLiftStreams: ofHooks(gameLiftStreams),
    sqs: ofHooks(sqs),
    stepFunctions: ofHooks(stepFunctions),
    stepFunctionsSingleAttempt: ofHooks(stepFunctionsSingleAttempt),
  };
  const environments = new Map(
    Object.entries(FUNCTION_DEFINITIONS).map(([key, definition]) => {
      const surroundings = {
        clock,
        random,
        environment: {
          ...resolveEnvironment(service, key),
          AWS_REGION: service.region,
          ...(givenTable === undefined ? {} : { TABLE_NAME: givenTable.name }),
          ...environment,
        },
      };
      return [key, new ExecutionEnvironments(() => fromText(definition.handler(clients, surroundings)))];
    }),
  );

  return {
    invoke: (functionName, payload) => {
      const fn = service.functions.find(({ name, arn }) => functionName === name || functionName === arn);
      const ofFunction = environments.get(fn?.key ?? '');
      if (fn === undefined || ofFunction === undefined) throw new Error(`No function ${functionName}`);
      const run = async (): Promise<LambdaResult> => {
        try {
          await before(fn.key, payload);
          const payloadText = JSON.stringify(payload);
          const reply = await ofFunction.run((handler) => handler(payloadText, contextOf(fn)));
          return { ok: true, payload: JSON.parse(JSON.stringify(reply ?? null)) };
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          const trace = (error.stack ?? '').split('\n');
          return { ok: false, failure: { errorType: error.name, errorMessage: error.message, trace } };
        }
      };
      return clock.track(() => hooks.invocation?.(fn, run) ?? run());
    },
    close: async () => {
      for (const client of [
        gameLiftStreams,
        stepFunctions,
        stepFunctionsSingleAttempt,
        sqs,
        eventBridge,
        documents,
      ]) {
        client.destroy();
      }
    },
  };
}

function fromText<Event>(handler: (event: Event, context: Context) => Promise<unknown>): Invocation {
  return (payloadText, context) => handler(JSON.parse(payloadText), context);
}

let invocations = 0;

function contextOf({ name, arn }: { readonly name: string; readonly arn: string }): Context {
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: arn,
    memoryLimitInMB: '512',
    awsRequestId: `invocation-${++invocations}`,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'in-process',
    getRemainingTimeInMillis: () => 10_000,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
