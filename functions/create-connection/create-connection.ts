import * as z from 'zod';
import type { SessionKey } from '../shared/contracts/index.ts';
import type { ConnectionOutput } from '../shared/contracts/machine-outputs.ts';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import { countServed } from '../shared/quota/line.ts';
import {
  forgetLossRefusal,
  isEnding,
  isSuperseded,
  markServed,
  offerIdOf,
  type Place,
  readPlace,
  rememberNotFound,
} from '../shared/quota/places.ts';
import { InternalServerException } from '../shared/runtime/errors.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { callService, type ServiceDependencies } from '../shared/service/call-service.ts';
import { createStreamSessionConnection } from '../shared/service/operations.ts';
import {
  explainRefusal,
  isFailureOfRead,
  isRefusedBefore,
  type LookRequest,
  lookAgain,
  lookPastDeadline,
} from './look-at-session.ts';

export const createConnectionInputSchema = z.object({
  ...taskInputShape,
  signalRequest: z.string().min(1),
  clientToken: z.string().min(32).max(128),
  /** Epoch ms after which the caller no longer listens. */
  deadlineMs: epochMsSchema,
  /** Attempts that the state machine has made before this one. */
  retryCount: z.int().min(0),
  /** Set for a look in place of a call: after a refusal that is to be explained, or after a wait. */
  look: z.enum(['CONFLICT', 'INVALID', 'AFTER_WAIT']).optional(),
  /** A look has just seen the session wait for a client. */
  sessionWaits: z.boolean().optional(),
});
export type CreateConnectionInput = z.infer<typeof createConnectionInputSchema>;

/** What one attempt came to. */
export type CreateConnectionResult =
  | Exclude<ConnectionOutput, { result: 'CONNECTION_CREATED' }>
  | (Extract<ConnectionOutput, { result: 'CONNECTION_CREATED' }> & {
      /** For the window that is told. */
      readonly connectionCreatedAtMs: number;
      readonly connectionAttempts: number;
    })
  /** The service refused the call, and the read that says why has failed: it is to be repeated, and not the call. */
  | { readonly result: 'REFUSED'; readonly fault: 'CONFLICT' | 'INVALID' }
  /** Of a look: the session waits for a client, so the call can be made. */
  | { readonly result: 'CALL_NOW' }
  | { readonly result: 'DEADLINE_PASSED' };

const OPERATION = 'CreateStreamSessionConnection';

export interface CreateConnectionDependencies extends ServiceDependencies {
  readonly settings: QuotaSettings<'CreateStreamSessionConnection' | 'GetStreamSession'>;
}

/**
 * One attempt at CreateStreamSessionConnection, or a look at the session for the state machine. Nothing is read before
 * the first call; after a 409 or a 400, which the service does not explain, the session's status decides what it meant.
 *
 * @throws ThrottlingException, PermitNotAvailableException, ConflictException, SessionAnsweredException,
 *   InternalServerException: all retryable, with the same ClientToken.
 * @throws ServiceAccessDeniedException, UnexpectedError when the service refuses the call for good.
 */
export async function createConnection(
  input: CreateConnectionInput,
  dependencies: CreateConnectionDependencies,
): Promise<CreateConnectionResult> {
  const { clock, log, metrics } = dependencies;
  const { deadlineMs } = input;
  if (clock.nowMs() >= deadlineMs) return { result: 'DEADLINE_PASSED' };
  const offerId = offerIdOf(input.clientToken);
  const place = await readPlace(dependencies.table, input);
  if (place !== undefined && isSuperseded(place, offerId)) {
    log.info('ConnectionRefused', { result: 'SUPERSEDED' });
    return { result: 'SUPERSEDED' };
  }
  if (isEnding(place, clock.nowMs())) {
    log.info('ConnectionRefused', { result: 'SESSION_ENDING' });
    return { result: 'SESSION_ENDING' };
  }
  const request = { session: input, place, deadlineMs };
  const seen = await lookFirst(input, request, dependencies);
  if (seen !== undefined) {
    log.info('ConnectionRefused', { result: seen.result });
    return seen;
  }
  // It stood in line until the service has ended its session. Whoever asks again finds out, behind all others.
  const inVainAfterMs = place === undefined || place.isServed === true ? undefined : place.deadlineMs;
  if (inVainAfterMs !== undefined && clock.nowMs() > inVainAfterMs) return { result: 'DEADLINE_PASSED' };
  let leaving: Promise<void> = Promise.resolve();
  const connection = await callService(
    createStreamSessionConnection(input, input),
    {
      deadlineMs,
      ...(inVainAfterMs === undefined ? {} : { inVainAfterMs }),
      onBooked: () => {
        leaving = leaveLine(input, place, offerId, dependencies);
      },
    },
    dependencies,
  ).finally(() => leaving);
  if (!connection.ok) {
    const refusal =
      connection.fault === 'NOT_FOUND'
        ? ({ result: 'NOT_FOUND' } as const)
        : await explainOrRefuse(connection.fault, request, dependencies);
    if (refusal.result === 'NOT_FOUND') await keepNotFound(input, dependencies);
    log.info('ConnectionRefused', { result: refusal.result });
    return refusal;
  }
  const { SignalResponse: signalResponse } = connection.reply;
  // The API declares the answer optional. Without one the player has nothing; the retry is the same request.
  if (signalResponse === undefined || signalResponse === '') throw new InternalServerException();
  if (place?.firstAskedAtMs !== undefined) await forgetRefusals(input, offerId, dependencies);
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

/**
 * The looks of a request: the ones that the state machine asks for, and the one before the call of a session that
 * was refused shortly before or whose window is past its deadline, because a call costs more than a look.
 *
 * @returns undefined when the call can be made.
 */
async function lookFirst(
  { look, sessionWaits = false, retryCount }: CreateConnectionInput,
  request: LookRequest,
  dependencies: CreateConnectionDependencies,
): Promise<CreateConnectionResult | undefined> {
  switch (look) {
    case 'CONFLICT':
    case 'INVALID':
      return explainRefusal(look, request, dependencies);
    case 'AFTER_WAIT':
      return (await lookAgain(request, dependencies)) ?? { result: 'CALL_NOW' };
    case undefined:
      if (sessionWaits) return undefined;
      if (isRefusedBefore(request.place, dependencies.clock.nowMs())) return lookAgain(request, dependencies);
      return request.place?.windowEndedAtMs !== undefined && retryCount === 0
        ? lookPastDeadline(request, dependencies)
        : undefined;
  }
}

/** Failures of the read alone are kept from the retry, which would repeat the call. */
async function explainOrRefuse(
  fault: 'CONFLICT' | 'INVALID',
  request: LookRequest,
  dependencies: CreateConnectionDependencies,
): Promise<CreateConnectionResult> {
  try {
    return await explainRefusal(fault, request, dependencies);
  } catch (error) {
    if (!isFailureOfRead(error)) throw error;
    dependencies.log.error('RefusalNotExplained', error);
    return { result: 'REFUSED', fault };
  }
}

/** What fails here makes the next loss look older than it is, for a minute. */
async function forgetRefusals(
  session: SessionKey,
  offerId: string,
  { table, log }: CreateConnectionDependencies,
): Promise<void> {
  try {
    await forgetLossRefusal(table, session, offerId);
  } catch (error) {
    log.error('LossNotNoted', error);
  }
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

export const createConnectionTask = defineTask({
  settings: ['CONNECTIONS_PER_SECOND', 'READS_PER_SECOND'],
  clients: ['gameLiftStreams'],
  input: createConnectionInputSchema,
  decide: createConnection,
});
