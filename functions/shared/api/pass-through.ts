import { type GameLiftStreamsClient, GameLiftStreamsServiceException } from '@aws-sdk/client-gameliftstreams';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ErrorType } from '../contracts/index.ts';
import type { QuotaOperation } from '../contracts/quotas.ts';
import { type Clock, withTimeout } from '../runtime/clock.ts';
import { type Log, nameToTell } from '../runtime/logging.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { serviceFault } from '../runtime/service-fault.ts';
import type { ServiceCall } from '../service/operations.ts';
import { errorReply, passedThroughReply, serviceDeniedReply } from './replies.ts';

export interface PassThroughDependencies {
  readonly gameLiftStreams: GameLiftStreamsClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export type PassedThrough<Reply> =
  | { readonly ok: true; readonly reply: Reply }
  /** The service's own error, or a 500 where there was none; `error` is its name, for the log. */
  | { readonly ok: false; readonly error: string; readonly reply: APIGatewayProxyResult };

/** API Gateway gives up after 29 s. */
const CALL_TIMEOUT_MS = 20_000;

const REFUSED = 'Amazon GameLift Streams answered the call with this error; nothing was retried.';
const NO_ANSWER = 'Amazon GameLift Streams gave no answer. Ask again with the same request.';

/** Errors that a caller of the service could have had as they are. */
const HANDED_ON: ReadonlySet<string> = new Set<ErrorType>([
  'ValidationException',
  'ResourceNotFoundException',
  'ConflictException',
  'StreamSessionAccessNotReadyException',
  'ThrottlingException',
]);

/**
 * One call to Amazon GameLift Streams with nothing of this service before or after it: no permit, no line, no
 * retry. The service's refusals go to the caller by their names; its messages may quote the call, or name our role.
 */
export async function passThrough<Reply>(
  { operation, send }: ServiceCall<QuotaOperation, Reply>,
  dependencies: PassThroughDependencies,
): Promise<PassedThrough<Reply>> {
  const { gameLiftStreams, clock } = dependencies;
  try {
    const reply = await withTimeout(clock, CALL_TIMEOUT_MS, (abortSignal) =>
      send(gameLiftStreams, abortSignal),
    );
    return { ok: true, reply };
  } catch (error) {
    return { ok: false, ...refusalOf(error, operation, dependencies) };
  }
}

function refusalOf(
  error: unknown,
  operation: QuotaOperation,
  { log, metrics }: PassThroughDependencies,
): { error: string; reply: APIGatewayProxyResult } {
  const name = error instanceof Error ? nameToTell(error) : typeof error;
  if (error instanceof GameLiftStreamsServiceException && isHandedOn(name)) {
    return { error: name, reply: passedThroughReply(name, REFUSED, retryAfterOf(error)) };
  }
  const fault = serviceFault(error);
  if (fault === 'DENIED') {
    log.error('CallDenied', error, { operation });
    metrics.add('CallsDenied', 1, operation);
    return { error: 'ServiceAccessDeniedException', reply: serviceDeniedReply() };
  }
  // Of what is left, only what no repeat can change needs an operator: a bug.
  if (fault === 'OTHER') log.error('RequestFailed', error);
  return { error: name, reply: errorReply('REQUEST_FAILED', NO_ANSWER, { retryAfterSeconds: 1 }) };
}

function isHandedOn(name: string): name is ErrorType {
  return HANDED_ON.has(name);
}

/** Only if the service said when. */
function retryAfterOf({ $response }: GameLiftStreamsServiceException): { retryAfterSeconds?: number } {
  const header = $response?.headers['retry-after'];
  return header !== undefined && /^\d{1,4}$/.test(header) ? { retryAfterSeconds: Number(header) } : {};
}
