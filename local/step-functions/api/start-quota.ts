import { ServiceError } from './service-error.ts';

/** A token bucket: it holds `bucket` requests and gains `perSecond` of them a second. */
export interface StartQuota {
  readonly bucket: number;
  readonly perSecond: number;
}

/** The quotas of StartExecution, of one account and Region. StartSyncExecution has none that is documented as a number. */
export interface StartQuotas {
  readonly standard: StartQuota;
  readonly express: StartQuota;
}

const LARGE_REGIONS: ReadonlySet<string> = new Set(['us-east-1', 'us-west-2', 'eu-west-1']);

/** Step Functions Developer Guide, "Quotas related to API action throttling": `StartExecution`, by Region. */
export function defaultStartQuotas(region: string): StartQuotas {
  return {
    standard: LARGE_REGIONS.has(region) ? { bucket: 1_300, perSecond: 300 } : { bucket: 800, perSecond: 150 },
    express: { bucket: 6_000, perSecond: 6_000 },
  };
}

/** The account's StartExecution requests. Each takes a token, whether it starts anything or repeats a start. */
export class StartThrottle {
  readonly #buckets: Readonly<Record<keyof StartQuotas, TokenBucket>>;

  constructor({ standard, express }: StartQuotas, nowMs: number) {
    this.#buckets = { standard: new TokenBucket(standard, nowMs), express: new TokenBucket(express, nowMs) };
  }

  /** @throws ServiceError ThrottlingException when the bucket is empty. */
  take(type: 'STANDARD' | 'EXPRESS', nowMs: number): void {
    if (this.#buckets[type === 'STANDARD' ? 'standard' : 'express'].take(nowMs)) return;
    throw new ServiceError('ThrottlingException', 'Rate exceeded');
  }
}

class TokenBucket {
  readonly #quota: StartQuota;
  #tokens: number;
  #filledAtMs: number;

  constructor(quota: StartQuota, nowMs: number) {
    this.#quota = quota;
    this.#tokens = quota.bucket;
    this.#filledAtMs = nowMs;
  }

  take(nowMs: number): boolean {
    const { bucket, perSecond } = this.#quota;
    // A clock that is set back must neither fill nor drain the bucket.
    const elapsedSeconds = Math.max(0, nowMs - this.#filledAtMs) / 1000;
    this.#tokens = Math.min(bucket, this.#tokens + elapsedSeconds * perSecond);
    this.#filledAtMs = nowMs;
    // 150 refills of 1/150 s are not quite 1 in floating point.
    if (this.#tokens < 1 - 1e-9) return false;
    this.#tokens -= 1;
    return true;
  }
}
