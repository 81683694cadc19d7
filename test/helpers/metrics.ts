import type { QuotaOperation } from '../../functions/shared/contracts/quotas.ts';
import type { MetricName, Metrics } from '../../functions/shared/runtime/metrics.ts';

export interface AddedValue {
  readonly name: MetricName;
  readonly value: number;
  readonly operation?: QuotaOperation;
}

/** Metrics that keep what was added. */
export function memoryMetrics(): Metrics & { readonly values: AddedValue[] } {
  const values: AddedValue[] = [];
  return {
    values,
    add: (name, value, ...[operation]) => {
      values.push({ name, value, ...(operation === undefined ? {} : { operation }) });
    },
  };
}
