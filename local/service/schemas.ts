/**
 * The parts of `serverless print` that the stand-ins act on. Objects are strict, so that a new field is met
 * here first; fields that change nothing on one machine are listed as such.
 */
import { z } from 'zod';

/** A field that AWS acts on and one machine has no use for: who may do what, how it is watched and packed. */
const withoutLocalMeaning = z.unknown().optional();

export const printedSchema = z.looseObject({
  service: z.string(),
  provider: z.looseObject({
    name: z.literal('aws'),
    region: z.string(),
    stage: z.string(),
    // The framework's own default, not Lambda's 3 s.
    timeout: z.int().min(1).max(900).default(6),
    memorySize: z.int().min(128).default(1024),
    environment: z.record(z.string(), z.unknown()).default({}),
  }),
  functions: z.record(z.string(), z.unknown()).default({}),
  stepFunctions: z
    .strictObject({
      stateMachines: z.record(z.string(), z.unknown()).default({}),
      validate: withoutLocalMeaning,
      noOutput: withoutLocalMeaning,
    })
    .default({ stateMachines: {} }),
  resources: z.unknown().optional(),
});

export const functionSchema = z.strictObject({
  name: z.string(),
  // "folder/file.export": Lambda takes everything after the file name's first dot as the export's path.
  handler: z.string().regex(/^[^.]+\.[A-Za-z_$][\w$]*$/, 'must be a module path, a dot and an export'),
  timeout: z.int().min(1).max(900).optional(),
  memorySize: z.int().min(128).optional(),
  maximumRetryAttempts: z.int().min(0).max(2).default(2),
  environment: z.record(z.string(), z.unknown()).default({}),
  events: z.array(z.record(z.string(), z.unknown())).default([]),
  maximumEventAge: z.int().min(60).max(21_600).optional(),
  reservedConcurrency: z.int().min(0).nullish(),
  // Where Lambda records an event that it has given up. Here it is among the dead letters of the event bus.
  destinations: withoutLocalMeaning,
  description: withoutLocalMeaning,
  package: withoutLocalMeaning,
  runtime: withoutLocalMeaning,
  architecture: withoutLocalMeaning,
  // The logical id of a role in the template, when it is text.
  role: z.unknown().optional(),
  tags: withoutLocalMeaning,
  tracing: withoutLocalMeaning,
  logRetentionInDays: withoutLocalMeaning,
  logs: withoutLocalMeaning,
});

export type ParsedFunction = z.output<typeof functionSchema>;

const patternSchema = z.record(z.string(), z.unknown());

export const eventBridgeEventSchema = z.strictObject({
  eventBus: z.unknown().default('default'),
  pattern: patternSchema,
  enabled: z.literal(true, 'the stand-ins know no disabled rules').optional(),
  name: withoutLocalMeaning,
  description: withoutLocalMeaning,
  // EventBridge keeps these for events that it cannot hand over; to a local function it always can.
  retryPolicy: withoutLocalMeaning,
  deadLetterQueueArn: withoutLocalMeaning,
});

/** EventBridge rules that fire by time, as the framework writes them: `rate(1 minute)`, `rate(5 minutes)`. */
export const rateSchema = z
  .string()
  .regex(
    /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/,
    'the stand-ins know rate(…) only',
  );

export const sqsEventSchema = z.strictObject({
  arn: z.unknown(),
  batchSize: z.int().default(10),
  maximumBatchingWindow: z.int().default(0),
  maximumConcurrency: z.coerce.number().int().optional(),
  functionResponseType: z.literal('ReportBatchItemFailures').optional(),
  enabled: z.literal(true, 'the stand-ins know no disabled event sources').optional(),
});

const awsIamSchema = z.literal(['aws_iam', 'AWS_IAM']);

export const httpEventSchema = z.strictObject({
  method: z
    .string()
    .transform((method) => method.toUpperCase())
    .pipe(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])),
  path: z
    .string()
    .transform((path) => path.replace(/^\/|\/$/g, ''))
    .pipe(
      z
        .string()
        .regex(
          /^(?:(?:[^/{}]+|\{[\w.-]+\})(?:\/(?:[^/{}]+|\{[\w.-]+\}))*)?$/,
          'segments are literal or one {parameter}; the stand-ins know no {proxy+}',
        ),
    ),
  authorizer: z.union([awsIamSchema, z.strictObject({ type: awsIamSchema })]).optional(),
});

export const stateMachineSchema = z.strictObject({
  id: z.string(),
  name: z.string().max(80),
  type: z.enum(['STANDARD', 'EXPRESS']),
  definition: z.record(z.string(), z.unknown()),
  role: withoutLocalMeaning,
  tags: withoutLocalMeaning,
  dependsOn: withoutLocalMeaning,
  alarms: withoutLocalMeaning,
  tracingConfig: withoutLocalMeaning,
  loggingConfig: withoutLocalMeaning,
  encryptionConfig: withoutLocalMeaning,
  // A function has one version here: the code that is on the disk.
  useExactVersion: withoutLocalMeaning,
});

