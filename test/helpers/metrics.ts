import { METRICS, type MetricName, type Metrics } from '../../functions/shared/runtime/metrics.ts';

export interface AddedValue {
  readonly name: MetricName;
  readonly value: number;
  readonly operation?: string;
  readonly application?: string;
}

/** Metrics that keep what was added. */
export function memoryMetrics(): Metrics & { readonly values: AddedValue[] } {
  const values: AddedValue[] = [];
  return {
    values,
    add: (name, value, ...[dimension]) => {
      const member = 'byApplication' in METRICS[name] ? 'application' : 'operation';
      values.push({ name, value, ...(dimension === undefined ? {} : { [member]: dimension }) });
    },
  };
}
