import type { OperationName } from '../protocol/routes.ts';
import {
  accessDenied,
  conflict,
  internalServerError,
  invalidSignature,
  requestExpired,
  requestTimeout,
  resourceNotFound,
  type ServiceError,
  throttling,
  validation,
} from '../protocol/service-error.ts';
import type { Fault } from './fault.ts';

interface Planned {
  readonly fault: Fault;
  /** Undefined for a fault that ends at a time alone. */
  callsLeft: number | undefined;
}

/** The faults that meet one call. */
export interface FaultsOfCall {
  /** Waited before anything else happens. */
  readonly requestLatencyMs: number;
  /** Waited after the effect, before the reply. */
  readonly replyLatencyMs: number;
  readonly fault: Fault | undefined;
}

export const NO_FAULTS: FaultsOfCall = { requestLatencyMs: 0, replyLatencyMs: 0, fault: undefined };

/** Faults for the next calls. A call meets the oldest fault that fits it, and the oldest latency besides. */
export class PlannedFaults {
  #planned: Planned[] = [];

  plan(fault: Fault): void {
    const { calls, untilMs } = fault;
    this.#planned.push({ fault, callsLeft: calls ?? (untilMs === undefined ? 1 : undefined) });
  }

  clear(): void {
    this.#planned = [];
  }

  /** What is still to come, for `GET /_control/faults`. */
  list(nowMs: number): Fault[] {
    this.#forgetPast(nowMs);
    return this.#planned.map(({ fault, callsLeft }) =>
      callsLeft === undefined ? fault : { ...fault, calls: callsLeft },
    );
  }

  /** @param streamSessionId undefined for operations without a session */
  take(operation: OperationName, streamSessionId: string | undefined, nowMs: number): FaultsOfCall {
    this.#forgetPast(nowMs);
    const fits = ({ fault }: Planned) =>
      fault.operation === operation &&
      (fault.streamSessionId === undefined || fault.streamSessionId === streamSessionId);
    const latency = this.#use((planned) => planned.fault.kind === 'latency' && fits(planned));
    const fault = this.#use((planned) => planned.fault.kind !== 'latency' && fits(planned));
    const ms = latency?.kind === 'latency' ? latency.latencyMs : 0;
    const isReply = latency?.kind === 'latency' && latency.at === 'reply';
    return { requestLatencyMs: isReply ? 0 : ms, replyLatencyMs: isReply ? ms : 0, fault };
  }

  #use(fits: (planned: Planned) => boolean): Fault | undefined {
    const found = this.#planned.find(fits);
    if (found === undefined) return undefined;
    if (found.callsLeft === undefined) return found.fault;
    found.callsLeft--;
    if (found.callsLeft === 0) this.#planned = this.#planned.filter((planned) => planned !== found);
    return found.fault;
  }

  #forgetPast(nowMs: number): void {
    const isPast = ({ fault: { untilMs } }: Planned) => untilMs !== undefined && untilMs <= nowMs;
    if (this.#planned.some(isPast)) this.#planned = this.#planned.filter((planned) => !isPast(planned));
  }
}

/** The error that a fault puts in the place of the call; undefined when the call goes ahead. */
export function errorOf(fault: Fault | undefined): ServiceError | undefined {
  switch (fault?.kind) {
    case 'accessDenied':
      return accessDenied();
    case 'conflict':
      return conflict('The request conflicts with the current state of the resource.');
    case 'internalServer':
      return internalServerError();
    case 'invalidSignature':
      return invalidSignature();
    case 'requestExpired':
      return requestExpired();
    case 'requestTimeout':
      return requestTimeout();
    case 'resourceNotFound':
      return resourceNotFound('resource');
    case 'throttling':
      return throttling();
    case 'validation':
      return validation('The request is not valid in the current state of the resource.');
    default:
      return undefined;
  }
}

/** A body of CreateStreamSessionConnection that no client can use. */
export function spoilAnswer(answer: 'missing' | 'notJson' | 'withoutWebSdkProtocolUrl'): object {
  switch (answer) {
    case 'missing':
      return {};
    case 'notJson':
      return { SignalResponse: 'not JSON' };
    case 'withoutWebSdkProtocolUrl':
      return { SignalResponse: JSON.stringify({ type: 'answer', sdp: 'v=0\r\n' }) };
  }
}
