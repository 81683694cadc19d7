import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import {
  GameLiftStreamsControl,
  type GameLiftStreamsOptions,
  startGameLiftStreams,
} from 'game-lift-streams-local';
import {
  type Clock,
  type InProcessNetwork,
  type InvokeLambda,
  LOCAL_CREDENTIALS,
  startLoopbackServer,
} from 'local-server-kit';
import { type StartQuotas, startStepFunctions } from 'step-functions-local';
import { startDynamoDb } from './dynamodb/server.ts';
import { startEventBus } from './event-bus/server.ts';
import { Concurrency, type ConcurrencyOptions } from './lambda/concurrency.ts';
import { EventSourceMapping } from './lambda/event-source-mapping.ts';
import { startRestApi } from './rest-api/server.ts';
import { startScheduler } from './scheduler/scheduler.ts';
import type { Service } from './service/service.ts';
import { randomUuid } from './shared/random-uuid.ts';
import type { Queue } from './sqs/queue.ts';
import { queuesOf } from './sqs/queues.ts';
import { startSqs } from './sqs/server.ts';

/** Where the parts of a running stack answer, all on 127.0.0.1. */
export interface Endpoints {
  readonly gameLiftStreams: string;
  readonly stepFunctions: string;
  readonly eventBus: string;
  readonly dynamoDb: string;
  readonly api: string;
  readonly sqs: string;
}

/** Runs the service's functions against a stack that is up. */
export interface FunctionHost {
  readonly invoke: InvokeLambda;
  close(): Promise<void>;
}

export interface StackOptions {
  readonly service: Service;
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  /** Any free port for each that is not named. */
  readonly ports?: Partial<Record<keyof Endpoints, number>>;
  readonly gameLiftStreams?: Partial<GameLiftStreamsOptions>;
  /** How many finished executions can be read, where the usual 5,000 are too many. */
  readonly keptExecutions?: number | undefined;
  /** Concurrent executions of the account, where it does not have 1,000. */
  readonly accountConcurrency?: ConcurrencyOptions['account'];
  /** Quotas of StartExecution, where they differ from the Region's. */
  readonly startQuotas?: Partial<StartQuotas> | undefined;
  /** Whether the service's schedules fire. */
  readonly runSchedules?: boolean;
  /** What takes the place of sockets and of DynamoDB; without it everything listens on loopback. */
  readonly network?: InProcessNetwork;
  /** Called once, when everything that the functions call answers. */
  readonly hostFunctions: (endpoints: Endpoints) => FunctionHost;
}

export interface Stack {
  readonly endpoints: Endpoints;
  readonly service: Service;
  readonly control: GameLiftStreamsControl;
  readonly invoke: InvokeLambda;
  /** How far the account's concurrency has gone. */
  readonly concurrency: Concurrency;
  close(): Promise<void>;
}

