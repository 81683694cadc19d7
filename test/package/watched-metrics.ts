/** The metrics that a packaged template's alarms and dashboard name, in one form. */
import { z } from 'zod';
import type { QuotaOperation } from '../../functions/shared/contracts/quotas.ts';
import { METRICS, type MetricName } from '../../functions/shared/runtime/metrics.ts';
import { resourcesOfType, type Template } from '../helpers/packaged-service.ts';

export interface WatchedMetric {
  readonly namespace: string;
  readonly name: string;
  /** Values as in `Fn::Sub`: `${Table}`, `${Queue.QueueName}`, or literal. */
  readonly dimensions: Readonly<Record<string, string>>;
}

const valueSchema = z.union([
  z.string(),
  z.strictObject({ Ref: z.string() }).transform(({ Ref }) => `\${${Ref}}`),
  z
    .strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })
    .transform(({ 'Fn::GetAtt': [resource, attribute] }) => `\${${resource}.${attribute}}`),
  // Bus and name of a rule: the parts of its ARN.
  z
    .strictObject({
      'Fn::Select': z.tuple([
        z.union([z.literal(1), z.literal(2)]),
        z.strictObject({
          'Fn::Split': z.tuple([
            z.literal('/'),
            z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
          ]),
        }),
      ]),
    })
    .transform(({ 'Fn::Select': [index, { 'Fn::Split': split }] }) => {
      const [resource] = split[1]['Fn::GetAtt'];
      return `\${${resource}.${index === 1 ? 'BusName' : 'RuleName'}}`;
    }),
]);
const dimensionsSchema = z
  .array(z.strictObject({ Name: z.string(), Value: valueSchema }))
  .transform((dimensions) => Object.fromEntries(dimensions.map(({ Name, Value }) => [Name, Value])));
const queryMetricSchema = z.strictObject({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: dimensionsSchema,
});

export const alarmSchema = z.looseObject({
  AlarmName: z.string(),
  AlarmDescription: z.string().max(1024),
  AlarmActions: z.array(z.string()).default([]),
  OKActions: z.array(z.string()).default([]),
  TreatMissingData: z.string(),
  ComparisonOperator: z.string(),
  Threshold: z.coerce.number(),
  EvaluationPeriods: z.int(),
  DatapointsToAlarm: z.int().optional(),
  Period: z.int().optional(),
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions: dimensionsSchema.optional(),
  Metrics: z
    .array(
      z.strictObject({
        Id: z.string().regex(/^[a-z]\w*$/, 'CloudWatch wants a small letter first'),
        Label: z.string().optional(),
        ReturnData: z.boolean().optional(),
        Expression: z.string().optional(),
        MetricStat: z
          .strictObject({ Stat: z.string(), Period: z.int(), Metric: queryMetricSchema })
          .optional(),
      }),
    )
    .max(20)
    .optional(),
});
export type Alarm = z.infer<typeof alarmSchema>;

export const compositeAlarmSchema = z.strictObject({
  Tags: z.unknown(),
  AlarmName: z.string(),
  AlarmDescription: z.string().max(1024),
  AlarmActions: z.array(z.string()),
  OKActions: z.array(z.string()),
  AlarmRule: z.strictObject({ 'Fn::Sub': z.string() }),
});

export function metricsOfAlarm({
  Namespace,
  MetricName,
  Dimensions = {},
  Metrics = [],
}: Alarm): WatchedMetric[] {
  const own =
    Namespace === undefined || MetricName === undefined
      ? []
      : [{ namespace: Namespace, name: MetricName, dimensions: Dimensions }];
  const queried = Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []).map((metric) => ({
    namespace: metric.Namespace,
    name: metric.MetricName,
    dimensions: metric.Dimensions,
  }));
  return [...own, ...queried];
}

const metricLineSchema = z.array(z.union([z.string(), z.record(z.string(), z.unknown())])).min(1);
const place = { x: z.int().min(0), y: z.int().min(0), width: z.int().min(1), height: z.int().min(1) };

