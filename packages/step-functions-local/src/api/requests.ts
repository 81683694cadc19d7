import { nameToTell } from 'local-server-kit';
import { z } from 'zod';
import { ServiceError } from './service-error.ts';

/** The requests of the API, with the limits of its model. Every object is strict: nothing is ignored. */

const atMost = (most: number) =>
  z.string().max(most, { error: `Member must have length less than or equal to ${most}` });
const required = (most: number) =>
  atMost(most).min(1, { error: 'Member must have length greater than or equal to 1' });

const name = required(80);
const arn = required(256);
const longArn = required(2000);
const input = z.string();
const machineType = z.enum(['STANDARD', 'EXPRESS']);
const includedData = z.enum(['ALL_DATA', 'METADATA_ONLY']).optional();
const maxResults = z
  .number()
  .int()
  .min(0, { error: 'Member must have value greater than or equal to 0' })
  .max(1000, { error: 'Member must have value less than or equal to 1000' })
  .optional();
const paging = { maxResults, nextToken: required(3096).optional() };
const taskToken = required(2048);
const errorName = atMost(256).optional();
const causeText = atMost(32_768).optional();

export const requests = {
  CreateStateMachine: z.strictObject({
    name,
    definition: required(1_048_576),
    roleArn: arn,
    type: machineType.default('STANDARD'),
    // Kept to be described; nothing here writes logs or traces.
    loggingConfiguration: z
      .strictObject({
        level: z.enum(['ALL', 'ERROR', 'FATAL', 'OFF']).default('OFF'),
        includeExecutionData: z.boolean().default(false),
        destinations: z
          .array(z.strictObject({ cloudWatchLogsLogGroup: z.strictObject({ logGroupArn: arn }) }))
          .optional(),
      })
      .default({ level: 'OFF', includeExecutionData: false }),
    tracingConfiguration: z.strictObject({ enabled: z.boolean().default(false) }).default({ enabled: false }),
  }),
  ValidateStateMachineDefinition: z.strictObject({
    definition: required(1_048_576),
    type: machineType.default('STANDARD'),
    severity: z.enum(['ERROR', 'WARNING']).optional(),
    maxResults: z.number().int().min(0).max(100).optional(),
  }),
  ListStateMachines: z.strictObject(paging),
  DescribeStateMachine: z.strictObject({ stateMachineArn: arn, includedData }),
  StartExecution: z.strictObject({
    stateMachineArn: arn,
    name: name.optional(),
    input: input.default('{}'),
    traceHeader: atMost(256).optional(),
  }),
  StartSyncExecution: z.strictObject({
    stateMachineArn: arn,
    name: name.optional(),
    input: input.default('{}'),
    traceHeader: atMost(256).optional(),
    includedData,
  }),
  DescribeExecution: z.strictObject({ executionArn: arn, includedData }),
  ListExecutions: z.strictObject({
    stateMachineArn: arn,
    statusFilter: z
      .enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'])
      .optional(),
    ...paging,
  }),
  GetExecutionHistory: z.strictObject({
    executionArn: longArn,
    ...paging,
    reverseOrder: z.boolean().default(false),
    includeExecutionData: z.boolean().default(true),
  }),
  StopExecution: z.strictObject({ executionArn: longArn, error: errorName, cause: causeText }),
  SendTaskSuccess: z.strictObject({ taskToken, output: z.string() }),
  SendTaskFailure: z.strictObject({ taskToken, error: errorName, cause: causeText }),
};

export type OperationName = keyof typeof requests;
export type Request<Operation extends OperationName> = z.infer<(typeof requests)[Operation]>;

/** Of thousands of mistakes the first are told. */
const MAX_FINDINGS = 10;

/**
 * @param body what the request holds, already JSON.
 * @throws ServiceError ValidationException that names each field, and quotes no value: it may be a secret.
 */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      const prefix = path === '' ? '' : `${path}.`;
      return issue.keys.map((key) => `Value at '${prefix}${nameToTell(key)}' is not supported here`);
    }
    return [`Value at '${path}' failed to satisfy constraint: ${constraint(issue)}`];
  });
  const count = findings.length === 1 ? '1 validation error' : `${findings.length} validation errors`;
  const told = findings.slice(0, MAX_FINDINGS).join('; ');
  throw new ServiceError('ValidationException', `${count} detected: ${told}`);
}

/** The service's own words, where it has some. */
function constraint(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') {
    return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`;
  }
  if (issue.code !== 'invalid_type') return issue.message;
  return issue.message.endsWith('received undefined')
    ? 'Member must not be null'
    : `Member must be of type ${issue.expected}`;
}
