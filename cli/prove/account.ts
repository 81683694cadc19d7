import type { AccessAnalyzerClient } from '@aws-sdk/client-accessanalyzer';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { STSClient } from '@aws-sdk/client-sts';
import { z } from 'zod';

/** The SDK clients of every service that is asked. */
export interface AwsClients {
  readonly accessAnalyzer: AccessAnalyzerClient;
  readonly cloudFormation: CloudFormationClient;
  readonly cloudWatch: CloudWatchClient;
  readonly dynamoDb: DynamoDBClient;
  readonly eventBridge: EventBridgeClient;
  readonly gameLiftStreams: GameLiftStreamsClient;
  readonly iam: IAMClient;
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly serviceQuotas: ServiceQuotasClient;
  readonly sqs: SQSClient;
  readonly stepFunctions: SFNClient;
  readonly sts: STSClient;
}

/** What is on this machine: the package, the bundles and the samples. Undefined where it has not been made. */
export interface LocalFiles {
  readonly template: Template | undefined;
  /** By function, such as `check-session`: the IAM actions of the calls that its bundle can make. */
  readonly calls: ReadonlyMap<string, readonly string[]> | undefined;
  /** By file name: the events in events/samples/. */
  readonly samples: ReadonlyMap<string, Sample>;
  /** A browser's offer, of the sample of an API request. */
  readonly offer: string | undefined;
}

export interface Account {
  readonly aws: AwsClients;
  readonly region: string;
  readonly stage: string;
  readonly stackName: string;
  readonly files: LocalFiles;
  readonly nowMs: () => number;
  /** @throws when the run is interrupted. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Waits whether or not the run is interrupted, to end what it has started. */
  readonly pause: (ms: number) => Promise<void>;
}

/** An account in which the stack is. */
export interface DeployedAccount extends Account {
  readonly stack: DeployedStack;
}

export interface DeployedStack {
  readonly outputs: ReadonlyMap<string, string>;
  readonly template: Template;
  readonly resources: readonly PhysicalResource[];
}

export interface PhysicalResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
}

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
export const templateSchema = z.looseObject({
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })).default({}),
});
export type Template = z.infer<typeof templateSchema>;

export const sampleSchema = z.looseObject({
  source: z.string(),
  'detail-type': z.string(),
  detail: z.record(z.string(), z.unknown()),
});
export type Sample = z.infer<typeof sampleSchema>;

/** Returns the deployed resources of a type, with what the template says of each. */
export function resourcesOf({ stack }: DeployedAccount, type: string) {
  return stack.resources
    .filter((resource) => resource.type === type)
    .map((resource) => ({
      ...resource,
      properties: stack.template.Resources[resource.logicalId]?.Properties ?? {},
    }));
}

/** Returns a setting of the deployed functions, from whichever function has it. */
export function settingOf({ stack }: DeployedAccount, name: string): string | undefined {
  for (const { Type, Properties } of Object.values(stack.template.Resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    const parsed = environmentSchema.safeParse(Properties['Environment']);
    const value = parsed.success ? parsed.data.Variables[name] : undefined;
    if (typeof value === 'string') return value;
  }
  return undefined;
}

const environmentSchema = z.looseObject({ Variables: z.record(z.string(), z.unknown()) });

/** Returns every page's items of a paged call. */
export async function allPages<Page, Item>(
  send: (token: string | undefined) => Promise<Page>,
  read: (page: Page) => { readonly items: readonly Item[]; readonly next: string | undefined },
): Promise<Item[]> {
  const found: Item[] = [];
  let token: string | undefined;
  // No list of one stack is longer; a service that repeats its token must not hold the run.
  for (let page = 0; page < 100; page++) {
    const { items, next } = read(await send(token));
    found.push(...items);
    if (next === undefined || next === '' || next === token) break;
    token = next;
  }
  return found;
}
