import type { StartSyncExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import { errorReply, okReply, serviceDeniedReply } from '../shared/api/replies.ts';
import { parseJson } from '../shared/parse-json.ts';
import type { Turn } from './decide-turn.ts';

/** The output of `create-connection` when it ends green; its producer is functions/create-connection. */
const outputSchema = z.discriminatedUnion('result', [
  z.object({ result: z.literal('CONNECTION_CREATED'), signalResponse: z.string() }),
  z.object({ result: z.literal('NOT_FOUND') }),
  z.object({ result: z.literal('OFFER_REJECTED') }),
  z.object({ result: z.literal('ALREADY_CONNECTED') }),
  z.object({ result: z.literal('SUPERSEDED') }),
  z.object({
    result: z.literal('SESSION_ENDED'),
    outcome: z.enum(['TERMINATED', 'ERRORED']),
    statusReason: z.string().nullable(),
  }),
  z.object({ result: z.literal('NOT_RECONNECTABLE'), status: z.string() }),
]);

export interface Answer {
  /** What it came to, for the log. */
  readonly result: string;
  readonly reply: APIGatewayProxyResult;
}

/** Turns how the execution ended into the reply that the service itself would give. */
export function answerOf(
  execution: Pick<StartSyncExecutionCommandOutput, 'status' | 'output' | 'error'>,
): Answer {
  if (execution.status !== 'SUCCEEDED') {
    const error = execution.error ?? execution.status ?? 'NONE';
    return { result: error, reply: failureReply(error) };
  }
  const output = outputSchema.parse(parseJson(execution.output));
  return { result: output.result, reply: outcomeReply(output) };
}

function outcomeReply(output: z.infer<typeof outputSchema>): APIGatewayProxyResult {
  switch (output.result) {
    case 'CONNECTION_CREATED':
      return okReply({ SignalResponse: output.signalResponse });
    case 'NOT_FOUND':
      return errorReply('SESSION_NOT_FOUND', 'The stream group or the stream session does not exist.');
    case 'OFFER_REJECTED':
      return errorReply(
        'OFFER_REJECTED',
        'SignalRequest was refused by Amazon GameLift Streams. Make a new offer and ask again.',
      );
    case 'ALREADY_CONNECTED':
      return errorReply('SOMEBODY_CONNECTED', 'The stream session has a connected client.');
    case 'SUPERSEDED':
      return errorReply(
        'NEWER_OFFER',
        'A newer offer for the stream session has taken the place of this one.',
      );
    case 'SESSION_ENDED':
      return errorReply('SESSION_ENDED', 'The stream session has ended. Start a new one.', {
        members: {
          Outcome: output.outcome,
          ...(output.statusReason === null ? {} : { StatusReason: output.statusReason }),
        },
      });
    case 'NOT_RECONNECTABLE':
      return errorReply(
        'NOT_RECONNECTABLE',
        'The stream session is in a status that nobody can reconnect to.',
      );
  }
}

/** The answer to a request whose turn is not now. */
export function answerOfTurn(turn: Exclude<Turn, { kind: 'NOW' }>): Answer {
  switch (turn.kind) {
    case 'NOT_FOUND':
    case 'SUPERSEDED':
      return { result: turn.kind, reply: outcomeReply({ result: turn.kind }) };
    case 'LATER': {
      const message =
        'Too many reconnections at once. The place in line is kept: ask again with the same request.';
      return { result: turn.kind, reply: errorReply('TURN_LATER', message, turn) };
    }
    case 'NOT_IN_TIME': {
      const message =
        "No reconnection is left before this session's deadline. Ask again: one may become free.";
      return { result: turn.kind, reply: errorReply('NOT_IN_TIME', message, turn) };
    }
  }
}

/** What the last attempt failed with: the name of an error of `functions/shared/errors.ts`, or of the machine. */
function failureReply(error: string): APIGatewayProxyResult {
  switch (error) {
    case 'ThrottlingException':
    case 'PermitNotAvailableException':
    case 'CallerDeadlinePassed':
      return errorReply('QUOTA_USED_UP', 'Too many reconnections at once. Ask again with the same request.', {
        retryAfterSeconds: 2,
      });
    case 'ConflictException':
      return errorReply('SESSION_BUSY', 'The stream session is busy with another request. Ask again.', {
        retryAfterSeconds: 2,
      });
    case 'SessionAnsweredException':
      return errorReply(
        'NEW_OFFER_NEEDED',
        'The stream session has an answer already, which cannot be had again. Make a new offer.',
      );
    case 'ServiceAccessDeniedException':
      return serviceDeniedReply();
    default:
      return errorReply('RECONNECTION_FAILED', 'The reconnection failed. Ask again with the same request.', {
        retryAfterSeconds: 1,
      });
  }
}
