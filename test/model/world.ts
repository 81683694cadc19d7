/**
 * The whole service on the local stack without sockets: its functions, its state machines and its table, in virtual
 * time. Every call that a function makes takes some milliseconds, and any of them may fail or be its last.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { LambdaResult } from 'local-server-kit';
import { inject } from 'vitest';
import { z } from 'zod';
import { windowItemSchema } from '../../functions/shared/window/window-item.ts';
import { startSimulation } from '../../local/simulation/simulation.ts';

/** What becomes of a call that a function makes. */
export type Mishap = 'failsBefore' | 'failsAfter' | 'diesBefore' | 'diesAfter';

/** So many calls of functions from now, this happens. */
export interface PlannedMishap {
  readonly mishap: Mishap;
  readonly afterCalls: number;
}

/** One invocation of a function, which may be killed. */
interface Invocation {
  readonly functionKey: string;
  kill(): void;
}

/**
 * Each way to a dependency, and back. From reading the clock for a permit to the service there are three, which
 * must stay below the 20 ms that permits allow for (`ARRIVAL_JITTER_MS`): then no call is throttled at all.
 */
const LEAST_WAY_MS = 1;
const WAY_SPREAD_MS = 5;
/** Small enough that few sessions come up against them. */
export const SERVICE_QUOTAS = {
  GetStreamSession: 5,
  ListStreamSessions: 5,
  CreateStreamSessionConnection: 2,
};
const OUR_QUOTAS = {
  READS_PER_SECOND: String(SERVICE_QUOTAS.GetStreamSession),
  LISTS_PER_SECOND: String(SERVICE_QUOTAS.ListStreamSessions),
  CONNECTIONS_PER_SECOND: String(SERVICE_QUOTAS.CreateStreamSessionConnection),
};

const keyedWindowSchema = windowItemSchema.extend({ pk: z.string() });

export type ModelWorld = Awaited<ReturnType<typeof startModelWorld>>;

export async function startModelWorld(seed: number) {
  const invocations = new AsyncLocalStorage<Invocation>();
  const planned: { mishap: Mishap; callsLeft: number }[] = [];
  const mishaps: string[] = [];
  /** When each call reached the service, by operation. */
  const arrivals: { readonly request: string; readonly atMs: number }[] = [];

  /** A call of a function on its way: late by some milliseconds, and as it is planned. */
  const travel = async <Reply>(target: string, send: () => Promise<Reply>): Promise<Reply> => {
    const { clock, random } = world;
    const invocation = invocations.getStore();
    const way = () => clock.sleep(LEAST_WAY_MS + random() * WAY_SPREAD_MS);
    await way();
    const mishap = invocation === undefined ? undefined : nextMishap();
    if (mishap !== undefined) mishaps.push(`${invocation?.functionKey} ${mishap} ${target}`);
    if (mishap === 'failsBefore') throw callFailed();
    if (mishap === 'diesBefore') return endOf(invocation);
    const operation = serviceOperationOf(target);
    if (operation !== undefined) arrivals.push({ request: operation, atMs: clock.nowMs() });
    const reply = await send();
    if (mishap === 'failsAfter') throw callFailed();
    if (mishap === 'diesAfter') return endOf(invocation);
    await way();
    return reply;
  };
  const nextMishap = () => {
    for (const plan of planned) plan.callsLeft--;
    const due = planned.findIndex(({ callsLeft }) => callsLeft < 0);
    return due < 0 ? undefined : planned.splice(due, 1)[0]?.mishap;
  };

  const world = await startSimulation({
    service: inject('service'),
    adapter: 'inProcess',
    seed,
    watching: true,
    environment: OUR_QUOTAS,
    serviceQuotas: SERVICE_QUOTAS,
    request: travel,
    // An invocation that is killed ends for its invoker in the words in which Lambda says that a runtime is gone.
    invocation: ({ key: functionKey }, run) =>
      new Promise((resolve, reject) => {
        const kill = () => resolve(killed());
        invocations.run({ functionKey, kill }, run).then(resolve, reject);
      }),
  });
  return {
    ...world,
    /** What has gone wrong with calls, for people. */
    mishaps,
    arrivals,
    plan: ({ mishap, afterCalls }: PlannedMishap) => {
      planned.push({ mishap, callsLeft: afterCalls });
    },
    forgetPlans: () => {
      planned.length = 0;
    },
    items: () => world.memory.all(),
    windows: () =>
      world.memory
        .all()
        .filter(({ sk }) => sk === 'window')
        .map((item) => keyedWindowSchema.parse(item)),
  };
}

/** Of the other services a request names the operation, not method and path. */
function serviceOperationOf(target: string): string | undefined {
  const [method = '', path] = target.split(' ');
  if (path === undefined) return undefined;
  if (path.endsWith('/connections')) return 'CreateStreamSessionConnection';
  if (path.endsWith('/streamsessions')) return 'ListStreamSessions';
  return method === 'GET' ? 'GetStreamSession' : method;
}

/** Nothing comes after it. */
function endOf(invocation: Invocation | undefined): Promise<never> {
  invocation?.kill();
  return new Promise(() => {});
}

function killed(): LambdaResult {
  const errorMessage = 'RequestId: 1 Error: Runtime exited with error: signal: killed';
  return { ok: false, failure: { errorType: 'Runtime.ExitError', errorMessage } };
}

/** As DynamoDB, Step Functions and the bus fail after the SDK's retries. */
function callFailed(): Error {
  return Object.assign(new Error('Internal server error'), {
    name: 'InternalServerError',
    $metadata: { httpStatusCode: 500 },
  });
}
