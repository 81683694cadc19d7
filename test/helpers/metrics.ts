import { METRICS, type MetricName, type Metrics } from '../../functions/shared/runtime/metrics.ts';

export interface AddedValue {
  readonly name: MetricName;
  readonly value: number;
  readonly operation?: string;
  readonly application?: string;
  readonly dropCause?: string;
}

/** Metrics that keep what was added. */
export function memoryMetrics(): Metrics & { readonly values: AddedValue[] } {
  const values: AddedValue[] = [];
  return {
    values,
    add: (name, value, ...[dimension]) => {
      const metric = METRICS[name];
      const member =
        'byApplication' in metric ? 'application' : 'byDropCause' in metric ? 'dropCause' : 'operation';
      values.push({ name, value, ...(dimension === undefined ? {} : { [member]: dimension }) });
    },
  };
}
