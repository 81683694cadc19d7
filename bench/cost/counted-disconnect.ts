import type { LoopbackRequest } from 'local-server-kit';
import { z } from 'zod';
import type { Service } from '../../local/service/service.ts';
import { startMishapProxy } from '../../test/helpers/mishap-proxy.ts';
import { measureWindow, type WindowCost } from './windows.ts';

/** What one disconnect makes the service do, counted on the deployed state machines and functions. */
export interface DisconnectCounts {
  readonly stateTransitions: number;
  /** By the function's key. */
  readonly invocations: Readonly<Record<string, number>>;
  /** Synchronous Express executions: one for each request that reaches its turn. */
  readonly expressExecutions: number;
  readonly apiRequests: number;
  /** On the project's own bus, the report included. */
  readonly events: number;
  /** DynamoDB's write and read request units. */
  readonly writeUnits: number;
  readonly readUnits: number;
}

const operationSchema = z.looseObject({
  Key: z.looseObject({ sk: z.looseObject({ S: z.string() }) }).optional(),
  Item: z.looseObject({ sk: z.looseObject({ S: z.string() }) }).optional(),
  ConsistentRead: z.boolean().optional(),
});
const entriesSchema = z.looseObject({ Entries: z.array(z.unknown()) });

/**
 * Counts one window of 120 s that a backend has reported, and its one reconnection request if it reconnects. The
 * watcher's own work is not in it.
 */
export async function countDisconnect(service: Service, ends: WindowCost['ends']): Promise<DisconnectCounts> {
  const invocations = new Map<string, number>();
  const units = { write: 0, read: 0 };
  let events = 0;
  const table = await startMishapProxy((request) => {
    const { write, read } = requestUnits(request);
    units.write += write;
    units.read += read;
  });
  const bus = await startMishapProxy((request) => {
    events += entriesSchema.parse(JSON.parse(request.body.toString('utf8'))).Entries.length;
  });
  try {
    const window = await measureWindow(service, 120, 'backend', ends, {
      watching: false,
      before: (key) => {
        invocations.set(key, (invocations.get(key) ?? 0) + 1);
      },
      endpoints: (endpoints) => ({
        ...endpoints,
        dynamoDb: table.before(endpoints.dynamoDb),
        eventBus: bus.before(endpoints.eventBus),
      }),
    });
    const requests = invocations.get('requestConnection') ?? 0;
    return {
      stateTransitions: window.stateTransitions,
      invocations: Object.fromEntries([...invocations].sort()),
      expressExecutions: requests,
      apiRequests: requests,
      // The backend's own report goes straight to the bus.
      events: events + 1,
      writeUnits: units.write,
      readUnits: units.read,
    };
  } finally {
    await table.close();
    await bus.close();
  }
}

/**
 * A window's item is 1 to 2 KB with a task token of AWS's length, and a write of it writes its entry in the index of
 * open windows; every other item is far below 1 KB. No item is above 4 KB.
 */
function requestUnits(request: LoopbackRequest): { readonly write: number; readonly read: number } {
  const operation = String(request.headers['x-amz-target']).split('.')[1];
  const body = operationSchema.parse(JSON.parse(request.body.toString('utf8')));
  switch (operation) {
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return { write: (body.Key ?? body.Item)?.sk.S === 'window' ? 3 : 1, read: 0 };
    case 'GetItem':
    case 'Query':
      return { write: 0, read: body.ConsistentRead === true ? 1 : 0.5 };
    default:
      throw new Error(`${operation} has no price here.`);
  }
}
