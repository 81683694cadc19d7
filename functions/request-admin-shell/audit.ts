import type { RequestOrigin } from '../shared/api/request.ts';
import {
  ADMIN_SHELL_AUDIT_DETAIL_TYPE,
  type AdminShellAuditDetail,
  type SessionKey,
} from '../shared/contracts/index.ts';
import { type Clock, withTimeout } from '../shared/runtime/clock.ts';
import type { Log, LogEvent } from '../shared/runtime/logging.ts';
import type { Metrics } from '../shared/runtime/metrics.ts';
import { type EventBus, publish } from '../shared/runtime/publish-events.ts';

export interface AuditDependencies extends EventBus {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The request that a record is about: who asks for which session, and why. */
export interface AuditedRequest {
  readonly origin: RequestOrigin;
  readonly requestedAtMs: number;
  /** Undefined when the path named none. */
  readonly session?: SessionKey;
  readonly executionName?: string;
  /** Undefined when it was refused. */
  readonly reason?: string;
}

export type AuditedResult =
  | { readonly result: 'REQUESTED' | 'GRANTED' }
  | { readonly result: 'REFUSED'; readonly refusal: string; readonly sessionStatus?: string };

const LOG_EVENTS = {
  REQUESTED: 'AdminShellRequested',
  GRANTED: 'AdminShellGranted',
  REFUSED: 'AdminShellRefused',
} as const satisfies Record<AuditedResult['result'], LogEvent>;

/** A bus that answers at all answers within milliseconds; a shell's 60 s run meanwhile. */
const PUBLISH_TIMEOUT_MS = 2000;

/**
 * Writes one record of the audit trail: the log line at once, then the event.
 *
 * @throws DependencyUnavailableException, UnexpectedError when the bus did not take the event; the line is written.
 */
export async function record(
  request: AuditedRequest,
  result: AuditedResult,
  { clock, log, metrics, ...bus }: AuditDependencies,
): Promise<void> {
  const detail = detailOf(request, result, clock.nowMs());
  const { version: _, ...fields } = detail;
  log.info(LOG_EVENTS[result.result], fields);
  if (result.result === 'GRANTED') metrics.add('AdminShellsGranted', 1);
  if (result.result === 'REFUSED') metrics.add('AdminShellsRefused', 1);
  await withTimeout(clock, PUBLISH_TIMEOUT_MS, (abortSignal) =>
    publish(bus, ADMIN_SHELL_AUDIT_DETAIL_TYPE, detail, abortSignal),
  );
}

/** As `record`, where a bus that fails must not change the reply any more. */
export async function recordAnyway(
  request: AuditedRequest,
  result: AuditedResult,
  dependencies: AuditDependencies,
): Promise<void> {
  try {
    await record(request, result, dependencies);
  } catch (error) {
    dependencies.log.error('AuditNotPublished', error, { result: result.result });
  }
}

function detailOf(
  { origin, requestedAtMs, session, executionName, reason }: AuditedRequest,
  result: AuditedResult,
  nowMs: number,
): AdminShellAuditDetail {
  const { refusal = null, sessionStatus = null } = result.result === 'REFUSED' ? result : {};
  return {
    version: '1',
    requestId: origin.requestId,
    result: result.result,
    streamGroupId: session?.streamGroupId ?? null,
    streamSessionId: session?.streamSessionId ?? null,
    caller: origin.caller.name,
    accessKeyId: origin.caller.accessKeyId,
    sourceIp: origin.caller.sourceIp,
    reason: reason ?? null,
    refusal,
    sessionStatus,
    requestedAt: new Date(requestedAtMs).toISOString(),
    recordedAt: new Date(nowMs).toISOString(),
    executionName: executionName ?? null,
  };
}
