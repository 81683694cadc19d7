import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { GameLiftStreamsOptions } from 'game-lift-streams-local';
import {
  InProcessNetwork,
  LOCAL_CREDENTIALS,
  type Serve,
  seededRandom,
  VirtualClock,
} from 'local-server-kit';
import { MemoryItems } from '../dynamodb/memory-items.ts';
import type { Service } from '../service/service.ts';
import { type StackOptions, startStack } from '../stack.ts';
import { documentsAt } from './documents.ts';
import { simulateFunctions } from './functions.ts';
import type { FunctionHooks } from './hooks.ts';
import { InProcessClock, type SimulatedClock } from './in-process-clock.ts';
import { peopleOf } from './people.ts';

interface Adapter {
  readonly clock: SimulatedClock;
  /** Without it everything listens on 127.0.0.1, and dynalite is the table. */
  readonly network?: InProcessNetwork;
}

/** How the parts of a simulation reach each other. */
const ADAPTERS = {
  /** Over HTTP on 127.0.0.1, with dynalite as the table, so that browsers and other processes can take part. */
  loopback: (): Adapter => ({ clock: new VirtualClock() }),
  /** Without sockets and with the table in memory, in a fraction of the time. The endpoints answer only to `fetch`. */
  inProcess: (serve?: Serve): Adapter => ({
    clock: new InProcessClock(),
    network: new InProcessNetwork(serve),
  }),
};

export interface SimulationOptions extends FunctionHooks {
  readonly service: Service;
  readonly adapter: keyof typeof ADAPTERS;
  readonly seed?: number | undefined;
  /** Whether the watcher looks; without it only reports open windows. */
  readonly watching?: boolean | undefined;
  /** Settings that differ from the template's. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The window's machine ends by itself after this time, instead of its 25 hours. */
  readonly windowTimeoutSeconds?: number | undefined;
  /** Makes a table in memory of other qualities, or one in place of dynalite. */
  readonly items?: ((nowMs: () => number) => MemoryItems) | undefined;
  /** Quotas of the GameLift Streams stand-in, where they are not the service's. */
  readonly serviceQuotas?: GameLiftStreamsOptions['quotas'];
  /** Quotas of StartExecution, where they are not the Region's. */
  readonly startQuotas?: StackOptions['startQuotas'];
  readonly keptExecutions?: StackOptions['keptExecutions'];
  /** Around each request at the server that it goes to: without sockets only. */
  readonly serve?: Serve | undefined;
}

export type Simulation = Awaited<ReturnType<typeof simulate>>;

/**
 * The whole service on the local stack, its functions in this process, on time that moves when told to. The same seed takes
 * the same course.
 */
export async function startSimulation(
  options: SimulationOptions & { readonly adapter: 'inProcess' },
): Promise<Simulation & { readonly memory: MemoryItems }>;
export async function startSimulation(options: SimulationOptions): Promise<Simulation>;
export async function startSimulation(options: SimulationOptions): Promise<Simulation> {
  return simulate(options);
}

async function simulate({
  service: deployed,
  adapter,
  seed = 1,
  watching = false,
  environment,
  windowTimeoutSeconds,
  items: itemsOf = adapter === 'inProcess' ? (nowMs) => new MemoryItems({ nowMs }) : undefined,
  serviceQuotas,
  startQuotas,
  keptExecutions,
  serve,
  ...hooks
}: SimulationOptions) {
  const service = windowTimeoutSeconds === undefined ? deployed : endingAfter(windowTimeoutSeconds, deployed);
  const { clock, network } = ADAPTERS[adapter](serve);
  const random = seededRandom(seed);
  const memory = itemsOf?.(() => clock.nowMs());
  const requestHandler = network?.requestHandler;
  const stack = await startStack({
    service,
    clock,
    random,
    gameLiftStreams: { activity: clock, ...(serviceQuotas !== undefined && { quotas: serviceQuotas }) },
    startQuotas,
    keptExecutions,
    runSchedules: watching,
    ...(network !== undefined && { network }),
    hostFunctions: (endpoints) =>
      simulateFunctions({
        service,
        endpoints,
        clock,
        random,
        environment,
        requestHandler,
        items: memory,
        ...hooks,
      }),
  });
  const { endpoints } = stack;
  const connection = {
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    maxAttempts: 1,
    ...(requestHandler !== undefined && { requestHandler }),
  };
  /** Of whoever acts on the service from outside, and looks at it. */
  const clients = {
    /** The service's own client, sent to our API. */
    api: new GameLiftStreamsClient({ ...connection, endpoint: endpoints.api }),
    gameLiftStreams: new GameLiftStreamsClient({ ...connection, endpoint: endpoints.gameLiftStreams }),
    eventBridge: new EventBridgeClient({ ...connection, endpoint: endpoints.eventBus }),
    stepFunctions: new SFNClient({ ...connection, endpoint: endpoints.stepFunctions }),
  };
  const table = { documents: documentsAt(endpoints.dynamoDb, memory), name: service.tables[0]?.name ?? '' };
  const parts = { ...stack, ...clients, clock, random, table, fetch: network?.fetch ?? fetch };
  return {
    ...parts,
    ...peopleOf(parts),
    /** What the table holds, where it is in memory. */
    memory,
    async close(): Promise<void> {
      for (const client of [...Object.values(clients), table.documents]) client.destroy();
      await stack.close();
    },
  };
}

function endingAfter(seconds: number, service: Service): Service {
  const stateMachines = service.stateMachines.map((machine) =>
    machine.type === 'STANDARD'
      ? { ...machine, definition: { ...machine.definition, TimeoutSeconds: seconds } }
      : machine,
  );
  return { ...service, stateMachines };
}
