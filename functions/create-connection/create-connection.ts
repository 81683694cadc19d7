import { CreateStreamSessionConnectionCommand } from '@aws-sdk/client-gameliftstreams';
import * as z from 'zod';
import { callService, type ServiceDependencies } from '../shared/call-service.ts';
import type { Outcome, SessionKey } from '../shared/contracts.ts';
import { ConflictException, InternalServerException, SessionAnsweredException } from '../shared/errors.ts';
import { readSession } from '../shared/read-session.ts';
import { countServed } from '../shared/table/line.ts';
import {
  isSuperseded,
  markServed,
  offerIdOf,
  type Place,
  readPlace,
  rememberNotFound,
} from '../shared/table/places.ts';
import { epochMsSchema, taskInputShape } from '../shared/task.ts';

export const createConnectionInputSchema = z.object({
  ...taskInputShape,
  signalRequest: z.string().min(1),
  clientToken: z.string().min(32).max(128),
  /** Epoch ms after which the caller no longer listens. */
  deadlineMs: epochMsSchema,
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
  /** Another offer for the session has come since; this one was not sent to the service. */
  | { readonly result: 'SUPERSEDED' }
  | {
      readonly result: 'SESSION_ENDED';
      readonly outcome: Extract<Outcome, 'TERMINATED' | 'ERRORED'>;
      readonly statusReason: string | null;
    }
  /** A status in which nobody can reconnect, such as ACTIVATING. */
  | { readonly result: 'NOT_RECONNECTABLE'; readonly status: string }
  | { readonly result: 'DEADLINE_PASSED' };

const OPERATION = 'CreateStreamSessionConnection';

export interface CreateConnectionDependencies extends ServiceDependencies {
  readonly settings: { readonly CONNECTIONS_PER_SECOND: number; readonly READS_PER_SECOND: number };
}

/**
 * One attempt at CreateStreamSessionConnection. Nothing is read before the call; after a 409 or a 400, which
 * the service does not explain, the session's status decides what it meant.
 *
 * @throws ThrottlingException, PermitNotAvailableException, ConflictException, SessionAnsweredException,
 *   InternalServerException: all retryable, with the same ClientToken.
 * @throws ServiceAccessDeniedException, UnexpectedError when the service refuses the call for good.
 */
export async function createConnection(
  input: CreateConnectionInput,
  dependencies: CreateConnectionDependencies,
): Promise<CreateConnectionResult> {
  const { clock, log, metrics, settings } = dependencies;
  const { deadlineMs } = input;
  if (clock.nowMs() >= deadlineMs) return { result: 'DEADLINE_PASSED' };
  const offerId = offerIdOf(input.clientToken);
  const place = await readPlace(dependencies.table, input);
  if (place !== undefined && isSuperseded(place, offerId)) {
    log.info('ConnectionRefused', { result: 'SUPERSEDED' });
    return { result: 'SUPERSEDED' };
  }
  // It stood in line until the service has ended its session. Whoever asks again finds out, behind all others.
  const inVainAfterMs = place === undefined || place.isServed === true ? undefined : place.deadlineMs;
  if (inVainAfterMs !== undefined && clock.nowMs() > inVainAfterMs) return { result: 'DEADLINE_PASSED' };
  let leaving: Promise<void> = Promise.resolve();
  const connection = await callService(
    {
      operation: OPERATION,
      perSecond: settings.CONNECTIONS_PER_SECOND,
      deadlineMs,
      ...(inVainAfterMs === undefined ? {} : { inVainAfterMs }),
      onBooked: () => {
        leaving = leaveLine(input, place, offerId, dependencies);
      },
    },
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
  ).finally(() => leaving);
  if (!connection.ok) {
    const refusal =
      connection.fault === 'NOT_FOUND'
        ? ({ result: 'NOT_FOUND' } as const)
        : await decideByStatus(connection.fault, input, dependencies);
    if (refusal.result === 'NOT_FOUND') await keepNotFound(input, dependencies);
    log.info('ConnectionRefused', { result: refusal.result });
    return refusal;
  }
  const { SignalResponse: signalResponse } = connection.reply;
  // The API declares the answer optional. Without one the player has nothing; the retry is the same request.
  if (signalResponse === undefined || signalResponse === '') throw new InternalServerException();
  const connectionAttempts = input.retryCount + 1;
  log.info('ConnectionCreated', { connectionAttempts });
  metrics.add('ConnectionsCreated', 1);
  return {
    result: 'CONNECTION_CREATED',
    signalResponse,
    connectionCreatedAtMs: clock.nowMs(),
    connectionAttempts,
  };
}

/** Makes room for the next in line. What fails here makes the line look longer than it is, for a while. */
async function leaveLine(
  session: SessionKey,
  place: Place | undefined,
  offerId: string,
  { table, log }: CreateConnectionDependencies,
): Promise<void> {
  if (place === undefined || place.isServed === true) return;
  try {
    if (!(await markServed(table, session, offerId)) || place.lineCounter === undefined) return;
    await countServed(table, OPERATION, place.lineCounter);
  } catch (error) {
    log.error('PlaceNotLeft', error);
  }
}

/** So that the next request for the same id costs no place and no call. What fails here costs one call more. */
async function keepNotFound(session: SessionKey, dependencies: CreateConnectionDependencies): Promise<void> {
  const { table, clock, log } = dependencies;
  try {
    await rememberNotFound(table, session, clock.nowMs());
  } catch (error) {
    log.error('NotFoundNotKept', error);
  }
}

async function decideByStatus(
  fault: 'CONFLICT' | 'INVALID',
  input: CreateConnectionInput,
  dependencies: CreateConnectionDependencies,
): Promise<CreateConnectionResult> {
  const { status, statusReason } = await readSession(input, dependencies, input.deadlineMs);
  switch (status) {
    case 'PENDING_CLIENT_RECONNECTION':
      if (fault === 'INVALID') return { result: 'OFFER_REJECTED' };
      throw new ConflictException();
    case 'ACTIVE':
      if (fault === 'INVALID') return { result: 'OFFER_REJECTED' };
      throw new SessionAnsweredException();
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
