import * as z from 'zod';
import {
  type ExecutionStatus,
  executionSchema,
  executionSummarySchema,
  historyEventSchema,
  stateMachineSchema,
  stateMachineSummarySchema,
} from './model/execution.ts';

/** The largest page that Step Functions gives. */
const PAGE_SIZE = 1000;

/** Step Functions has refused a request, or could not be reached. */
export class StepFunctionsError extends Error {
  override readonly name = 'StepFunctionsError';
  /** The service's name for it, such as `ExecutionDoesNotExist`. */
  readonly errorName: string;

  constructor(errorName: string, message: string) {
    super(message);
    this.errorName = errorName;
  }
}

const errorSchema = z.object({ __type: z.string(), message: z.string().default('') });

/** One operation of Step Functions' public API, in its own protocol, AWS JSON 1.0. */
async function call<Schema extends z.ZodType>(
  operation: string,
  request: object,
  schema: Schema,
): Promise<z.output<Schema>> {
  const response = await fetch('/step-functions', {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AWSStepFunctions.${operation}`,
    },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  if (response.ok) return schema.parse(JSON.parse(text));
  const { success, data } = errorSchema.safeParse(response.status === 400 ? JSON.parse(text) : undefined);
  if (success) throw new StepFunctionsError(data.__type.split('#').at(-1) ?? '', data.message);
  throw new StepFunctionsError(`Status ${response.status}`, text);
}

const nextToken = z.string().optional();
const machinesSchema = z.object({ stateMachines: z.array(stateMachineSummarySchema), nextToken });
const executionsSchema = z.object({ executions: z.array(executionSummarySchema), nextToken });
const historySchema = z.object({ events: z.array(historyEventSchema), nextToken });
const stoppedSchema = z.object({ stopDate: z.number() });

export async function listStateMachines() {
  return (await call('ListStateMachines', { maxResults: PAGE_SIZE }, machinesSchema)).stateMachines;
}

export function describeStateMachine(stateMachineArn: string) {
  return call('DescribeStateMachine', { stateMachineArn }, stateMachineSchema);
}

/** A page of a machine's executions, the latest first. */
export function listExecutions(
  stateMachineArn: string,
  statusFilter: ExecutionStatus | undefined,
  token: string | undefined,
) {
  return call(
    'ListExecutions',
    { stateMachineArn, statusFilter, maxResults: PAGE_SIZE, nextToken: token },
    executionsSchema,
  );
}

export function describeExecution(executionArn: string) {
  return call('DescribeExecution', { executionArn }, executionSchema);
}

/** All of an execution's events, the first one first. */
export async function getExecutionHistory(executionArn: string) {
  const events: z.output<typeof historyEventSchema>[] = [];
  let token: string | undefined;
  do {
    const page = await call(
      'GetExecutionHistory',
      { executionArn, maxResults: PAGE_SIZE, nextToken: token },
      historySchema,
    );
    events.push(...page.events);
    token = page.nextToken;
  } while (token !== undefined);
  return events;
}

export function stopExecution(executionArn: string, error: string, cause: string) {
  const reasons = { ...(error !== '' && { error }), ...(cause !== '' && { cause }) };
  return call('StopExecution', { executionArn, ...reasons }, stoppedSchema);
}
