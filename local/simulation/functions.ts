import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import {
  type InProcessNetwork,
  type LambdaResult,
  LOCAL_CREDENTIALS,
  type VirtualClock,
} from 'local-server-kit';
import { checkSession, checkSessionInputSchema } from '../../functions/check-session/check-session.ts';
import {
  createAdminShell,
  createAdminShellInputSchema,
} from '../../functions/create-admin-shell/create-admin-shell.ts';
import {
  createConnection,
  createConnectionInputSchema,
} from '../../functions/create-connection/create-connection.ts';
import { getWindow } from '../../functions/get-window/get-window.ts';
import { executionFailureHandler } from '../../functions/on-execution-failure/execution-failure-handler.ts';
import { statusChangeHandler } from '../../functions/on-status-change/status-change-handler.ts';
import { recordFailure, recordFailureInputSchema } from '../../functions/record-failure/record-failure.ts';
import { recordOutcome, recordOutcomeInputSchema } from '../../functions/record-outcome/record-outcome.ts';
import {
  registerTaskToken,
  registerTaskTokenInputSchema,
} from '../../functions/register-task-token/register-task-token.ts';
import {
  recordInvalidPath,
  requestAdminShell,
} from '../../functions/request-admin-shell/request-admin-shell.ts';
import { requestConnection } from '../../functions/request-connection/request-connection.ts';
import { apiHandler } from '../../functions/shared/api/api-handler.ts';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import { hideMessagesOf } from '../../functions/shared/runtime/hide-messages.ts';
import { OPENING_SETTINGS, readSettings } from '../../functions/shared/runtime/settings.ts';
import { switchReader } from '../../functions/shared/runtime/switch.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { taskHandler } from '../../functions/shared/runtime/task.ts';
import { signalWindow, signalWindowInputSchema } from '../../functions/signal-window/signal-window.ts';
import {
  terminateSession,
  terminateSessionInputSchema,
} from '../../functions/terminate-session/terminate-session.ts';
import { watchSessionsHandler } from '../../functions/watch-sessions/watch-sessions-handler.ts';
import { resolveEnvironment } from '../service/read-service.ts';
import type { Service } from '../service/service.ts';
import type { Endpoints, FunctionHost } from '../stack.ts';
import { documentsAt } from './documents.ts';
import { ExecutionEnvironments } from './execution-environments.ts';
import { type FunctionHooks, inMemory, sendAround } from './hooks.ts';

type Invocation = (payloadText: string, context: Context) => Promise<unknown>;

/** Runs before an invocation; what it throws is how the invocation fails. */
export type BeforeInvocation = (functionKey: string, payload: unknown) => void | Promise<void>;

/** How the functions reach what they call, where it does not listen. */
export interface Transport {
  readonly requestHandler?: InProcessNetwork['requestHandler'];
  readonly table?: Table;
}

/** A virtual clock, as far as the functions' glue needs to know that it is one. */
export type TrackingClock = Clock & Pick<VirtualClock, 'track' | 'untracked'>;

/**
 * The service's functions in this process, on a virtual clock: the same glue and decisions as the bundles, with
 * the same environment (but for what a test sets otherwise), and clients of their own. Payloads and replies cross as JSON, as
 * Lambda's do.
 */
