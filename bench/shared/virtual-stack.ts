import { seededRandom, VirtualClock } from 'local-server-kit';
import { readService } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';
import { documentsAt } from '../../local/simulation/documents.ts';
import { type BeforeInvocation, inProcessFunctions } from '../../local/simulation/functions.ts';
import { type Endpoints, type Stack, startStack } from '../../local/stack.ts';

export interface VirtualStackOptions {
  readonly service: Service;
  readonly seed: number;
  readonly watching: boolean;
  readonly before?: BeforeInvocation;
  /** Where the functions find the other services: through something that counts, say. */
  readonly endpoints?: (endpoints: Endpoints) => Endpoints;
}

/** The whole service in this process, on time that moves when told to, as the workflow's tests run it. */
export async function startVirtualStack({
  service,
  seed,
  watching,
  before = () => {},
  endpoints: endpointsOfFunctions = (endpoints) => endpoints,
}: VirtualStackOptions) {
  // The functions' log lines would drown the numbers.
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const stack: Stack = await startStack({
    service,
    clock,
    random,
    runSchedules: watching,
    gameLiftStreams: { activity: clock },
    hostFunctions: (endpoints) =>
      inProcessFunctions(service, endpointsOfFunctions(endpoints), clock, random, before),
  });
  const table = { documents: documentsAt(stack.endpoints.dynamoDb), name: service.tables[0]?.name ?? '' };
  return {
    ...stack,
    clock,
    random,
    table,
    close: async () => {
      table.documents.destroy();
      await stack.close();
    },
  };
}

/** The service as it is deployed by default, watching the stand-in's stream group. */
export const benchedService = (): Promise<Service> => readService();
