import type { SessionKey } from './index.ts';

export const STATUS_CHANGE_DETAIL_TYPE = 'Stream Session Status Change';
export const STATUS_CHANGE_REJECTED_DETAIL_TYPE = 'Stream Session Status Change Rejected';
export const OUTCOME_DETAIL_TYPE = 'Stream Session Reconnection Outcome';
export const WINDOW_OPENED_DETAIL_TYPE = 'Stream Session Reconnection Window Opened';
export const ADMIN_SHELL_AUDIT_DETAIL_TYPE = 'Stream Session Admin Shell Audit';
export const OPERATOR_AUDIT_DETAIL_TYPE = 'Stream Session Operator Audit';
export const EXECUTION_STATUS_CHANGE_DETAIL_TYPE = 'Step Functions Execution Status Change';

/** Step Functions' limit for an execution's name. */
const MAX_EXECUTION_NAME_LENGTH = 80;

/**
 * A window's execution: the session id first, so that an operator finds it by typing that, then the window's
 * number. The name is what makes a repeated start harmless.
 *
 * Why: docs/decisions/windows.md#an-executions-name-has-the-sessions-id-and-not-its-stream-group
 */
export function windowExecutionName(session: SessionKey, generation: number): string {
  return `${session.streamSessionId}-${generation}`;
}

/** The ARN of a window's execution, from its state machine's. */
export function windowExecutionArn(stateMachineArn: string, session: SessionKey, generation: number): string {
  const machine = stateMachineArn.replace(':stateMachine:', ':execution:');
  return `${machine}:${windowExecutionName(session, generation)}`;
}

/**
 * Where each partition has its console: the links of the Amazon ECS Developer Guide, "Amazon ECS-optimized AMI". A Region stands before
 * the domain; the guide leaves it out for GovCloud, whose Region the query names too.
 */
const CONSOLE_DOMAINS: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/**
 * Returns the page of an execution in AWS's console.
 *
 * @returns undefined in a partition whose console is not known.
 */
export function executionUrlOf(executionArn: string): string | undefined {
  const [, partition = '', , region = ''] = executionArn.split(':');
  const domain = CONSOLE_DOMAINS[partition];
  if (domain === undefined) return undefined;
  return `https://${region}.${domain}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}

/** A request's execution: the session id first, cut where the request's own id would not fit otherwise. */
export function requestExecutionName(session: SessionKey, requestId: string): string {
  const kept = MAX_EXECUTION_NAME_LENGTH - requestId.length - 1;
  return `${session.streamSessionId.slice(0, Math.max(0, kept))}-${requestId}`.slice(
    -MAX_EXECUTION_NAME_LENGTH,
  );
}
