import type { StartSyncExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import {
  errorReply,
  type NamedReply,
  notFoundReply,
  okReply,
  serviceDeniedReply,
} from '../shared/api/replies.ts';
import { type ConnectionOutput, connectionOutputSchema } from '../shared/contracts/machine-outputs.ts';
import { parseJson } from '../shared/runtime/text.ts';
import type { Turn } from './decide-turn.ts';

/**
 * Turns how the execution ended into the reply that the service itself would give.
 *
 * @param random 0 ≤ random() < 1.
 */
export function replyOfExecution(
  execution: Pick<StartSyncExecutionCommandOutput, 'status' | 'output' | 'error'>,
  random: () => number,
): NamedReply {
  if (execution.status !== 'SUCCEEDED') {
    return replyOfFailure(execution.error ?? execution.status ?? 'NONE');
  }
  const output = connectionOutputSchema.parse(parseJson(execution.output));
  return { result: output.result, reply: outcomeReply(output, random) };
}

/** The middle of how long a request stays away that was not held for want of reads. */
const UNHELD_AWAY_SECONDS = 4;

function outcomeReply(output: ConnectionOutput, random: () => number): APIGatewayProxyResult {
  switch (output.result) {
    case 'CONNECTION_CREATED':
      return okReply({ SignalResponse: output.signalResponse });
    case 'NOT_FOUND':
      return notFoundReply();
    case 'OFFER_REJECTED':
      return errorReply(
        'OFFER_REJECTED',
        'SignalRequest was refused by Amazon GameLift Streams. Make a new offer and ask again.',
      );
    case 'ALREADY_CONNECTED':
      return errorReply('SOMEBODY_CONNECTED', 'The stream session has a connected client.');
    case 'LOSS_NOT_NOTICED': {
      // A request that was held goes on at once. One that could not be held stays away until reads are to spare, and
      // many do: they come back spread out.
      const retryAfterSeconds = output.canWait ? 1 : Math.ceil(UNHELD_AWAY_SECONDS * (0.5 + random()));
      return errorReply(
        'LOSS_NOT_NOTICED',
        'The stream session has a connected client, or its loss is not noticed yet. Ask again with the same request.',
        { retryAfterSeconds },
      );
    }
    case 'SUPERSEDED':
      return supersededReply();
    case 'SESSION_ENDING':
      return endingReply();
    case 'SESSION_ENDED':
      return errorReply('SESSION_ENDED', 'The stream session has ended. Start a new one.', {
        members: {
          Outcome: output.outcome,
          ...(output.cause === undefined ? {} : { Cause: output.cause }),
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

function endingReply(): APIGatewayProxyResult {
  return errorReply(
    'SESSION_ENDING',
    'The stream session is being ended, because its player did not come back. Start a new one.',
  );
}

function supersededReply(): APIGatewayProxyResult {
  return errorReply(
    'NEWER_OFFER',
    "A newer offer for the stream session has taken the place of this one. If it was not the same player's, make a new offer and send it with a new ClientToken.",
  );
}

/** Returns the reply to a request whose turn is not now. */
export function replyOfTurn(turn: Exclude<Turn, { kind: 'NOW' }>): NamedReply {
  switch (turn.kind) {
    case 'NOT_FOUND':
    case 'SUPERSEDED':
      return { result: turn.kind, reply: turn.kind === 'NOT_FOUND' ? notFoundReply() : supersededReply() };
    case 'ENDING':
      return { result: turn.kind, reply: endingReply() };
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

/** @param error what the last attempt failed with. */
export function replyOfFailure(error: string): NamedReply {
  return { result: error, reply: failureReply(error) };
}

/** What the last attempt failed with: the name of an error of `functions/shared/runtime/errors.ts`, or of the machine. */
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
        'The stream session has an answer already, which cannot be had again. Make a new offer and send it with a new ClientToken.',
      );
    case 'ServiceAccessDeniedException':
      return serviceDeniedReply();
    default:
      return errorReply('RECONNECTION_FAILED', 'The reconnection failed. Ask again with the same request.', {
        retryAfterSeconds: 1,
      });
  }
}
