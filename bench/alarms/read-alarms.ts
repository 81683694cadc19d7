import { z } from 'zod';
import { printService } from '../../scripts/serverless/run-serverless.ts';

/** One metric, by its namespace, name and dimensions in one text, such as `AWS/Lambda Errors FunctionName=Table`. */
export type MetricKey = string;

export interface Query {
  readonly id: string;
  readonly metric?: { readonly key: MetricKey; readonly stat: string };
  readonly expression?: string;
}

interface Common {
  /** Without service and stage. */
  readonly name: string;
  /** Undefined for a part of a composite alarm, which tells nobody. */
  readonly severity: 'page' | 'ticket' | undefined;
  readonly onlyWithWatcher: boolean;
}

export interface MetricAlarm extends Common {
  readonly kind: 'metric';
  readonly periodMinutes: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold';
  readonly missing: 'breaching' | 'notBreaching';
  /** The last one is what the threshold is compared with. */
  readonly queries: readonly Query[];
}

export interface CompositeAlarm extends Common {
  readonly kind: 'composite';
  /** The alarms that must all be in ALARM. */
  readonly all: readonly string[];
}

export type Alarm = MetricAlarm | CompositeAlarm;

const dimensionsSchema = z.array(z.object({ Name: z.string(), Value: z.unknown() }));
const commonSchema = {
  AlarmName: z.string(),
  AlarmDescription: z.string(),
};
const metricAlarmSchema = z.object({
  ...commonSchema,
  Period: z.int().optional(),
  EvaluationPeriods: z.int(),
  DatapointsToAlarm: z.int().optional(),
  Threshold: z.coerce.number(),
  ComparisonOperator: z.enum(['GreaterThanOrEqualToThreshold', 'LessThanThreshold']),
  TreatMissingData: z.enum(['breaching', 'notBreaching']),
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions: dimensionsSchema.default([]),
  Statistic: z.string().optional(),
  Metrics: z
    .array(
      z.object({
        Id: z.string(),
        Expression: z.string().optional(),
        MetricStat: z
          .object({
            Stat: z.string(),
            Period: z.int(),
            Metric: z.object({ Namespace: z.string(), MetricName: z.string(), Dimensions: dimensionsSchema }),
          })
          .optional(),
      }),
    )
    .default([]),
});
const compositeAlarmSchema = z.object({ ...commonSchema, AlarmRule: z.object({ 'Fn::Sub': z.string() }) });

const resourcesSchema = z.record(
  z.string(),
  z.looseObject({ Type: z.string(), Condition: z.string().optional(), Properties: z.unknown().optional() }),
);
export type Resources = z.infer<typeof resourcesSchema>;
const printedSchema = z.looseObject({ resources: z.looseObject({ Resources: resourcesSchema }) });

/** Reads the alarms as a deployment with a watcher has them. */
export async function readAlarms(): Promise<readonly Alarm[]> {
  const printed = await printService({ stage: 'dev', params: { watchedStreamGroups: 'sg-local0001' } });
  return alarmsOf(printedSchema.parse(printed).resources.Resources);
}

/** Returns the alarms of a template's resources. Throws where one has what is not understood here. */
export function alarmsOf(resources: Resources): readonly Alarm[] {
  return Object.values(resources).flatMap(({ Type, Condition, Properties }): Alarm[] => {
    const onlyWithWatcher = Condition === 'WatcherIsOn';
    if (Type === 'AWS::CloudWatch::CompositeAlarm') {
      const { AlarmRule, ...common } = compositeAlarmSchema.parse(Properties);
      const rule = AlarmRule['Fn::Sub'];
      const ids = [...rule.matchAll(/ALARM\("\$\{(\w+)\}"\)/g)].map(([, id = '']) => id);
      if (ids.map((id) => `ALARM("\${${id}}")`).join(' AND ') !== rule) throw new Error(rule);
      const all = ids.map((id) => nameOf(metricAlarmSchema.parse(resources[id]?.Properties)));
      return [{ kind: 'composite', ...commonOf(common, onlyWithWatcher), all }];
    }
    return Type === 'AWS::CloudWatch::Alarm'
      ? [metricAlarmOf(metricAlarmSchema.parse(Properties), onlyWithWatcher)]
      : [];
  });
}

function metricAlarmOf(alarm: z.infer<typeof metricAlarmSchema>, onlyWithWatcher: boolean): MetricAlarm {
  const { Namespace, MetricName, Dimensions, Statistic, Metrics } = alarm;
  const own: Query[] =
    Namespace === undefined || MetricName === undefined || Statistic === undefined
      ? []
      : [{ id: 'value', metric: { key: keyOf(Namespace, MetricName, Dimensions), stat: Statistic } }];
  const queried = Metrics.map(
    ({ Id: id, Expression: expression, MetricStat }): Query => ({
      id,
      ...(expression === undefined ? {} : { expression }),
      ...(MetricStat === undefined
        ? {}
        : {
            metric: {
              key: keyOf(
                MetricStat.Metric.Namespace,
                MetricStat.Metric.MetricName,
                MetricStat.Metric.Dimensions,
              ),
              stat: MetricStat.Stat,
            },
          }),
    }),
  );
  const period = alarm.Period ?? Metrics.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 0;
  return {
    kind: 'metric',
    ...commonOf(alarm, onlyWithWatcher),
    periodMinutes: period / 60,
    evaluationPeriods: alarm.EvaluationPeriods,
    datapointsToAlarm: alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods,
    threshold: alarm.Threshold,
    comparison: alarm.ComparisonOperator,
    missing: alarm.TreatMissingData,
    queries: [...own, ...queried],
  };
}

function commonOf(
  alarm: { readonly AlarmName: string; readonly AlarmDescription: string },
  onlyWithWatcher: boolean,
): Common {
  const word = /^(Page|Ticket)\. /.exec(alarm.AlarmDescription)?.[1];
  const severity = word === 'Page' ? 'page' : word === 'Ticket' ? 'ticket' : undefined;
  return { name: nameOf(alarm), severity, onlyWithWatcher };
}

const nameOf = ({ AlarmName }: { readonly AlarmName: string }) =>
  AlarmName.replace(/^stream-session-reconnection-\w+-/, '');

function keyOf(namespace: string, name: string, dimensions: z.infer<typeof dimensionsSchema>): MetricKey {
  const values = dimensions.map(({ Name, Value }) => `${Name}=${referenceOf(Value)}`);
  const known = namespace.startsWith('AWS/') ? namespace : 'own';
  return [known, name, ...values.filter((value) => !value.startsWith('service='))].join(' ');
}

/** A reference as the logical id of what it refers to. */
function referenceOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return /"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/.exec(JSON.stringify(value))?.[1] ?? JSON.stringify(value);
}
