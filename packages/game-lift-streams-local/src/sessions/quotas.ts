import { OPERATION_NAMES, type OperationName } from '../protocol/routes.ts';

/** Requests a second, per account and Region (developer guide, "API rate limits"). */
export const DEFAULT_QUOTAS: Quotas = {
  StartStreamSession: 20,
  GetStreamSession: 20,
  ListStreamSessions: 20,
  ListStreamSessionsByAccount: 20,
  TerminateStreamSession: 20,
  CreateStreamSessionConnection: 20,
  CreateStreamSessionAdminShell: 1,
  CreateStreamGroup: 1,
  DeleteStreamGroup: 5,
  GetStreamGroup: 10,
  ListStreamGroups: 10,
  ListTagsForResource: 10,
  TagResource: 10,
  UntagResource: 10,
};

/** Requests a second for each operation; `Infinity` turns the quota off. */
export type Quotas = Readonly<Record<OperationName, number>>;

/**
 * How many seconds' worth of requests an idle quota saves up. The service's burst is not documented; one
 * second's worth is the least that lets "20 a second" come at once at the beginning of each second, and
 * anything more would let a client that ignores the quota pass.
 */
const BURST_SECONDS = 1;

interface Bucket {
  readonly perSecond: number;
  readonly capacity: number;
  tokens: number;
  filledAtMs: number;
}

/** One token bucket for each operation, filled continuously. */
export class QuotaBuckets {
  readonly #buckets: ReadonlyMap<OperationName, Bucket>;

  constructor(quotas: Quotas, nowMs: number) {
    this.#buckets = new Map(
      OPERATION_NAMES.map((operation) => {
        const perSecond = quotas[operation];
        // Less than one token would never let a call pass, however slow the quota.
        const capacity = perSecond === 0 ? 0 : Math.max(1, perSecond * BURST_SECONDS);
        return [operation, { perSecond, capacity, tokens: capacity, filledAtMs: nowMs }];
      }),
    );
  }

  /** Takes a token; false when there is none, and the call is to be throttled. */
  take(operation: OperationName, nowMs: number): boolean {
    const bucket = this.#buckets.get(operation);
    if (bucket === undefined || bucket.perSecond === Number.POSITIVE_INFINITY) return true;
    // A clock set back must neither fill nor drain the bucket.
    const elapsedSeconds = Math.max(0, nowMs - bucket.filledAtMs) / 1000;
    bucket.tokens = Math.min(bucket.capacity, bucket.tokens + elapsedSeconds * bucket.perSecond);
    bucket.filledAtMs = nowMs;
    // Twenty times 0.05 is not quite 1 in floating point, and 50 ms at 20/s must be worth a token.
    if (bucket.tokens < 1 - 1e-9) return false;
    bucket.tokens -= 1;
    return true;
  }
}