export const resourcesSchema = z.strictObject({
  Resources: z.record(z.string(), z.unknown()).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  // Only the dashboard looks into one.
  Mappings: withoutLocalMeaning,
  Outputs: withoutLocalMeaning,
  Description: withoutLocalMeaning,
});

export const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.unknown().default({}),
  Condition: z.string().optional(),
});

/** Who may do what, what is written where, and how it is watched: nothing that a stand-in would act on. */
export const RESOURCE_TYPES_WITHOUT_LOCAL_MEANING: ReadonlySet<string> = new Set([
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Stage',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
  'AWS::SQS::QueuePolicy',
]);

const oneOrMany = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** IAM compares these letter by letter, an asterisk too. */
const exactly = oneOrMany.refine((texts) => texts.every((text) => !/[*?]/.test(text)), {
  error: 'has a wildcard, which StringEquals takes for a letter',
});

/** A role's own policies. What a function may do is checked by action and condition. */
export const rolePropertiesSchema = z.looseObject({
  Policies: z
    .array(
      z.looseObject({
        PolicyDocument: z.looseObject({
          Statement: z.array(
            z.strictObject({
              Sid: withoutLocalMeaning,
              Effect: z.literal('Allow', 'the stand-ins know no statement that denies'),
              Action: oneOrMany,
              Resource: withoutLocalMeaning,
              Condition: z
                .strictObject({
                  StringEquals: z.record(z.string(), exactly).optional(),
                  'ForAllValues:StringEquals': z.record(z.string(), exactly).optional(),
                  'ForAllValues:StringLike': z
                    .record(
                      z.string(),
                      oneOrMany.refine((patterns) => patterns.every((text) => /^[^*?]+\*?$/.test(text)), {
                        error: 'the stand-ins know no pattern with an asterisk before its end',
                      }),
                    )
                    .optional(),
                })
                .default({}),
            }),
          ),
        }),
      }),
    )
    .default([]),
});

const keySchema = z
  .array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);

export const tablePropertiesSchema = z.strictObject({
  TableName: z.unknown().optional(),
  AttributeDefinitions: z
    .array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }))
    .min(1),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z
    .array(
      z.strictObject({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.strictObject({
          ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: z.array(z.string()).optional(),
        }),
        ProvisionedThroughput: withoutLocalMeaning,
      }),
    )
    .default([]),
  TimeToLiveSpecification: z.strictObject({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
  BillingMode: withoutLocalMeaning,
  ProvisionedThroughput: withoutLocalMeaning,
  PointInTimeRecoverySpecification: withoutLocalMeaning,
  SSESpecification: withoutLocalMeaning,
  DeletionProtectionEnabled: withoutLocalMeaning,
  Tags: withoutLocalMeaning,
});

export const busPropertiesSchema = z.strictObject({
  Name: z.unknown(),
  Description: withoutLocalMeaning,
  Tags: withoutLocalMeaning,
  LogConfig: withoutLocalMeaning,
  KmsKeyIdentifier: withoutLocalMeaning,
});

export const queuePropertiesSchema = z.strictObject({
  QueueName: z.unknown().optional(),
  FifoQueue: z.literal(false, 'the stand-ins know no FIFO queues').optional(),
  // SQS's defaults: 4 days, and 30 seconds.
  MessageRetentionPeriod: z.coerce.number().int().min(60).max(1_209_600).default(345_600),
  VisibilityTimeout: z.coerce.number().int().min(0).max(43_200).default(30),
  RedrivePolicy: z
    .strictObject({
      deadLetterTargetArn: z.unknown(),
      maxReceiveCount: z.coerce.number().int().min(1).max(1_000),
    })
    .optional(),
  SqsManagedSseEnabled: withoutLocalMeaning,
  KmsMasterKeyId: withoutLocalMeaning,
  Tags: withoutLocalMeaning,
});

export const rulePropertiesSchema = z.strictObject({
  EventBusName: z.unknown().default('default'),
  EventPattern: patternSchema.optional(),
  ScheduleExpression: rateSchema.optional(),
  State: z.literal('ENABLED', 'the stand-ins know no disabled rules').optional(),
  Targets: z
    .array(
      z.strictObject({
        Id: z.string(),
        Arn: z.unknown(),
        InputTransformer: z.strictObject({ InputTemplate: z.string() }).optional(),
        DeadLetterConfig: withoutLocalMeaning,
        RetryPolicy: withoutLocalMeaning,
      }),
    )
    .min(1),
  Name: withoutLocalMeaning,
  Description: withoutLocalMeaning,
});
