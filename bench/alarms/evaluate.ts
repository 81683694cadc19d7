import { type Expression, parseExpression } from './expression.ts';
import type { Alarm, MetricAlarm, MetricKey } from './read-alarms.ts';

/** What a metric has in each minute of a history; undefined where nobody wrote a value. */
export type Series = readonly (number | undefined)[];
export type History = ReadonlyMap<MetricKey, Series>;

/**
 * How many more data points than its evaluation periods an alarm looks at, so that a gap is not taken for news. The
 * User Guide's examples have five for three; it says that the exact number varies.
 */
const EXTRA_DATAPOINTS = 2;
const MINUTES_PER_DAY = 1440;

interface EvaluateOptions {
  /** The first minute to evaluate; before it no alarm is in ALARM. */
  readonly from?: number;
  /** Where the parts of a composite alarm are found. */
  readonly alarms?: readonly Alarm[];
}

/**
 * Returns whether the alarm is in ALARM at the end of each minute of a history, by CloudWatch's rules: every minute, or
 * every hour where the alarm looks at more than a day; periods that end with the minute; M out of N; missing data.
 * CloudWatch User Guide, "Alarm evaluation".
 */
export function evaluate(alarm: Alarm, history: History, options: EvaluateOptions = {}): readonly boolean[] {
  const { from = 0, alarms = [] } = options;
  if (alarm.kind === 'metric') return evaluateMetricAlarm(alarm, history, from);
  const parts = alarm.all.map((name) => {
    const part = alarms.find((other) => other.name === name);
    if (part === undefined) throw new Error(`There is no alarm ${name}.`);
    return evaluate(part, history, options);
  });
  return (parts[0] ?? []).map((_, minute) => parts.every((part) => part[minute]));
}

function evaluateMetricAlarm(alarm: MetricAlarm, history: History, from: number): readonly boolean[] {
  const { periodMinutes, evaluationPeriods, datapointsToAlarm } = alarm;
  const minutes = Math.max(...[...history.values()].map((series) => series.length), 0);
  const valueAt = periodValueOf(alarm, history);
  const every = periodMinutes * evaluationPeriods > MINUTES_PER_DAY ? 60 : 1;
  const states: boolean[] = [];
  for (let end = 1; end <= minutes; end++) {
    if (end <= from) {
      states.push(false);
      continue;
    }
    if (end % every !== 0 && end > from + 1) {
      states.push(states.at(-1) ?? false);
      continue;
    }
    const real: boolean[] = [];
    for (let back = 0; back < evaluationPeriods + EXTRA_DATAPOINTS; back++) {
      const value = valueAt(end - back * periodMinutes);
      if (value !== undefined) real.push(isBreaching(alarm, value));
      if (real.length === evaluationPeriods) break;
    }
    const filled = alarm.missing === 'breaching' ? evaluationPeriods - real.length : 0;
    states.push(real.filter(Boolean).length + filled >= datapointsToAlarm);
  }
  return states;
}

function isBreaching({ comparison, threshold }: MetricAlarm, value: number): boolean {
  return comparison === 'LessThanThreshold' ? value < threshold : value >= threshold;
}

/** The value of the period that ends with a minute. */
function periodValueOf({ queries, periodMinutes }: MetricAlarm, history: History) {
  const metrics = new Map<string, (end: number) => number | undefined>();
  const expressions = new Map<string, Expression>();
  for (const { id, metric, expression } of queries) {
    if (metric !== undefined) {
      metrics.set(id, statisticOf(history.get(metric.key) ?? [], metric.stat, periodMinutes));
    }
    if (expression !== undefined) expressions.set(id, parseExpression(expression));
  }
  const last = queries.at(-1)?.id ?? '';
  // Each is looked at again for as many minutes as the alarm has periods.
  const values = new Map<number, number | undefined>();
  return (end: number): number | undefined => {
    if (values.has(end)) return values.get(end);
    const known = (id: string): number | undefined => expressions.get(id)?.(known) ?? metrics.get(id)?.(end);
    const value = known(last);
    values.set(end, value);
    return value;
  };
}

function statisticOf(
  series: Series,
  stat: string,
  periodMinutes: number,
): (end: number) => number | undefined {
  if (stat === 'Maximum' || stat === 'Minimum') {
    const pick = stat === 'Maximum' ? Math.max : Math.min;
    return (end) => {
      let extreme: number | undefined;
      for (let minute = Math.max(0, end - periodMinutes); minute < end; minute++) {
        const value = series[minute];
        if (value !== undefined) extreme = pick(value, extreme ?? value);
      }
      return extreme;
    };
  }
  if (stat !== 'Sum') throw new Error(`The statistic ${stat} is not understood.`);
  // Running totals of the values and of how many there are, so that a period of six hours costs no more than a minute.
  const totals = [0];
  const numbers = [0];
  for (const value of series) {
    totals.push((totals.at(-1) ?? 0) + (value ?? 0));
    numbers.push((numbers.at(-1) ?? 0) + (value === undefined ? 0 : 1));
  }
  const between = (of: readonly number[], from: number, to: number) => (of[to] ?? 0) - (of[from] ?? 0);
  return (end) => {
    const to = Math.min(Math.max(0, end), series.length);
    const from = Math.min(Math.max(0, end - periodMinutes), series.length);
    return between(numbers, from, to) === 0 ? undefined : between(totals, from, to);
  };
}
