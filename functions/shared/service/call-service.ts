import type { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { type QuotaOperation, type QuotaSettings, quotaOf } from '../contracts/quotas.ts';
import { LONGEST_WAIT_MS, type PermitRequest, slowDown, takePermit } from '../quota/permits.ts';
import { type Clock, withTimeout } from '../runtime/clock.ts';
import {
  InternalServerException,
  PermitNotAvailableException,
  ServiceAccessDeniedException,
  StreamSessionAccessNotReadyException,
  ThrottlingException,
  UnexpectedError,
} from '../runtime/errors.ts';
import type { Log } from '../runtime/logging.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { serviceFault } from '../runtime/service-fault.ts';
import type { Table } from '../runtime/table.ts';
import type { ServiceCall } from './operations.ts';

export interface ServiceDependencies {
  readonly gameLiftStreams: GameLiftStreamsClient;
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** When a call is worth making. */
export interface CallTerms {
  /** Epoch ms by which the reply must be here; without it, permit and call have their full time. */
  readonly deadlineMs?: number;
  /** Epoch ms by which a permit must be free. The table may be slow, so the call may go out a little later. */
  readonly permitByMs?: number;
  /** Epoch ms after which a call would be in vain: no permit is taken for later, and no call goes out later. */
  readonly inVainAfterMs?: number;
  /** LOW for a read that nobody waits for. */
  readonly priority?: PermitRequest['priority'];
  /** The call is worth making only while half a second's worth of permits lies idle, as it does on a quiet day. */
  readonly onlyIfSpare?: boolean;
  /** Called when there is a permit for a call that is not in vain, before the call. */
  readonly onBooked?: () => void;
}

/** What the caller has to decide about; every other fault is thrown. */
export type ServiceReply<Reply> =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly fault: 'NOT_FOUND' | 'INVALID' | 'CONFLICT' };

/** Returns whether a failure of `callService` says that the service has not carried the call out. After others it may have. */
export function isNotCarriedOut(error: unknown): boolean {
  return (
    error instanceof PermitNotAvailableException ||
    error instanceof ThrottlingException ||
    error instanceof ServiceAccessDeniedException
  );
}

/** For how long the permits that `onlyIfSpare` asks for must have been idle: half of the burst. */
const SPARE_MS = 500;
const CALL_TIMEOUT_MS = 5000;
/**
 * A stream server makes the answer to an offer, in "a few seconds at most" (AWS's sample), and it was seen to take 9 s.
 * A call that is cut off costs a second permit, and may lose the answer. Most of a caller's 20 s, so that a repeat after
 * a reply that never comes still fits.
 */
const CONNECTION_TIMEOUT_MS = 12_000;

/**
 * One call to Amazon GameLift Streams under the account's quota: a permit first, then one attempt.
 *
 * @throws PermitNotAvailableException, ThrottlingException, StreamSessionAccessNotReadyException (of an admin
 *   shell only), InternalServerException: all retryable.
 * @throws ServiceAccessDeniedException when our role may not make the call, UnexpectedError when the service refuses it
 *   for good in any other way.
 */
export async function callService<Operation extends QuotaOperation, Reply>(
  { operation, send }: ServiceCall<Operation, Reply>,
  terms: CallTerms,
  dependencies: ServiceDependencies & { readonly settings: QuotaSettings<Operation> },
): Promise<ServiceReply<Reply>> {
  const { deadlineMs = Number.POSITIVE_INFINITY, priority, onBooked } = terms;
  const { gameLiftStreams, clock, log, metrics, settings } = dependencies;
  const quota = { operation, perSecond: quotaOf(operation, settings) };
  const nowMs = clock.nowMs();
  const { permitByMs = Number.POSITIVE_INFINITY, inVainAfterMs = Number.POSITIVE_INFINITY } = terms;
  const { onlyIfSpare = false } = terms;
  const latestMs = onlyIfSpare
    ? nowMs - SPARE_MS
    : Math.min(nowMs + LONGEST_WAIT_MS, deadlineMs, permitByMs, inVainAfterMs);
  // In a storm the table throttles the permits' item, and a booking may take more than a second.
  const isInVain = () => clock.nowMs() > inVainAfterMs;
  const onPermit = () => {
    if (!isInVain()) onBooked?.();
  };
  const isPermitted = await takePermit({ ...quota, latestMs, priority, onBooked: onPermit }, dependencies);
  // A clock that is set back meanwhile must not make a negative metric.
  const waitedMs = Math.max(0, clock.nowMs() - nowMs);
  const longestMs = operation === 'CreateStreamSessionConnection' ? CONNECTION_TIMEOUT_MS : CALL_TIMEOUT_MS;
  const timeoutMs = Math.min(longestMs, deadlineMs - clock.nowMs());
  // A permit that came too late: nobody waits for the reply, and the service may accept the call all the same.
  if (!isPermitted || timeoutMs <= 0 || isInVain()) {
    // A call that nobody needs is no sign of a quota that is too small.
    if (!onlyIfSpare) metrics.add('PermitsRefused', 1, operation);
    throw new PermitNotAvailableException();
  }
  // Lists are made all day. A month without disconnects would pay for a metric of each that says 0.
  if (waitedMs > 0 || !operation.startsWith('List')) metrics.add('PermitWait', waitedMs, operation);
  try {
    const reply = await withTimeout(clock, timeoutMs, (abortSignal) => send(gameLiftStreams, abortSignal));
    return { ok: true, reply };
  } catch (error) {
    const fault = serviceFault(error);
    switch (fault) {
      case 'NOT_FOUND':
      case 'INVALID':
      case 'CONFLICT':
        return { ok: false, fault };
      case 'THROTTLED':
        log.warn('CallThrottled', { operation });
        metrics.add('CallsThrottled', 1, operation);
        await slowDown(quota, dependencies);
        throw new ThrottlingException({ cause: error });
      case 'ACCESS_NOT_READY':
        throw new StreamSessionAccessNotReadyException({ cause: error });
      case 'DENIED':
        // Which stream group, the log's own fields say.
        log.error('CallDenied', error, { operation });
        metrics.add('CallsDenied', 1, operation);
        throw new ServiceAccessDeniedException({ cause: error });
      case 'UNAVAILABLE':
        throw new InternalServerException({ cause: error });
      default:
        throw new UnexpectedError({ cause: error });
    }
  }
}