/**
 * Brings up everything that the service runs on, with its tables, state machines, rules and routes, as
 * `serverless.yml` has them.
 *
 * @throws the system's error when a port is taken; what was started by then is closed again.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { service, clock, random, ports = {}, network } = options;
  const startServer = network?.startServer ?? startLoopbackServer;
  const { region, account } = service;
  const closers: (() => Promise<void>)[] = [];
  const opened = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    closers.unshift(() => part.close());
    return part;
  };
  const close = async () => {
    for (const closePart of closers.splice(0)) await closePart();
  };
  let host: FunctionHost | undefined;
  const concurrency = new Concurrency(
    { account: options.accountConcurrency, reserved: reservationsOf(service) },
    clock,
  );
  const newId = () => randomUuid(random);
  const queues = queuesOf(service.queues, { clock, newId });
  const invokeLambda: InvokeLambda = (functionName, payload) => {
    if (host === undefined) throw new Error('The functions are invoked before the stack is up.');
    const running = host;
    const name = service.functions.find(({ arn }) => arn === functionName)?.name ?? functionName;
    return concurrency.invoke(name, () => running.invoke(functionName, payload));
  };
  try {
    const common = { clock, random, region, accountId: account, startServer };
    const dynamoDb =
      network === undefined
        ? opened(
            await startDynamoDb({
              port: ports.dynamoDb ?? 0,
              region,
              tables: tablesOf(service),
              nowMs: () => clock.nowMs(),
            }),
          )
        : { url: 'memory:' };
    const gameLiftStreams = opened(
      await startGameLiftStreams({ ...common, ...options.gameLiftStreams, port: ports.gameLiftStreams ?? 0 }),
    );
    const { rules, routes, stage } = service;
    const eventBus = opened(
      await startEventBus({
        clock,
        random,
        region,
        account,
        rules,
        queues: [...queues.values()],
        invokeLambda,
        startServer,
        port: ports.eventBus ?? 0,
      }),
    );
    const stepFunctions = opened(
      await startStepFunctions({
        ...common,
        port: ports.stepFunctions ?? 0,
        keptExecutions: options.keptExecutions,
        startQuotas: options.startQuotas,
        invokeLambda,
        onStatusChange: (detail) =>
          eventBus.publishServiceEvent({
            source: 'aws.states',
            detailType: 'Step Functions Execution Status Change',
            resources: [detail.executionArn],
            detail,
          }),
      }),
    );
    const api = opened(
      await startRestApi({
        clock,
        random,
        region,
        account,
        routes,
        stage,
        invokeLambda,
        startServer,
        port: ports.api ?? 0,
      }),
    );
    const sqs = opened(await startSqs({ port: ports.sqs ?? 0, queues: [...queues.values()], startServer }));
    await createStateMachines(service, stepFunctions.url, network);
    const endpoints: Endpoints = {
      gameLiftStreams: gameLiftStreams.url,
      stepFunctions: stepFunctions.url,
      eventBus: eventBus.url,
      dynamoDb: dynamoDb.url,
      api: api.url,
      sqs: sqs.url,
    };
    host = opened(options.hostFunctions(endpoints));
    closers.unshift(...startEventSources({ service, queues, clock, invokeLambda }));
    if (options.runSchedules === true) {
      opened(startScheduler({ clock, random, region, account, schedules: service.schedules, invokeLambda }));
    }
    const control = new GameLiftStreamsControl(gameLiftStreams.url, network?.fetch);
    return { endpoints, service, control, invoke: invokeLambda, concurrency, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns what ends each of them, and the queues' timers. */
function startEventSources({
  service,
  queues,
  clock,
  invokeLambda,
}: {
  readonly service: Service;
  readonly queues: ReadonlyMap<string, Queue>;
  readonly clock: Clock;
  readonly invokeLambda: InvokeLambda;
}): (() => Promise<void>)[] {
  const mappings = service.eventSources.map(({ queueName, functionName, ...settings }) => {
    const queue = queues.get(queueName);
    const fn = service.functions.find(({ name }) => name === functionName);
    if (queue === undefined || fn === undefined)
      throw new Error(`${queueName} or ${functionName} is missing.`);
    return new EventSourceMapping({
      ...settings,
      queue,
      functionName,
      functionTimeoutSeconds: fn.timeoutSeconds,
      clock,
      region: service.region,
      invokeLambda,
    });
  });
  return [...mappings, ...queues.values()].map((part) => async () => part.close());
}

function reservationsOf({ functions }: Service): Record<string, number> {
  return Object.fromEntries(
    functions.flatMap(({ name, reservedConcurrency }) =>
      reservedConcurrency === undefined ? [] : [[name, reservedConcurrency]],
    ),
  );
}

function tablesOf({ tables }: Service) {
  return tables.map(({ name, attributeDefinitions, keySchema, indexes }) => ({
    TableName: name,
    AttributeDefinitions: [...attributeDefinitions],
    KeySchema: [...keySchema],
    ...(indexes.length > 0 && {
      GlobalSecondaryIndexes: indexes.map(({ name: IndexName, keySchema: ofIndex, projection }) => ({
        IndexName,
        KeySchema: [...ofIndex],
        Projection: {
          ProjectionType: projection.ProjectionType,
          ...(projection.NonKeyAttributes !== undefined && {
            NonKeyAttributes: [...projection.NonKeyAttributes],
          }),
        },
      })),
    }),
  }));
}

async function createStateMachines(
  service: Service,
  endpoint: string,
  network: InProcessNetwork | undefined,
): Promise<void> {
  const client = new SFNClient({
    endpoint,
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    ...(network === undefined ? {} : { requestHandler: network.requestHandler }),
  });
  for (const { name, type, definition } of service.stateMachines) {
    await client.send(
      new CreateStateMachineCommand({
        name,
        type,
        definition: JSON.stringify(definition),
        roleArn: `arn:aws:iam::${service.account}:role/local`,
      }),
    );
  }
  client.destroy();
}
