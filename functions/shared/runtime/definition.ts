import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Clock, systemClock } from './clock.ts';
import type { Handler, Tools } from './edge.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Table } from './table.ts';

/** The SDK clients of all functions. Each has its file in `clients/`; `handler.ts` imports those it needs. */
export interface Clients {
  readonly documents: DynamoDBDocumentClient;
  readonly eventBridge: EventBridgeClient;
  readonly gameLiftStreams: GameLiftStreamsClient;
  readonly sqs: SQSClient;
  readonly stepFunctions: SFNClient;
  readonly stepFunctionsSingleAttempt: SFNClient;
}
export type ClientName = keyof Clients;
export type SettingName = keyof Settings;

/** What a function takes from the process that it runs in. A simulation has its own. */
export interface Surroundings {
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a decision gets, beside the tools of its invocation. */
export type Dependencies<Client extends ClientName, Name extends SettingName> = Pick<Clients, Client> &
  Omit<Surroundings, 'environment'> & {
    readonly table: Table;
    readonly settings: Pick<Settings, Name | 'TABLE_NAME'>;
  };

/** The same with the tools, for a decision: what it takes does not widen what its definition names. */
export type Given<Client extends ClientName, Name extends SettingName> = Dependencies<
  NoInfer<Client>,
  NoInfer<Name>
> &
  Tools;

/** What a definition names. Every function has the table: the client `documents` and the setting `TABLE_NAME`. */
export interface Needs<Client extends ClientName, Name extends SettingName> {
  readonly settings?: readonly Name[];
  readonly clients?: readonly Client[];
}

/**
 * One function: Lambda's handler, the simulation and the tests of the template are made from it.
 *
 * Why: docs/decisions/deployment.md#each-function-is-defined-once
 */
export interface FunctionDefinition<Client extends ClientName = ClientName, Event = never, Result = unknown> {
  /** The environment variables that the function reads. */
  readonly settings: readonly SettingName[];
  readonly clients: readonly ClientName[];
  /**
   * Makes the function's handler, and reads its settings.
   *
   * @throws Error naming every setting that is missing or invalid.
   */
  handler(
    clients: Pick<Clients, Client | 'documents'>,
    surroundings?: Partial<Surroundings>,
  ): Handler<Event, Result>;
}

export function defineFunction<Client extends ClientName, Name extends SettingName, Event, Result>(
  { settings: names = [], clients: clientNames = [] }: Needs<Client, Name>,
  handlerOf: (
    dependencies: Dependencies<Client, Name>,
    clients: Pick<Clients, Client>,
  ) => Handler<Event, Result>,
): FunctionDefinition<Client, Event, Result> {
  const settingNames = ['TABLE_NAME', ...names] as const;
  return {
    settings: settingNames,
    clients: ['documents', ...clientNames],
    handler(clients, { clock = systemClock, random = Math.random, environment = process.env } = {}) {
      const settings = readSettings(settingNames, environment);
      const table = { documents: clients.documents, name: settings.TABLE_NAME };
      return handlerOf({ ...clients, table, clock, random, settings }, clients);
    },
  };
}
