import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateStreamSessionAdminShellCommand,
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
} from '@aws-sdk/client-gameliftstreams';
import {
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { anOffer, type NewStreamSessions, type SessionRecord } from 'game-lift-streams-local';
import { InProcessNetwork, LOCAL_CREDENTIALS, seededRandom, VirtualClock } from 'local-server-kit';
import { inject, onTestFinished } from 'vitest';
import { z } from 'zod';
import {
  ADMIN_SHELL_AUDIT_DETAIL_TYPE,
  type AdminShellAuditDetail,
  adminShellAuditDetailSchema,
  OUTCOME_DETAIL_TYPE,
  type OutcomeDetail,
  outcomeDetailSchema,
  STATUS_CHANGE_DETAIL_TYPE,
  type StatusChangeDetail,
} from '../../functions/shared/contracts/index.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { listEvents } from '../../local/event-bus/local-client.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import { documentsAt } from '../../local/simulation/documents.ts';
import { type BeforeInvocation, inProcessFunctions } from '../../local/simulation/functions.ts';
import { type FunctionHooks, inMemory } from '../../local/simulation/hooks.ts';
import { InProcessClock } from '../../local/simulation/in-process-clock.ts';
import { type StackOptions, startStack } from '../../local/stack.ts';
import { allItems } from './table.ts';

/** What a virtual clock does, with sockets or without. */
type SimulatedClock = Pick<VirtualClock, keyof VirtualClock>;

export type SessionOverrides = Pick<
  NewStreamSessions,
  'connectionTimeoutSeconds' | 'sessionLengthSeconds' | 'settings'
>;

export interface WorkflowOptions {
  readonly before?: BeforeInvocation;
  readonly seed?: number;
  /** Whether the watcher looks; without it only reports open windows. */
  readonly watching?: boolean;
  /** Settings that differ from the template's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The window's machine ends by itself after this time, instead of its 25 hours. */
  readonly windowTimeoutSeconds?: number;
  readonly hooks?: FunctionHooks;
  /**
   * Whether everything stays in this process, without sockets and with the table in memory, which takes a fraction of the
   * time. `endpoints` then answer only the returned `fetch`.
   */
  readonly inProcess?: boolean;
  /** Quotas of StartExecution, where they are not the Region's. */
  readonly startQuotas?: StackOptions['startQuotas'];
}

/**
 * The whole service on the local stack, its functions in this process, on time that moves when told to: what a
 * backend, a player and an operator do, and what they see.
 */
export async function startWorkflow({
  before = () => {},
  seed = 1,
  watching = false,
  environment = {},
  windowTimeoutSeconds,
  hooks = {},
  inProcess = false,
  startQuotas,
}: WorkflowOptions = {}) {
  const deployed = inject('service');
  const service =
    windowTimeoutSeconds === undefined
      ? deployed
      : {
          ...deployed,
          stateMachines: deployed.stateMachines.map((machine) =>
            machine.type === 'STANDARD'
              ? { ...machine, definition: { ...machine.definition, TimeoutSeconds: windowTimeoutSeconds } }
              : machine,
          ),
        };
  const network = inProcess ? new InProcessNetwork() : undefined;
  const clock: SimulatedClock = network === undefined ? new VirtualClock() : new InProcessClock();
  const random = seededRandom(seed);
  const items = hooks.items ?? (inProcess ? new MemoryItems({ nowMs: () => clock.nowMs() }) : undefined);
  const stack = await startStack({
    service,
    clock,
    random,
    gameLiftStreams: { activity: clock },
    startQuotas,
    runSchedules: watching,
    ...(network !== undefined && { network }),
    hostFunctions: (endpoints) =>
      inProcessFunctions(
        service,
        endpoints,
        clock,
        random,
        before,
        environment,
        network === undefined ? {} : { requestHandler: network.requestHandler },
        { ...hooks, ...(items !== undefined && { items }) },
      ),
  });
  const { endpoints, control } = stack;
  const send = network?.fetch ?? fetch;
  const connection = {
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    ...(network !== undefined && { requestHandler: network.requestHandler }),
  };
  const api = new GameLiftStreamsClient({ ...connection, endpoint: endpoints.api, maxAttempts: 1 });
  const gameLiftStreams = new GameLiftStreamsClient({
    ...connection,
    endpoint: endpoints.gameLiftStreams,
    maxAttempts: 1,
  });
  const eventBridge = new EventBridgeClient({ ...connection, endpoint: endpoints.eventBus });
  const stepFunctions = new SFNClient({ ...connection, endpoint: endpoints.stepFunctions });
  const documents = documentsAt(endpoints.dynamoDb);
  const table = {
    documents: items === undefined ? documents : inMemory(documents, items),
    name: service.tables[0]?.name ?? '',
  };
  const windowMachine = service.stateMachines.find(({ type }) => type === 'STANDARD')?.arn;
  const { EVENT_BUS_NAME, EVENT_SOURCE } = resolveEnvironment(service, 'onStatusChange');
  onTestFinished(async () => {
    for (const client of [api, gameLiftStreams, eventBridge, stepFunctions, documents]) client.destroy();
    await stack.close();
  });

  /** Publishes any event on the service's bus, and lets what it starts come to rest. */
  const publish = async (detail: unknown, detailType = STATUS_CHANGE_DETAIL_TYPE) => {
    const Detail = JSON.stringify(detail);
    const entry = { EventBusName: EVENT_BUS_NAME, Source: EVENT_SOURCE, DetailType: detailType, Detail };
    await clock.track(() => eventBridge.send(new PutEventsCommand({ Entries: [entry] })));
    await clock.idle();
  };

  /** Moves time on until the call is answered. */
  const inTime = <Result>(call: () => Promise<Result>): Promise<Result> => clock.until(call());

  return {
    clock,
    control,
    endpoints,
    /** Reaches the endpoints, with sockets or without. */
    fetch: send,
    service,
    table,
    publish,
    /** A CONNECTED session. */
    session: (overrides: SessionOverrides = {}) => control.startSession(overrides),
    /** The event that a backend sends when the session's status changes now. */
    report: (session: SessionRecord, overrides: Partial<StatusChangeDetail> = {}) =>
      publish({
        version: '1',
        streamGroupId: session.streamGroupId,
        streamSessionId: session.streamSessionId,
        status: 'PENDING_CLIENT_RECONNECTION',
        statusChangedAt: new Date(clock.nowMs()).toISOString(),
        connectionTimeoutSeconds: session.connectionTimeoutSeconds,
        ...overrides,
      }),
    /** The backend's call with the service's own SDK; time moves on until it is answered. */
    reconnect(
      session: { streamGroupId: string; streamSessionId: string },
      { offer = anOffer(), clientToken }: { offer?: string; clientToken?: string } = {},
    ): Promise<string> {
      return inTime(async () => {
        const { SignalResponse = '' } = await api.send(
          new CreateStreamSessionConnectionCommand({
            Identifier: session.streamGroupId,
            StreamSessionIdentifier: session.streamSessionId,
            SignalRequest: offer,
            ...(clientToken === undefined ? {} : { ClientToken: clientToken }),
          }),
        );
        return SignalResponse;
      });
    },
    /** An operator's call with the service's own SDK; time moves on until it is answered. */
    askForShell: (session: { streamGroupId: string; streamSessionId: string }) =>
      inTime(() =>
        api.send(
          new CreateStreamSessionAdminShellCommand({
            Identifier: session.streamGroupId,
            StreamSessionIdentifier: session.streamSessionId,
          }),
        ),
      ),
    inTime,
    /** The audit trail of admin shells, the earliest record first. */
    async auditTrail(): Promise<AdminShellAuditDetail[]> {
      const events = await listEvents(endpoints.eventBus, send);
      return events
        .filter(({ detailType }) => detailType === ADMIN_SHELL_AUDIT_DETAIL_TYPE)
        .map(({ detail }) => adminShellAuditDetailSchema.parse(detail));
    },
    /** The same call past our API, as another caller of the service makes it. */
    async reconnectDirectly(session: { streamGroupId: string; streamSessionId: string }): Promise<string> {
      const call = clock.track(() =>
        gameLiftStreams.send(
          new CreateStreamSessionConnectionCommand({
            Identifier: session.streamGroupId,
            StreamSessionIdentifier: session.streamSessionId,
            SignalRequest: anOffer(),
          }),
        ),
      );
      const { SignalResponse = '' } = await clock.until(call);
      return SignalResponse;
    },
    async window({ streamGroupId, streamSessionId }: { streamGroupId: string; streamSessionId: string }) {
      const path = `streamgroups/${streamGroupId}/streamsessions/${streamSessionId}/window`;
      const response = await send(`${endpoints.api}/${path}`);
      return {
        status: response.status,
        body: z.record(z.string(), z.unknown()).parse(await response.json()),
      };
    },
    /** The outcome events that were published for a session. */
    async outcomes({ streamSessionId }: { streamSessionId: string }): Promise<OutcomeDetail[]> {
      const events = await listEvents(endpoints.eventBus, send);
      return events
        .filter(({ detailType }) => detailType === OUTCOME_DETAIL_TYPE)
        .map(({ detail }) => outcomeDetailSchema.parse(detail))
        .filter((detail) => detail.streamSessionId === streamSessionId);
    },
    events: () => listEvents(endpoints.eventBus, send),
    /** What is in a queue of the template, by its logical id. */
    async messages(logicalId: string): Promise<unknown[]> {
      const name = service.queues.find((queue) => queue.logicalId === logicalId)?.name;
      const response = await send(`${endpoints.eventBus}/_local/queues/${name}`);
      return z.object({ messages: z.array(z.unknown()) }).parse(await response.json()).messages;
    },
    /** The windows' executions, the latest first. */
    async executions() {
      const { executions = [] } = await stepFunctions.send(
        new ListExecutionsCommand({ stateMachineArn: windowMachine }),
      );
      return executions.map(({ name, status, executionArn }) => ({ name, status, executionArn }));
    },
    async history(executionArn: string | undefined): Promise<HistoryEvent[]> {
      const { events = [] } = await stepFunctions.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      );
      return events;
    },
    items: () => allItems(table),
    stepFunctions,
    /** Invokes a function by its key, as a second scheduler would. */
    invoke: (functionKey: string, payload: unknown = {}) =>
      stack.invoke(service.functions.find(({ key }) => key === functionKey)?.name ?? '', payload),
  };
}
