import { z } from 'zod';
import type { Service } from '../../local/service/service.ts';
import type { SdkCall } from '../../local/simulation/hooks.ts';
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

const keyedSchema = z.looseObject({ sk: z.string() });
const operationSchema = z.looseObject({
  Key: keyedSchema.optional(),
  Item: keyedSchema.optional(),
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
  const window = await measureWindow(service, 120, 'backend', ends, {
    watching: false,
    before: (key) => {
      invocations.set(key, (invocations.get(key) ?? 0) + 1);
    },
    call: (call, send) => {
      if (call.client === 'documents') {
        const { write, read } = requestUnits(call);
        units.write += write;
        units.read += read;
      } else if (call.client === 'eventBridge') {
        events += entriesSchema.parse(call.input).Entries.length;
      }
      return send();
    },
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
}

/**
 * A window's item is 1 to 2 KB with a task token of AWS's length, and a write of it writes its entry in the index of
 * open windows; every other item is far below 1 KB. No item is above 4 KB.
 */
function requestUnits({ command, input }: SdkCall): { readonly write: number; readonly read: number } {
  const { Key, Item, ConsistentRead } = operationSchema.parse(input);
  switch (command) {
    case 'PutCommand':
    case 'UpdateCommand':
    case 'DeleteCommand':
      return { write: (Key ?? Item)?.sk === 'window' ? 3 : 1, read: 0 };
    case 'GetCommand':
    case 'QueryCommand':
      return { write: 0, read: ConsistentRead === true ? 1 : 0.5 };
    default:
      throw new Error(`${command} has no price here.`);
  }
}
