import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { z } from 'zod';
import {
  type ExecutionFailureEvent,
  executionFailureEventSchema,
  windowInputSchema,
} from '../shared/contracts/index.ts';
import { windowExecutionName } from '../shared/contracts/names.ts';
import { attempt } from '../shared/runtime/service-fault.ts';
import { parseJson } from '../shared/runtime/text.ts';

/** A window's execution that has ended red, by its event. */
export interface FailedExecution extends z.infer<typeof windowInputSchema> {
  readonly executionName: string;
  readonly status: ExecutionFailureEvent['detail']['status'];
}

/**
 * Which window's execution the event is about. Its name alone does not say: it has no stream group.
 *
 * Why: docs/decisions/failed-windows.md#the-event-of-a-failed-execution-is-believed
 *
 * @returns undefined for an event of another form, and for an execution that somebody started by hand: no
 *   window of this service is without an owner by its end.
 * @throws DependencyUnavailableException
 */
export async function parseExecutionFailure(
  raw: unknown,
  stepFunctions: SFNClient,
): Promise<FailedExecution | undefined> {
  const event = executionFailureEventSchema.safeParse(raw);
  if (!event.success) return undefined;
  const { executionArn, name, status } = event.data.detail;
  const text = event.data.detail.input ?? (await inputOf(executionArn, stepFunctions));
  const input = windowInputSchema.safeParse(parseJson(text));
  if (!input.success || windowExecutionName(input.data, input.data.generation) !== name) return undefined;
  return { ...input.data, executionName: name, status };
}

/**
 * "Execution Input, Output, Error, and Cause will not be included" in the events of a machine that is encrypted
 * with a key of the customer's (Step Functions Developer Guide, "Data at rest encryption").
 *
 * @returns undefined when Step Functions knows no such execution.
 */
async function inputOf(executionArn: string, stepFunctions: SFNClient): Promise<string | undefined> {
  const described = await attempt(
    () => stepFunctions.send(new DescribeExecutionCommand({ executionArn })),
    'ExecutionDoesNotExist',
    'InvalidArn',
  );
  return described.ok ? described.result.input : undefined;
}
