import type { Execution } from '../engine/execution.ts';
import type { RedriveStatus } from './redrive.ts';

/**
 * The detail of the event "Step Functions Execution Status Change", every member of it, in the order in which
 * the Step Functions Developer Guide shows them. Express executions send none.
 */
export interface ExecutionStatusChange {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: Execution['status'];
  /** Epoch ms; in the API's replies these are seconds. */
  readonly startDate: number;
  readonly stopDate: number | null;
  readonly input: string | null;
  readonly inputDetails: { readonly included: boolean };
  readonly output: string | null;
  readonly outputDetails: { readonly included: boolean } | null;
  readonly stateMachineVersionArn: null;
  readonly stateMachineAliasArn: null;
  readonly redriveCount: 0;
  readonly redriveDate: null;
  readonly redriveStatus: RedriveStatus;
  readonly redriveStatusReason: string;
  readonly error: string | null;
  readonly cause: string | null;
}

/** EventBridge's quota, as escaped text: input and output together, and the output alone. */
const MAX_ESCAPED_BYTES = 248 * 1024;

export function statusChangeOf(execution: Execution): ExecutionStatusChange {
  const { outputText = null, status } = execution;
  const outputBytes = outputText === null ? 0 : escapedBytes(outputText);
  const inputIncluded = escapedBytes(execution.input.text) + outputBytes <= MAX_ESCAPED_BYTES;
  const outputIncluded = outputBytes <= MAX_ESCAPED_BYTES;
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.machine.arn,
    name: execution.name,
    status,
    startDate: execution.startMs,
    stopDate: execution.stopMs ?? null,
    input: inputIncluded ? execution.input.text : null,
    inputDetails: { included: inputIncluded },
    output: outputIncluded ? outputText : null,
    outputDetails: outputText === null ? null : { included: outputIncluded },
    stateMachineVersionArn: null,
    stateMachineAliasArn: null,
    redriveCount: 0,
    redriveDate: null,
    ...redriveOf(status),
    error: execution.errorName ?? null,
    cause: execution.causeText ?? null,
  };
}

/**
 * As the developer guide's examples of the event have it. They call an aborted execution not redrivable, while
 * the page on redrive and DescribeExecution say that it is.
 */
function redriveOf(status: Execution['status']) {
  const isRedrivable = status === 'FAILED' || status === 'TIMED_OUT';
  const redriveStatus: RedriveStatus = isRedrivable ? 'REDRIVABLE' : 'NOT_REDRIVABLE';
  const verdict = isRedrivable ? 'is redrivable' : 'cannot be redriven';
  return { redriveStatus, redriveStatusReason: `Execution is ${status} and ${verdict}` };
}

function escapedBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
