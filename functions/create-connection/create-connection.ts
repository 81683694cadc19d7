import { CreateStreamSessionConnectionCommand } from '@aws-sdk/client-gameliftstreams';
import { z } from 'zod';
import { callService, type ServiceDependencies } from '../shared/call-service.ts';
import type { Outcome } from '../shared/contracts.ts';
import { ConflictException, InternalServerException } from '../shared/errors.ts';
import { readSession } from '../shared/read-session.ts';
import { taskInputShape } from '../shared/task.ts';

export const createConnectionInputSchema = z.object({
  ...taskInputShape,
  signalRequest: z.string().min(1),
  clientToken: z.string().min(32).max(128),
  /** Epoch ms after which the caller no longer listens. */
  deadlineMs: z.number(),
  /** Attempts that the state machine has made before this one. */
  retryCount: z.int().min(0),
});
export type CreateConnectionInput = z.infer<typeof createConnectionInputSchema>;

/** What one attempt came to, where asking again would change nothing. */
export type CreateConnectionResult =
  | {
      readonly result: 'CONNECTION_CREATED';
      readonly signalResponse: string;
      readonly connectionCreatedAtMs: number;
      readonly connectionAttempts: number;
    }
  /** The service does not know the stream group or the session. */
  | { readonly result: 'NOT_FOUND' }
  /** The session waits for a client, and the service refused this offer all the same. */
  | { readonly result: 'OFFER_REJECTED' }
  /** Somebody else's offer won. */
  | { readonly result: 'ALREADY_CONNECTED' }
  | {
      readonly result: 'SESSION_ENDED';
      readonly outcome: Exclude<Outcome, 'RECONNECTED'>;
      readonly statusReason: string | null;
    }
  /** A status in which nobody can reconnect, such as ACTIVATING. */
  | { readonly result: 'NOT_RECONNECTABLE'; readonly status: string }
  | { readonly result: 'DEADLINE_PASSED' };

export interface CreateConnectionDependencies extends ServiceDependencies {
  readonly settings: { readonly CONNECTIONS_PER_SECOND: number; readonly READS_PER_SECOND: number };
}

/**
 * One attempt at CreateStreamSessionConnection. Nothing is read before the call; after a 409 or a 400, which
 * the service does not explain, the session's status decides what it meant.
 *
 * @throws ThrottlingException, PermitNotAvailableException, ConflictException, InternalServerException: all
 *   retryable, with the same ClientToken.
 * @throws UnexpectedError when the service refuses the call for good (permissions).
 */
export async function createConnection(
  input: CreateConnectionInput,
  dependencies: CreateConnectionDependencies,
): Promise<CreateConnectionResult> {
  const { clock, log, settings } = dependencies;
  const { deadlineMs } = input;
  if (clock.nowMs() >= deadlineMs) return { result: 'DEADLINE_PASSED' };
  const connection = await callService(
    { operation: 'CreateStreamSessionConnection', perSecond: settings.CONNECTIONS_PER_SECOND, deadlineMs },
    (client, abortSignal) =>
      client.send(
        new CreateStreamSessionConnectionCommand({
          Identifier: input.streamGroupId,
          StreamSessionIdentifier: input.streamSessionId,
          SignalRequest: input.signalRequest,
          ClientToken: input.clientToken,
        }),
        { abortSignal },
      ),
    dependencies,
  );
  if (!connection.ok) {
    const refusal =
      connection.fault === 'NOT_FOUND'
        ? ({ result: 'NOT_FOUND' } as const)
        : await decideByStatus(connection.fault, input, dependencies);
    log.info('ConnectionRefused', { result: refusal.result });
    return refusal;
  }
  const { SignalResponse: signalResponse } = connection.reply;
  // The API declares the answer optional. Without one the player has nothing; the retry is the same request.
  if (signalResponse === undefined || signalResponse === '') throw new InternalServerException();
  const connectionAttempts = input.retryCount + 1;
  log.info('ConnectionCreated', { connectionAttempts });
  return {
    result: 'CONNECTION_CREATED',
    signalResponse,
    connectionCreatedAtMs: clock.nowMs(),
    connectionAttempts,
  };
}

async function decideByStatus(
  fault: 'CONFLICT' | 'INVALID',
  input: CreateConnectionInput,
  dependencies: CreateConnectionDependencies,
): Promise<CreateConnectionResult> {
  const { status, statusReason } = await readSession(input, dependencies, input.deadlineMs);
  switch (status) {
    case 'PENDING_CLIENT_RECONNECTION':
    case 'ACTIVE':
      if (fault === 'INVALID') return { result: 'OFFER_REJECTED' };
      throw new ConflictException();
    case 'RECONNECTING':
      throw new ConflictException();
    case 'CONNECTED':
      return { result: 'ALREADY_CONNECTED' };
    case 'TERMINATING':
    case 'TERMINATED':
      return { result: 'SESSION_ENDED', outcome: 'TERMINATED', statusReason };
    case 'ERROR':
      return { result: 'SESSION_ENDED', outcome: 'ERRORED', statusReason };
    case 'NOT_FOUND':
      return { result: 'NOT_FOUND' };
    default:
      return { result: 'NOT_RECONNECTABLE', status };
  }
}
