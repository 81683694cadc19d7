/** The deployable service, as the stand-ins need it: `serverless.yml` after variables, before CloudFormation. */
export interface Service {
  readonly name: string;
  readonly stage: string;
  readonly region: string;
  /** The made-up account that every local ARN names. */
  readonly account: string;
  /** Whether each condition of the template holds, by its name. */
  readonly conditions: Readonly<Record<string, boolean>>;
  readonly functions: readonly ServiceFunction[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly schedules: readonly Schedule[];
  readonly stateMachines: readonly StateMachine[];
  readonly tables: readonly Table[];
  readonly queues: readonly Queue[];
  readonly eventSources: readonly EventSource[];
  readonly buses: readonly EventBus[];
}

export interface ServiceFunction {
  /** Its key in `serverless.yml`. */
  readonly key: string;
  /** The logical id that the framework gives it in CloudFormation. */
  readonly logicalId: string;
  /** Its deployed name. */
  readonly name: string;
  readonly arn: string;
  /** `module` is the handler's path from the repository's root, without an extension. */
  readonly handler: { readonly module: string; readonly exportName: string };
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** How often an asynchronous invocation is repeated: 0 to 2. */
  readonly maximumRetryAttempts: number;
  /** How old an event may get before its invocation is given up: 60 to 21,600 seconds, the default. */
  readonly maximumEventAgeSeconds?: number;
  /** Executions at one time that the account keeps for it alone; none unless set. */
  readonly reservedConcurrency?: number;
  /** The provider's and its own; values may be intrinsics (`resolveEnvironment` replaces them). */
  readonly environment: Readonly<Record<string, unknown>>;
  /** What its role allows; undefined when `serverless.yml` names no role of the template's. */
  readonly permissions?: readonly Permission[];
}

/** A statement of a function's role. Every condition must hold for every value; `*` ends a pattern that is a prefix. */
export interface Permission {
  readonly actions: readonly string[];
  readonly conditions: readonly { readonly key: string; readonly patterns: readonly string[] }[];
}

export interface Route {
  readonly method: string;
  /** With a leading slash, such as `/streamgroups/{Identifier}`. */
  readonly path: string;
  readonly functionName: string;
  readonly authorizer: 'AWS_IAM' | 'NONE';
}

export interface Rule {
  /** For people: the resource's logical id, or the function's key and the event's number. */
  readonly name: string;
  /** The name of the bus whose events it matches; `default` is the account's own. */
  readonly busName: string;
  readonly pattern: Readonly<Record<string, unknown>>;
  readonly targets: readonly RuleTarget[];
}

/** A function that is invoked by time, asynchronously. */
export interface Schedule {
  /** For people: the resource's logical id, or the function's key and the event's number. */
  readonly name: string;
  readonly functionName: string;
  readonly everySeconds: number;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds?: number;
}

export type RuleTarget =
  | {
      readonly type: 'function';
      readonly functionName: string;
      readonly maximumRetryAttempts: number;
      readonly maximumEventAgeSeconds?: number;
      readonly inputTemplate?: string;
    }
  | {
      readonly type: 'queue';
      readonly queueName: string;
      /** Of an input transformer: what the target gets in place of the event. */
      readonly inputTemplate?: string;
    };

export interface StateMachine {
  readonly key: string;
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  /** Amazon States Language, with every intrinsic replaced. */
  readonly definition: Readonly<Record<string, unknown>>;
}

export interface Table {
  readonly logicalId: string;
  readonly name: string;
  readonly attributeDefinitions: readonly {
    readonly AttributeName: string;
    readonly AttributeType: 'S' | 'N' | 'B';
  }[];
  readonly keySchema: readonly KeyElement[];
  readonly indexes: readonly TableIndex[];
  /** The attribute whose time, in epoch seconds, ends an item's life. */
  readonly timeToLiveAttribute?: string;
}

export interface KeyElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}

/** A global secondary index. */
export interface TableIndex {
  readonly name: string;
  readonly keySchema: readonly KeyElement[];
  readonly projection: {
    readonly ProjectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
    readonly NonKeyAttributes?: readonly string[] | undefined;
  };
}

export interface Queue {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  /** Where a message goes that was received so often without being deleted. */
  readonly redrive?: { readonly queueName: string; readonly maxReceiveCount: number };
}

/** A queue whose messages invoke a function, in batches. */
export interface EventSource {
  readonly queueName: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly maximumConcurrency?: number;
  /** Whether the function tells which messages of a batch have failed. */
  readonly reportsItemFailures: boolean;
}

export interface EventBus {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
}
