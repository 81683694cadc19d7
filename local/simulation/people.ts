import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateStreamSessionAdminShellCommand,
  CreateStreamSessionConnectionCommand,
  type GameLiftStreamsClient,
  TerminateStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import {
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  type SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { anOffer, type NewStreamSessions, type SessionRecord } from 'game-lift-streams-local';
import { z } from 'zod';
import {
  ADMIN_SHELL_AUDIT_DETAIL_TYPE,
  type AdminShellAuditDetail,
  adminShellAuditDetailSchema,
  OUTCOME_DETAIL_TYPE,
  type OutcomeDetail,
  outcomeDetailSchema,
  type SessionKey,
  STATUS_CHANGE_DETAIL_TYPE,
  type StatusChangeDetail,
} from '../../functions/shared/contracts/index.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { listEvents } from '../event-bus/local-client.ts';
import { resolveEnvironment } from '../service/read-service.ts';
import type { Stack } from '../stack.ts';
import type { SimulatedClock } from './in-process-clock.ts';

export type SessionOverrides = Pick<
  NewStreamSessions,
  'connectionTimeoutSeconds' | 'sessionLengthSeconds' | 'settings'
>;

interface Parts extends Pick<Stack, 'control' | 'endpoints' | 'invoke' | 'service'> {
  readonly clock: SimulatedClock;
  readonly table: Table;
  readonly fetch: typeof fetch;
  readonly api: GameLiftStreamsClient;
  readonly gameLiftStreams: GameLiftStreamsClient;
  readonly eventBridge: EventBridgeClient;
  readonly stepFunctions: SFNClient;
}

const messagesSchema = z.object({ messages: z.array(z.unknown()) });
const deadLettersSchema = z.object({ deadLetters: z.array(z.object({ functionName: z.string() })) });

/** What feeds, backends, players and operators do with a simulated service, and what they see of it. */
export function peopleOf({
  control,
  endpoints,
  invoke,
  service,
  clock,
  table,
  fetch,
  api,
  gameLiftStreams,
  eventBridge,
  stepFunctions,
}: Parts) {
  const windowMachineArn = service.stateMachines.find(({ type }) => type === 'STANDARD')?.arn;
  const { EVENT_BUS_NAME, EVENT_SOURCE } = resolveEnvironment(service, 'onStatusChange');
  const pathOf = ({ streamGroupId, streamSessionId }: SessionKey) =>
    `streamgroups/${streamGroupId}/streamsessions/${streamSessionId}`;
  const identified = ({ streamGroupId, streamSessionId }: SessionKey) => ({
    Identifier: streamGroupId,
    StreamSessionIdentifier: streamSessionId,
  });

  /** Sends any event to the service's bus. */
  const emit = async (detail: unknown, detailType = STATUS_CHANGE_DETAIL_TYPE): Promise<void> => {
    const Detail = JSON.stringify(detail);
    const entry = { EventBusName: EVENT_BUS_NAME, Source: EVENT_SOURCE, DetailType: detailType, Detail };
    await clock.track(() => eventBridge.send(new PutEventsCommand({ Entries: [entry] })));
  };
  /** Sends any event to the service's bus, and lets what it starts come to rest. */
  const publish = async (...event: Parameters<typeof emit>): Promise<void> => {
    await emit(...event);
    await clock.idle();
  };
  /** The event that a backend sends when the session's status changes now. */
  const statusChange = (session: SessionRecord, overrides: Partial<StatusChangeDetail> = {}) => ({
    version: '1',
    streamGroupId: session.streamGroupId,
    streamSessionId: session.streamSessionId,
    status: 'PENDING_CLIENT_RECONNECTION',
    statusChangedAt: new Date(clock.nowMs()).toISOString(),
    connectionTimeoutSeconds: session.connectionTimeoutSeconds,
    ...overrides,
  });
  /** Moves time on until the call is answered. */
  const inTime = <Result>(call: () => Promise<Result>): Promise<Result> => clock.until(call());
  const events = () => listEvents(endpoints.eventBus, fetch);

  return {
    emit,
    publish,
    statusChange,
    inTime,
    events,
    windowMachineArn,
    /** A CONNECTED session. */
    session: (overrides: SessionOverrides = {}) => control.startSession(overrides),
    report: (...change: Parameters<typeof statusChange>) => publish(statusChange(...change)),
    /** The backend's call with the service's own SDK; time moves on until it is answered. */
    reconnect: (
      session: SessionKey,
      { offer = anOffer(), clientToken }: { offer?: string; clientToken?: string } = {},
    ): Promise<string> =>
      inTime(async () => {
        const { SignalResponse = '' } = await api.send(
          new CreateStreamSessionConnectionCommand({
            ...identified(session),
            SignalRequest: offer,
            ...(clientToken === undefined ? {} : { ClientToken: clientToken }),
          }),
        );
        return SignalResponse;
      }),
    /** The backend's call without an SDK, which would add a token and hide the headers. Time does not move by itself. */
    connect: (
      session: SessionKey,
      body: object,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<Response> =>
      fetch(`${endpoints.api}/${pathOf(session)}/connections`, {
        method: 'POST',
        headers: { ...headers },
        body: JSON.stringify(body),
      }),
    /** The same call past our API, as another caller of the service makes it. */
    reconnectDirectly: (session: SessionKey): Promise<string> =>
      inTime(async () => {
        const command = new CreateStreamSessionConnectionCommand({
          ...identified(session),
          SignalRequest: anOffer(),
        });
        const { SignalResponse = '' } = await clock.track(() => gameLiftStreams.send(command));
        return SignalResponse;
      }),
    /** The backend's call for a player who leaves, with the service's own SDK; time moves on until it is answered. */
    leave: (session: SessionKey) =>
      inTime(() => api.send(new TerminateStreamSessionCommand(identified(session)))),
    /** The backend's call for a page that may be going away. */
    mayBeLeaving: async (session: SessionKey, clientToken: string, withinSeconds: number) => {
      const body = JSON.stringify({ clientToken, withinSeconds });
      const reply = await inTime(() =>
        fetch(`${endpoints.api}/${pathOf(session)}/leaving`, { method: 'POST', body }),
      );
      await clock.idle();
      return reply.status;
    },
    /** A backend's call of a route, by method and the end of its path. Time does not move by itself. */
    send: (
      session: SessionKey,
      method: string,
      end: string,
      headers: Readonly<Record<string, string>> = {},
      body?: object,
    ): Promise<Response> =>
      fetch(`${endpoints.api}/${pathOf(session)}${end}`, {
        method,
        headers: { ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    /** A backend ends the session at the service itself. What the session's status does not allow is refused. */
    async terminate(session: SessionKey): Promise<void> {
      await fetch(`${endpoints.gameLiftStreams}/${pathOf(session)}`, { method: 'DELETE' });
    },
    /** An operator's call with the service's own SDK; time moves on until it is answered. */
    askForShell: (session: SessionKey) =>
      inTime(() => api.send(new CreateStreamSessionAdminShellCommand(identified(session)))),
    /** The audit trail of admin shells, the earliest record first. */
    async auditTrail(): Promise<AdminShellAuditDetail[]> {
      return (await events())
        .filter(({ detailType }) => detailType === ADMIN_SHELL_AUDIT_DETAIL_TYPE)
        .map(({ detail }) => adminShellAuditDetailSchema.parse(detail));
    },
    async window(session: SessionKey) {
      const response = await fetch(`${endpoints.api}/${pathOf(session)}/window`);
      return {
        status: response.status,
        body: z.record(z.string(), z.unknown()).parse(await response.json()),
      };
    },
    /** The outcome events that were published, for one session or for all. */
    async outcomes(session?: { readonly streamSessionId: string }): Promise<OutcomeDetail[]> {
      return (await events())
        .filter(({ detailType }) => detailType === OUTCOME_DETAIL_TYPE)
        .map(({ detail }) => outcomeDetailSchema.parse(detail))
        .filter(
          ({ streamSessionId }) => session === undefined || streamSessionId === session.streamSessionId,
        );
    },
    /** What is in a queue of the template, by its logical id. */
    async messages(logicalId: string): Promise<unknown[]> {
      const name = service.queues.find((queue) => queue.logicalId === logicalId)?.name;
      const response = await fetch(`${endpoints.eventBus}/_local/queues/${name}`);
      return messagesSchema.parse(await response.json()).messages;
    },
    /** Asynchronous invocations that have failed each time. */
    async deadLetters() {
      const response = await fetch(`${endpoints.eventBus}/_local/dead-letters`);
      return deadLettersSchema.parse(await response.json()).deadLetters;
    },
    /** Makes the bus deliver events twice or late. */
    disturb: (disturbance: object) =>
      fetch(`${endpoints.eventBus}/_local/disturbances`, {
        method: 'POST',
        body: JSON.stringify(disturbance),
      }),
    /** The windows' executions, the latest first. */
    async executions() {
      const { executions = [] } = await stepFunctions.send(
        new ListExecutionsCommand({ stateMachineArn: windowMachineArn, maxResults: 1000 }),
      );
      return executions.map(({ name, status, executionArn }) => ({ name, status, executionArn }));
    },
    async history(executionArn: string | undefined): Promise<HistoryEvent[]> {
      const { events: history = [] } = await stepFunctions.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      );
      return history;
    },
    /** What an operator does in the console. */
    async stopExecution(executionArn: string | undefined): Promise<void> {
      await clock.track(() => stepFunctions.send(new StopExecutionCommand({ executionArn })));
    },
    /** Everything that rests in the table. */
    async items(): Promise<Record<string, unknown>[]> {
      const { Items = [] } = await table.documents.send(new ScanCommand({ TableName: table.name }));
      return Items;
    },
    /** Invokes a function by its key, as a second scheduler would. */
    invoke: (functionKey: string, payload: unknown = {}) =>
      invoke(service.functions.find(({ key }) => key === functionKey)?.name ?? '', payload),
  };
}
