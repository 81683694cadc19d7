import * as z from 'zod';

/**
 * What the console reads of Step Functions' API: its JSON as it comes over the wire, times in epoch seconds.
 * Members that the console does not show are left out.
 */

const epochSeconds = z.number().transform((seconds) => Math.round(seconds * 1000));

export const EXECUTION_STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

export const stateMachineSummarySchema = z.object({
  stateMachineArn: z.string(),
  name: z.string(),
  type: z.enum(['STANDARD', 'EXPRESS']),
});
export type StateMachineSummary = z.output<typeof stateMachineSummarySchema>;

export const stateMachineSchema = stateMachineSummarySchema.extend({ definition: z.string() });

export const executionSummarySchema = z.object({
  executionArn: z.string(),
  stateMachineArn: z.string(),
  name: z.string(),
  status: z.enum(EXECUTION_STATUSES),
  startDate: epochSeconds,
  stopDate: epochSeconds.optional(),
});
export type ExecutionSummary = z.output<typeof executionSummarySchema>;

export const executionSchema = executionSummarySchema.extend({
  input: z.string().optional(),
  output: z.string().optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
});
export type Execution = z.output<typeof executionSchema>;

/**
 * The members of an event's details that the console understands. Which are there depends on the event's type;
 * the others are only shown.
 */
const eventDetailsSchema = z.looseObject({
  name: z.string().optional(),
  input: z.string().optional(),
  output: z.string().optional(),
  parameters: z.string().optional(),
  resource: z.string().optional(),
  timeoutInSeconds: z.number().optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
  state: z.string().optional(),
  assignedVariables: z.record(z.string(), z.string()).optional(),
});
export type EventDetails = z.output<typeof eventDetailsSchema>;

const DETAILS_MEMBER = /EventDetails$/;

/** An event with its details under one name; the API has a member of its own for each type's. */
export const historyEventSchema = z
  .looseObject({
    id: z.number(),
    previousEventId: z.number(),
    timestamp: epochSeconds,
    type: z.string(),
  })
  .transform(({ id, previousEventId, timestamp, type, ...rest }) => {
    const [, details = {}] = Object.entries(rest).find(([member]) => DETAILS_MEMBER.test(member)) ?? [];
    return { id, previousEventId, atMs: timestamp, type, details: eventDetailsSchema.parse(details) };
  });
export type HistoryEvent = z.output<typeof historyEventSchema>;
