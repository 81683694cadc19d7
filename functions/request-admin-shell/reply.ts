import type { CreateStreamSessionAdminShellOutput } from '@aws-sdk/client-gameliftstreams';
import type { StartSyncExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { PassedThrough } from '../shared/api/pass-through.ts';
import { errorReply, okReply, serviceDeniedReply } from '../shared/api/replies.ts';
import { adminShellOutputSchema } from '../shared/contracts/machine-outputs.ts';
import { parseJson } from '../shared/runtime/text.ts';
import type { AuditedResult } from './audit.ts';

export interface NamedReply {
  /** What it came to, for the audit record. */
  readonly result: AuditedResult;
  readonly reply: APIGatewayProxyResult;
}

const STATUS_CODES = {
  STATUS_WITHOUT_ADMIN_SHELL: 'STATUS_WITHOUT_ADMIN_SHELL',
  REJECTED_BY_SERVICE: 'ADMIN_SHELL_REJECTED',
} as const;

/** "The StreamUrl is valid for 60 seconds" and so is the token: API reference. */
const VALID_SECONDS = 60;

/** Turns how the execution ended into the reply that the service itself would give. */
export function replyOfExecution(
  execution: Pick<StartSyncExecutionCommandOutput, 'status' | 'output' | 'error'>,
  nowMs: number,
): NamedReply {
  if (execution.status !== 'SUCCEEDED') {
    const error = execution.error ?? execution.status ?? 'NONE';
    return { result: { result: 'REFUSED', refusal: error.slice(0, 256) }, reply: failureReply(error) };
  }
  const output = adminShellOutputSchema.parse(parseJson(execution.output));
  switch (output.result) {
    case 'ADMIN_SHELL_CREATED': {
      const { sessionId, streamUrl, tokenValue, createdAtMs } = output;
      const secondsLeft = VALID_SECONDS - Math.ceil(Math.max(0, nowMs - createdAtMs) / 1000);
      return {
        result: { result: 'GRANTED' },
        reply: okReply(
          { SessionId: sessionId, StreamUrl: streamUrl, TokenValue: tokenValue },
          { 'x-expires-in-seconds': String(Math.max(0, secondsLeft)) },
        ),
      };
    }
    case 'NOT_FOUND':
      return {
        result: { result: 'REFUSED', refusal: output.result },
        reply: errorReply('SESSION_NOT_FOUND', 'The stream group or the stream session does not exist.'),
      };
    case 'STATUS_WITHOUT_ADMIN_SHELL':
    case 'REJECTED_BY_SERVICE':
      return {
        result: { result: 'REFUSED', refusal: output.result, sessionStatus: output.status },
        reply: errorReply(STATUS_CODES[output.result], statusMessage(output), {
          members: { Status: output.status },
        }),
      };
  }
}

/** The same of a call that went past the state machine. */
export function replyOfPassThrough(shell: PassedThrough<CreateStreamSessionAdminShellOutput>): NamedReply {
  if (!shell.ok) {
    return { result: { result: 'REFUSED', refusal: shell.error }, reply: shell.reply };
  }
  const { SessionId, StreamUrl, TokenValue } = shell.reply;
  return {
    result: { result: 'GRANTED' },
    reply: okReply({ SessionId, StreamUrl, TokenValue }, { 'x-expires-in-seconds': String(VALID_SECONDS) }),
  };
}

function statusMessage({ result, status }: { readonly result: string; readonly status: string }): string {
  return result === 'STATUS_WITHOUT_ADMIN_SHELL'
    ? `The stream session is in status ${status}. An admin shell needs ACTIVE, CONNECTED, PENDING_CLIENT_RECONNECTION or RECONNECTING.`
    : `Amazon GameLift Streams refused an admin shell for the stream session, which is in status ${status}.`;
}

/** What the last attempt failed with: the name of an error of `functions/shared/runtime/errors.ts`, or of the machine. */
function failureReply(error: string): APIGatewayProxyResult {
  switch (error) {
    case 'StreamSessionAccessNotReadyException':
      return errorReply(
        'ADMIN_SHELL_NOT_READY',
        'The terminal connection to the stream session is not available yet. Ask again.',
        { retryAfterSeconds: 5 },
      );
    case 'ThrottlingException':
    case 'PermitNotAvailableException':
    case 'CallerDeadlinePassed':
      return errorReply('QUOTA_USED_UP', 'Too many admin shells are asked for at once. Ask again.', {
        retryAfterSeconds: 2,
      });
    case 'ServiceAccessDeniedException':
      return serviceDeniedReply();
    default:
      return errorReply('ADMIN_SHELL_FAILED', 'No admin shell could be created. Ask again.', {
        retryAfterSeconds: 1,
      });
  }
}
