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
import type { ClientName, Clients } from '../../functions/shared/runtime/definition.ts';
import type { MemoryItems } from '../dynamodb/memory-items.ts';
import { resolveEnvironment } from '../service/read-service.ts';
import type { Service } from '../service/service.ts';
import type { Endpoints, FunctionHost } from '../stack.ts';
import { FUNCTION_DEFINITIONS } from './definitions.ts';
import { documentsAt } from './documents.ts';
import { ExecutionEnvironments } from './execution-environments.ts';
import { type FunctionHooks, sendAround } from './hooks.ts';
import { confineTo } from './permissions.ts';

type Invocation = (payloadText: string, context: Context) => Promise<unknown>;

/** What functions run on, beside their own definitions. */
export interface FunctionSurroundings extends FunctionHooks {
  readonly service: Service;
  readonly endpoints: Endpoints;
  readonly clock: Clock & Pick<VirtualClock, 'track' | 'untracked'>;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  /** Settings that differ from the template's. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Sends the requests where the endpoints do not listen. */
  readonly requestHandler?: InProcessNetwork['requestHandler'] | undefined;
  /** The table, where it is not DynamoDB's endpoint. */
  readonly items?: MemoryItems | undefined;
}

/**
 * Runs the service's functions in this process, on a virtual clock: the definitions that the bundles are made of, with the
 * same environment, and clients of their own. Payloads and replies cross as JSON, as Lambda's do.
 */
export function simulateFunctions({
  service,
  endpoints,
  clock,
  random,
  environment = {},
  requestHandler: given,
  items,
  before,
  invocation,
  call,
  request,
}: FunctionSurroundings): FunctionHost {
  const requestHandler = given === undefined || request === undefined ? given : handleAround(given, request);
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
  const around = <Client extends { readonly send: unknown }>(name: ClientName, client: Client): Client =>
    call === undefined ? client : sendAround(name, client, call);
  const documents = documentsAt(endpoints.dynamoDb, items, request);
  const clients: Clients = {
    documents: around('documents', documents),
    eventBridge: around('eventBridge', eventBridge),
    gameLiftStreams: around('gameLiftStreams', gameLiftStreams),
    sqs: around('sqs', sqs),
    stepFunctions: around('stepFunctions', stepFunctions),
    stepFunctionsSingleAttempt: around('stepFunctionsSingleAttempt', stepFunctionsSingleAttempt),
  };
  const environments = new Map(
    Object.entries(FUNCTION_DEFINITIONS).map(([key, definition]) => {
      const surroundings = {
        clock,
        random,
        environment: {
          ...resolveEnvironment(service, key),
          AWS_REGION: service.region,
          ...environment,
        },
      };
      const permissions = service.functions.find((fn) => fn.key === key)?.permissions;
      const confined = permissions === undefined ? clients : confineTo(permissions, clients);
      return [key, new ExecutionEnvironments(() => fromText(definition.handler(confined, surroundings)))];
    }),
  );

  return {
    invoke: (functionName, payload) => {
      const fn = service.functions.find(({ name, arn }) => functionName === name || functionName === arn);
      const ofFunction = environments.get(fn?.key ?? '');
      if (fn === undefined || ofFunction === undefined) throw new Error(`No function ${functionName}`);
      const run = async (): Promise<LambdaResult> => {
        try {
          await before?.(fn.key, payload);
          const payloadText = JSON.stringify(payload);
          const reply = await ofFunction.run((handler) => handler(payloadText, contextOf(fn)));
          return { ok: true, payload: JSON.parse(JSON.stringify(reply ?? null)) };
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          const trace = (error.stack ?? '').split('\n');
          return { ok: false, failure: { errorType: error.name, errorMessage: error.message, trace } };
        }
      };
      return clock.track(() => invocation?.(fn, run) ?? run());
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

function handleAround(
  requestHandler: InProcessNetwork['requestHandler'],
  hook: NonNullable<FunctionHooks['request']>,
): InProcessNetwork['requestHandler'] {
  return {
    ...requestHandler,
    handle: (...[request, options]) =>
      hook(request.headers['x-amz-target'] ?? `${request.method} ${request.path}`, () =>
        requestHandler.handle(request, options),
      ),
  };
}

function fromText<Event>(handler: (event: Event, context: Context) => Promise<unknown>): Invocation {
  return (payloadText, context) => handler(JSON.parse(payloadText), context);
}

let invocations = 0;

/** Lambda's context of one invocation, with ten seconds left. */
export function contextOf({ name, arn }: { readonly name: string; readonly arn: string }): Context {
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