/** CloudWatch User Guide, "Dashboard body structure and syntax". */
export const dashboardSchema = z.strictObject({
  start: z.string(),
  periodOverride: z.enum(['auto', 'inherit']),
  widgets: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('text'),
          ...place,
          properties: z.strictObject({ markdown: z.string() }),
        }),
        z.strictObject({
          type: z.literal('alarm'),
          ...place,
          properties: z.strictObject({
            title: z.string(),
            sortBy: z.enum(['default', 'stateUpdatedTimestamp', 'timestamp']),
            alarms: z.array(z.string()).min(1).max(100),
          }),
        }),
        z.strictObject({
          type: z.literal('log'),
          ...place,
          properties: z.strictObject({
            title: z.string(),
            region: z.string(),
            view: z.literal('table'),
            query: z.string().startsWith("SOURCE '/aws/lambda/"),
          }),
        }),
        z.strictObject({
          type: z.literal('metric'),
          ...place,
          properties: z.strictObject({
            title: z.string().min(1),
            region: z.literal(`\${AWS::Region}`),
            view: z.enum(['timeSeries', 'singleValue']),
            setPeriodToTimeRange: z.boolean().optional(),
            stat: z.string().optional(),
            period: z.int().multipleOf(60),
            yAxis: z.unknown().optional(),
            annotations: z.unknown().optional(),
            metrics: z.array(metricLineSchema).min(1),
          }),
        }),
      ]),
    )
    .max(500),
});
export type Dashboard = z.infer<typeof dashboardSchema>;
type MetricLine = z.infer<typeof metricLineSchema>;

/** A widget's metrics in full: "." repeats the value above it, "..." those before the ones that follow. */
export function metricsOfWidget(lines: readonly MetricLine[]): WatchedMetric[] {
  let above: string[] = [];
  return lines.flatMap((line) => {
    const given = line.filter((part) => typeof part === 'string');
    // An expression has no metric of its own.
    if (given.length === 0) return [];
    const full =
      given[0] === '...'
        ? [...above.slice(0, above.length - (given.length - 1)), ...given.slice(1)]
        : given.map((part, index) => (part === '.' ? (above[index] ?? '') : part));
    above = full;
    const [namespace = '', name = '', ...pairs] = full;
    const dimensions = Object.fromEntries(
      Array.from({ length: pairs.length / 2 }, (_, pair) => [pairs[2 * pair], pairs[2 * pair + 1]]),
    );
    return [{ namespace, name, dimensions }];
  });
}

const OPERATIONS = [
  'CreateStreamSessionAdminShell',
  'CreateStreamSessionConnection',
  'GetStreamSession',
  'ListStreamSessions',
  'TerminateStreamSession',
] as const satisfies QuotaOperation[];

/**
 * AWS's own metrics that may be watched: by namespace, with what identifies a value. Step Functions Developer Guide,
 * "Monitoring metrics using CloudWatch"; Lambda "Types of metrics"; SQS "Available CloudWatch metrics"; API Gateway
 * "REST API execution metrics"; DynamoDB "Metrics and dimensions"; EventBridge "Monitoring Amazon EventBridge".
 */
const AWS_METRICS: Readonly<
  Record<string, { names: readonly string[]; dimensions: readonly (readonly string[])[] }>
> = {
  'AWS/States': {
    names: [
      'ExecutionsStarted',
      'ExecutionsSucceeded',
      'ExecutionsFailed',
      'ExecutionsTimedOut',
      'ExecutionsAborted',
    ],
    dimensions: [['StateMachineArn']],
  },
  'AWS/Lambda': {
    names: ['Invocations', 'Errors', 'Throttles', 'AsyncEventsDropped', 'DestinationDeliveryFailures'],
    dimensions: [['FunctionName']],
  },
  'AWS/Events': {
    names: ['InvocationsFailedToBeSentToDlq'],
    // A rule of the default bus is known by its name alone.
    dimensions: [['RuleName'], ['EventBusName', 'RuleName']],
  },
  'AWS/SQS': {
    names: ['ApproximateAgeOfOldestMessage', 'ApproximateNumberOfMessagesVisible', 'NumberOfMessagesSent'],
    dimensions: [['QueueName']],
  },
  'AWS/ApiGateway': {
    names: ['Count', '4XXError', '5XXError', 'Latency'],
    dimensions: [['ApiName', 'Stage']],
  },
  'AWS/DynamoDB': {
    names: ['ReadThrottleEvents', 'WriteThrottleEvents'],
    dimensions: [['TableName'], ['TableName', 'GlobalSecondaryIndexName']],
  },
};