export function inProcessFunctions(
  service: Service,
  endpoints: Endpoints,
  clock: TrackingClock,
  random: () => number,
  before: BeforeInvocation,
  environment: Readonly<Record<string, string>> = {},
  { requestHandler, table: givenTable }: Transport = {},
  hooks: FunctionHooks = {},
): FunctionHost {
  const connection = {
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    // What simulates failing dependencies decides itself how often they fail.
    ...(requestHandler === undefined ? {} : { requestHandler, maxAttempts: 1 }),
  };
  const gameLiftStreams = new GameLiftStreamsClient({
    ...connection,
    endpoint: endpoints.gameLiftStreams,
    maxAttempts: 1,
  });
  const stepFunctions = new SFNClient({
    ...connection,
    endpoint: endpoints.stepFunctions,
    disableHostPrefix: true,
  });
  const stepFunctionsSingleAttempt = new SFNClient({
    ...connection,
    endpoint: endpoints.stepFunctions,
    maxAttempts: 1,
  });
  // Whoever waits for an execution lets time move on: its backoff needs it to.
  stepFunctions.middlewareStack.add(
    (next, context) => (args) =>
      context['commandName'] === 'StartSyncExecutionCommand' ? clock.untracked(() => next(args)) : next(args),
    { step: 'initialize' },
  );
  const sqs = new SQSClient({ ...connection, endpoint: endpoints.sqs, maxAttempts: 1 });
  const eventBridge = new EventBridgeClient({ ...connection, endpoint: endpoints.eventBus });
  // The one function that publishes while time moves on for it: the call itself must take none.
  eventBridge.middlewareStack.add((next) => (args) => clock.track(() => next(args)), { step: 'initialize' });
  const settingsOf = <const Name extends Parameters<typeof readSettings>[0][number]>(
    key: string,
    names: readonly Name[],
  ) =>
    readSettings(names, {
      ...resolveEnvironment(service, key),
      AWS_REGION: service.region,
      ...environment,
    });
  const { TABLE_NAME } = settingsOf('checkSession', ['TABLE_NAME']);
  const ofHooks = <Client extends { readonly send: unknown }>(client: Client): Client =>
    hooks.call === undefined ? client : sendAround(client, hooks.call);
  const documents = givenTable?.documents ?? documentsAt(endpoints.dynamoDb);
  const table = {
    documents: ofHooks(hooks.items === undefined ? documents : inMemory(documents, hooks.items)),
    name: givenTable?.name ?? TABLE_NAME,
  };
  const shared = {
    table,
    clock,
    random,
    gameLiftStreams: ofHooks(gameLiftStreams),
    stepFunctions: ofHooks(stepFunctions),
    eventBridge: ofHooks(eventBridge),
  };
  /** What an execution environment keeps from one invocation to the next. */
  const ownDependencies = () => ({ ...shared, readSwitch: switchReader({ table, clock }) });
  const bus = ['EVENT_BUS_NAME', 'EVENT_SOURCE'] as const;

  const starts: Readonly<Record<string, (common: ReturnType<typeof ownDependencies>) => Invocation>> = {
    onStatusChange: (common) =>
      fromText(
        statusChangeHandler({
          ...common,
          stepFunctions: ofHooks(stepFunctionsSingleAttempt),
          settings: settingsOf('onStatusChange', [...OPENING_SETTINGS, 'READS_PER_SECOND']),
          hideMessages: hideMessagesOf(ofHooks(sqs), settingsOf('onStatusChange', ['QUEUE_URL']).QUEUE_URL),
        }),
      ),
    onExecutionFailure: (common) =>
      fromText(
        executionFailureHandler({
          ...common,
          settings: settingsOf('onExecutionFailure', OPENING_SETTINGS),
        }),
      ),
    watchSessions: (common) =>
      fromText(
        watchSessionsHandler({
          ...common,
          settings: settingsOf('watchSessions', [
            ...OPENING_SETTINGS,
            'LISTS_PER_SECOND',
            'READS_PER_SECOND',
            'WATCHED_STREAM_GROUPS',
            'WATCH_INTERVAL_SECONDS',
          ]),
        }),
      ),
    registerTaskToken: (common) =>
      fromText(taskHandler(registerTaskTokenInputSchema, registerTaskToken, common)),
    checkSession: (common) =>
      fromText(
        taskHandler(checkSessionInputSchema, checkSession, {
          ...common,
          settings: settingsOf('checkSession', ['READS_PER_SECOND']),
        }),
      ),
    terminateSession: (common) =>
      fromText(
        taskHandler(terminateSessionInputSchema, terminateSession, {
          ...common,
          settings: settingsOf('terminateSession', ['READS_PER_SECOND', 'TERMINATIONS_PER_SECOND']),
        }),
      ),
    recordOutcome: (common) =>
      fromText(
        taskHandler(recordOutcomeInputSchema, recordOutcome, {
          ...common,
          settings: settingsOf('recordOutcome', [...bus, 'OUTCOME_RETENTION_DAYS']),
        }),
      ),
    recordFailure: (common) =>
      fromText(
        taskHandler(recordFailureInputSchema, recordFailure, {
          ...common,
          settings: settingsOf('recordFailure', ['OUTCOME_RETENTION_DAYS']),
        }),
      ),
    createConnection: (common) =>
      fromText(
        taskHandler(createConnectionInputSchema, createConnection, {
          ...common,
          settings: settingsOf('createConnection', ['CONNECTIONS_PER_SECOND', 'READS_PER_SECOND']),
        }),
      ),
    signalWindow: (common) => fromText(taskHandler(signalWindowInputSchema, signalWindow, common)),
    requestConnection: (common) =>
      fromText(
        apiHandler(requestConnection, {
          ...common,
          settings: settingsOf('requestConnection', [
            'AWS_REGION',
            'CREATE_CONNECTION_ARN',
            'CONNECTIONS_PER_SECOND',
            'READS_PER_SECOND',
            'DEFAULT_CONNECTION_TIMEOUT_SECONDS',
            'USER_ID_CHECK',
          ]),
        }),
      ),
    createAdminShell: (common) =>
      fromText(
        taskHandler(createAdminShellInputSchema, createAdminShell, {
          ...common,
          settings: settingsOf('createAdminShell', ['ADMIN_SHELLS_PER_SECOND', 'READS_PER_SECOND']),
        }),
      ),
    requestAdminShell: (common) =>
      fromText(
        apiHandler(
          requestAdminShell,
          {
            ...common,
            settings: settingsOf('requestAdminShell', [...bus, 'AWS_REGION', 'CREATE_ADMIN_SHELL_ARN']),
          },
          recordInvalidPath,
        ),
      ),
    getWindow: (common) =>
      fromText(apiHandler(getWindow, { ...common, settings: settingsOf('getWindow', ['AWS_REGION']) })),
  };

  const environments = new Map(
    Object.entries(starts).map(([key, start]) => [
      key,
      new ExecutionEnvironments(() => start(ownDependencies())),
    ]),
  );

  return {
    invoke: (functionName, payload) => {
      const fn = service.functions.find(({ name, arn }) => functionName === name || functionName === arn);
      const ofFunction = environments.get(fn?.key ?? '');
      if (fn === undefined || ofFunction === undefined) throw new Error(`No function ${functionName}`);
      const run = async (): Promise<LambdaResult> => {
        try {
          await before(fn.key, payload);
          const payloadText = JSON.stringify(payload);
          const reply = await ofFunction.run((handler) => handler(payloadText, contextOf(fn)));
          return { ok: true, payload: JSON.parse(JSON.stringify(reply ?? null)) };
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          const trace = (error.stack ?? '').split('\n');
          return { ok: false, failure: { errorType: error.name, errorMessage: error.message, trace } };
        }
      };
      return clock.track(() => hooks.invocation?.(fn, run) ?? run());
    },
    close: async () => {
      for (const client of [
        gameLiftStreams,
        stepFunctions,
        stepFunctionsSingleAttempt,
        eventBridge,
        documents,
      ]) {
        client.destroy();
      }
    },
  };
}

function fromText<Event>(handler: (event: Event, context: Context) => Promise<unknown>): Invocation {
  return (payloadText, context) => handler(JSON.parse(payloadText), context);
}

let invocations = 0;

function contextOf({ name, arn }: { readonly name: string; readonly arn: string }): Context {
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: arn,
    memoryLimitInMB: '512',
    awsRequestId: `invocation-${++invocations}`,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'in-process',
    getRemainingTimeInMillis: () => 10_000,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
