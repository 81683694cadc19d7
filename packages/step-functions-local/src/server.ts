import { type Clock, type InvokeLambda, type StartServer, startLoopbackServer } from 'local-server-kit';
import { answerRequest } from './api/protocol.ts';
import type { ServerContext } from './api/server-context.ts';
import { defaultStartQuotas, type StartQuotas, StartThrottle } from './api/start-quota.ts';
import { type ExecutionStatusChange, statusChangeOf } from './api/status-change.ts';
import { Executions, KEPT_EXECUTIONS } from './engine/executions.ts';
import { jsonataFunctions } from './engine/jsonata-functions.ts';
import { StateMachines } from './engine/state-machines.ts';
import { TaskTokens } from './engine/task-tokens.ts';
import { uniqueIds } from './engine/unique-ids.ts';

/** A definition of 1 MiB, every character of it escaped in the request's JSON. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/**
 * Step Functions' API on 127.0.0.1, with the machines and executions of this one server in memory.
 *
 * Between two timers of `clock` the engine runs on promises alone; the time that `invokeLambda` takes is the
 * caller's to track.
 *
 * @param options.onStatusChange is told when a Standard execution has begun or ended: what AWS sends to the
 *   account's default event bus.
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had.
 */
export async function startStepFunctions(options: {
  port: number;
  clock: Clock;
  random: () => number;
  invokeLambda: InvokeLambda;
  accountId?: string;
  region?: string;
  onStatusChange?: (change: ExecutionStatusChange) => void;
  /** How many finished executions can be read; the latest ones. */
  keptExecutions?: number | undefined;
  /** Where they differ from the Region's defaults. */
  startQuotas?: Partial<StartQuotas> | undefined;
  startServer?: StartServer;
}): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const { clock, random, invokeLambda, accountId = '123456789012', region = 'us-east-1' } = options;
  const { onStatusChange = () => {}, startServer = startLoopbackServer } = options;
  const { keptExecutions = KEPT_EXECUTIONS } = options;
  const uniqueId = uniqueIds(random);
  let closed = false;
  const context: ServerContext = {
    place: { region, accountId },
    machines: new StateMachines(),
    executions: new Executions(keptExecutions),
    starts: new StartThrottle({ ...defaultStartQuotas(region), ...options.startQuotas }, clock.nowMs()),
    uniqueId,
    // A server that closes ends its executions for nobody to hear.
    announce: (execution) => {
      if (!closed) onStatusChange(statusChangeOf(execution));
    },
    engine: {
      clock,
      random,
      region,
      invokeLambda,
      tokens: new TaskTokens(),
      functions: jsonataFunctions({ clock, random, uniqueId }),
    },
  };
  const server = await startServer({
    port: options.port,
    maxBodyBytes: MAX_BODY_BYTES,
    handle: (request) => answerRequest(context, request),
  });
  return {
    url: server.url,
    port: server.port,
    close: async () => {
      closed = true;
      await server.close();
      context.executions.abandonAll();
    },
  };
}