/** What a dimension's reference must lead to. */
const REFERENCED: Readonly<Record<string, { type: string; attribute: string }>> = {
  StateMachineArn: { type: 'AWS::StepFunctions::StateMachine', attribute: '' },
  FunctionName: { type: 'AWS::Lambda::Function', attribute: '' },
  QueueName: { type: 'AWS::SQS::Queue', attribute: '.QueueName' },
  TableName: { type: 'AWS::DynamoDB::Table', attribute: '' },
  EventBusName: { type: 'AWS::Events::Rule', attribute: '.BusName' },
};

/** The environment variables of every function. */
export function environmentsOf(template: Template): Record<string, unknown>[] {
  return resourcesOfType(template, 'AWS::Lambda::Function').map(([, { Properties }]) => {
    const environment = Properties['Environment'];
    const variables =
      typeof environment === 'object' && environment !== null && 'Variables' in environment
        ? environment.Variables
        : {};
    return { ...(typeof variables === 'object' ? variables : {}) };
  });
}

/** What is wrong with the metric, by what the code emits and what AWS has. */
export function problemOf(
  { namespace, name, dimensions }: WatchedMetric,
  template: Template,
): string | undefined {
  const aws = AWS_METRICS[namespace];
  if (aws !== undefined) {
    if (!aws.names.includes(name)) return `${namespace} is not known to have ${name}`;
    const given = Object.keys(dimensions).join();
    if (!aws.dimensions.some((known) => known.join() === given)) return `${name} has other dimensions`;
    return Object.entries(dimensions)
      .map((dimension) => problemOfReference(dimension, template))
      .find((problem) => problem !== undefined);
  }
  const [environment] = environmentsOf(template);
  if (namespace !== environment?.['POWERTOOLS_METRICS_NAMESPACE']) return `nobody writes to ${namespace}`;
  const isMetric = (text: string): text is MetricName => Object.hasOwn(METRICS, text);
  if (!isMetric(name)) return `nobody writes ${name}`;
  const { service, operation, ...others } = dimensions;
  if (Object.keys(others).length > 0) return `${name} has no ${Object.keys(others).join()}`;
  if (service !== environment['POWERTOOLS_SERVICE_NAME']) return `nobody writes ${name} as ${service}`;
  const isOfOperation = OPERATIONS.some((known) => known === operation);
  const known: { byOperation: boolean; total?: true } = METRICS[name];
  if (operation === undefined && known.total) return undefined;
  if (known.byOperation ? !isOfOperation : operation !== undefined) return `${name} of ${operation}`;
  return undefined;
}

function problemOfReference([dimension, value]: [string, string], template: Template): string | undefined {
  if (dimension === 'ApiName') {
    const [[, api] = []] = resourcesOfType(template, 'AWS::ApiGateway::RestApi');
    return value === api?.Properties['Name'] ? undefined : `the API is not called ${value}`;
  }
  if (dimension === 'Stage') {
    const [[, stage] = []] = resourcesOfType(template, 'AWS::ApiGateway::Stage');
    return value === stage?.Properties['StageName'] ? undefined : `the stage is not called ${value}`;
  }
  if (dimension === 'GlobalSecondaryIndexName')
    return value === 'OpenWindows' ? undefined : `no index ${value}`;
  // Of a rule of the default bus the reference is the name; of any other it is not.
  const ofDefaultBus = dimension === 'RuleName' && !value.endsWith('.RuleName}');
  if (
    ofDefaultBus &&
    template.Resources[/\w+/.exec(value)?.[0] ?? '']?.Properties['EventBusName'] !== undefined
  ) {
    return `${value} is no rule of the default bus`;
  }
  const referenced =
    dimension === 'RuleName'
      ? { type: 'AWS::Events::Rule', attribute: ofDefaultBus ? '' : '.RuleName' }
      : REFERENCED[dimension];
  const logicalId = /^\$\{(\w+)(\.\w+)?\}$/.exec(value);
  const [, id = '', attribute = ''] = logicalId ?? [];
  return referenced !== undefined &&
    template.Resources[id]?.Type === referenced.type &&
    attribute === referenced.attribute
    ? undefined
    : `${value} is no ${dimension}`;
}
