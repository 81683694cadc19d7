/**
 * The whole service on the local stack without sockets: its functions, its state machines and its table, in virtual
 * time. Every call that a function makes takes some milliseconds, and any of them may fail or be its last.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { InProcessNetwork, type LambdaResult, LOCAL_CREDENTIALS, seededRandom } from 'local-server-kit';
import { inject } from 'vitest';
import { z } from 'zod';
import {
  OUTCOME_DETAIL_TYPE,
  type OutcomeDetail,
  outcomeDetailSchema,
  STATUS_CHANGE_DETAIL_TYPE,
} from '../../functions/shared/contracts/index.ts';
import { windowItemSchema } from '../../functions/shared/window/window-item.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { listEvents } from '../../local/event-bus/local-client.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import { inProcessFunctions } from '../../local/simulation/functions.ts';
import { InProcessClock } from '../../local/simulation/in-process-clock.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import { type FunctionHost, startStack } from '../../local/stack.ts';

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
const deadLettersSchema = z.object({ deadLetters: z.array(z.object({ functionName: z.string() })) });

const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-west-2' }));

export type ModelWorld = Awaited<ReturnType<typeof startModelWorld>>;

export async function startModelWorld(seed: number) {
  const service = inject('service');
  const clock = new InProcessClock();
  const random = seededRandom(seed);
  const network = new InProcessNetwork();
  const items = new MemoryItems({ nowMs: () => clock.nowMs() });
  const invocations = new AsyncLocalStorage<Invocation>();
  const planned: { mishap: Mishap; callsLeft: number }[] = [];
  const mishaps: string[] = [];
  /** When each call reached the service, by operation. */
  const arrivals: { readonly request: string; readonly atMs: number }[] = [];

  /** A call of a function on its way: late by some milliseconds, and as it is planned. */
  const travel = async <Reply>(name: string, call: () => Promise<Reply>): Promise<Reply> => {
    const invocation = invocations.getStore();
    const way = () => clock.sleep(LEAST_WAY_MS + random() * WAY_SPREAD_MS);
    await way();
    const mishap = invocation === undefined ? undefined : nextMishap();
    if (mishap !== undefined) mishaps.push(`${invocation?.functionKey} ${mishap} ${name}`);
    if (mishap === 'failsBefore') throw callFailed();
    if (mishap === 'diesBefore') return endOf(invocation);
    const reply = await call();
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

  const requestHandler = {
    ...network.requestHandler,
    handle: (...[request, options]: Parameters<typeof network.requestHandler.handle>) =>
      travel(request.headers['x-amz-target'] ?? `${request.method} ${request.path}`, () => {
        if (request.headers['x-amz-target'] === undefined) {
          arrivals.push({ request: operationOf(request), atMs: clock.nowMs() });
        }
        return network.requestHandler.handle(request, options);
      }),
  };
  const table = {
    documents: sendThrough(documents, (command, input) =>
      travel(command, async () => items.answer(command, input)),
    ),
    name: service.tables[0]?.name ?? '',
  };

  const hostFunctions = (endpoints: Parameters<Parameters<typeof startStack>[0]['hostFunctions']>[0]) => {
    const host = inProcessFunctions(service, endpoints, clock, random, () => {}, OUR_QUOTAS, {
      requestHandler,
      table,
    });
    return mortal(
      host,
      invocations,
      (name) => service.functions.find((fn) => fn.name === name || fn.arn === name)?.key ?? name,
    );
  };
  const stack = await startStack({
    service,
    clock,
    random,
    network,
    gameLiftStreams: {
      activity: clock,
      quotas: SERVICE_QUOTAS,
    },
    runSchedules: true,
    hostFunctions,
  });
  const { endpoints, control } = stack;
  const client = {
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    requestHandler: network.requestHandler,
    maxAttempts: 1,
  };
  const eventBridge = new EventBridgeClient({ ...client, endpoint: endpoints.eventBus });
  const stepFunctions = new SFNClient({ ...client, endpoint: endpoints.stepFunctions });
  const windowMachine = service.stateMachines.find(({ type }) => type === 'STANDARD')?.arn;
  const { EVENT_BUS_NAME, EVENT_SOURCE } = resolveEnvironment(service, 'onStatusChange');

  return {
    clock,
    control,
    random,
    /** What has gone wrong with calls, for people. */
    mishaps,
    arrivals,
    plan: ({ mishap, afterCalls }: PlannedMishap) => {
      planned.push({ mishap, callsLeft: afterCalls });
    },
    forgetPlans: () => {
      planned.length = 0;
    },
    publish: async (detail: object) => {
      const Detail = JSON.stringify(detail);
      const entry = {
        EventBusName: EVENT_BUS_NAME,
        Source: EVENT_SOURCE,
        DetailType: STATUS_CHANGE_DETAIL_TYPE,
        Detail,
      };
      await eventBridge.send(new PutEventsCommand({ Entries: [entry] }));
    },
    disturb: (disturbance: object) =>
      network.fetch(`${endpoints.eventBus}/_local/disturbances`, {
        method: 'POST',
        body: JSON.stringify(disturbance),
      }),
    /** A backend's call: the service's own shape, without its SDK. */
    connect: async (
      { streamGroupId, streamSessionId }: { streamGroupId: string; streamSessionId: string },
      body: object,
    ): Promise<{ readonly status: number; readonly text: string }> => {
      const url = `${endpoints.api}/streamgroups/${streamGroupId}/streamsessions/${streamSessionId}/connections`;
      const response = await network.fetch(url, { method: 'POST', body: JSON.stringify(body) });
      return { status: response.status, text: await response.text() };
    },
    /** A backend ends the session at the service itself. What the session's status does not allow is refused. */
    terminate: async ({
      streamGroupId,
      streamSessionId,
    }: {
      streamGroupId: string;
      streamSessionId: string;
    }): Promise<void> => {
      const path = `streamgroups/${streamGroupId}/streamsessions/${streamSessionId}`;
      await network.fetch(`${endpoints.gameLiftStreams}/${path}`, { method: 'DELETE' });
    },
    deadLetters: async () =>
      deadLettersSchema.parse(await (await network.fetch(`${endpoints.eventBus}/_local/dead-letters`)).json())
        .deadLetters,
    items: () => items.all(),
    windows: () =>
      items
        .all()
        .filter(({ sk }) => sk === 'window')
        .map((item) => keyedWindowSchema.parse(item)),
    events: () => listEvents(endpoints.eventBus, network.fetch),
    async outcomes(): Promise<OutcomeDetail[]> {
      const events = await listEvents(endpoints.eventBus, network.fetch);
      return events
        .filter(({ detailType }) => detailType === OUTCOME_DETAIL_TYPE)
        .map(({ detail }) => outcomeDetailSchema.parse(detail));
    },
    async executions() {
      const { executions = [] } = await stepFunctions.send(
        new ListExecutionsCommand({ stateMachineArn: windowMachine }),
      );
      return executions;
    },
    async history(executionArn: string | undefined) {
      const { events = [] } = await stepFunctions.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      );
      return events;
    },
    async stopExecution(executionArn: string | undefined): Promise<void> {
      await stepFunctions.send(new StopExecutionCommand({ executionArn }));
    },
    async close(): Promise<void> {
      await stack.close();
      for (const one of [eventBridge, stepFunctions]) one.destroy();
    },
  };
}

function operationOf({ method, path }: { readonly method: string; readonly path: string }): string {
  if (path.endsWith('/connections')) return 'CreateStreamSessionConnection';
  if (path.endsWith('/streamsessions')) return 'ListStreamSessions';
  return method === 'GET' ? 'GetStreamSession' : method;
}

/** Nothing comes after it. */
function endOf(invocation: Invocation | undefined): Promise<never> {
  invocation?.kill();
  return new Promise(() => {});
}

/** Functions whose invocations can be killed: the invoker sees what Lambda says of a runtime that is gone. */
function mortal(
  host: FunctionHost,
  invocations: AsyncLocalStorage<Invocation>,
  keyOf: (functionName: string) => string,
): FunctionHost {
  return {
    close: () => host.close(),
    invoke: (functionName, payload) =>
      new Promise((resolve, reject) => {
        const kill = () => resolve(killed());
        const functionKey = keyOf(functionName);
        invocations
          .run({ functionKey, kill }, () => host.invoke(functionName, payload))
          .then(resolve, reject);
      }),
  };
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
