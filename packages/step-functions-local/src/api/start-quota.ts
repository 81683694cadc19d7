import { type Rate, TokenBucket } from 'local-server-kit';
import { ServiceError } from './service-error.ts';

/** The quotas of StartExecution, of one account and Region. StartSyncExecution has none that is documented as a number. */
export interface StartQuotas {
  readonly standard: Rate;
  readonly express: Rate;
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
