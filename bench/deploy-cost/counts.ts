import { z } from 'zod';
import { QUOTAS } from '../../functions/shared/contracts/quotas.ts';
import { METRICS } from '../../functions/shared/runtime/metrics.ts';
import type { Service } from '../../local/service/service.ts';
import { printService } from '../../scripts/serverless/run-serverless.ts';
import { countDisconnect } from '../cost/counted-disconnect.ts';
import { measureWatcher } from '../cost/watcher.ts';
import type { Counts } from './bill.ts';

/** The quotas that the metrics "by operation" are of. */
const OPERATIONS = Object.keys(QUOTAS).length;
/** What is written whether or not anybody drops: the looks, and in one hour of six two numbers of the stream groups. */
const IDLE_METRICS = 1 + 2 / 6;

const printedSchema = z.looseObject({
  resources: z.looseObject({
    Resources: z.record(
      z.string(),
      z.looseObject({ Type: z.string(), Condition: z.string().optional(), Properties: z.unknown() }),
    ),
  }),
});

/** Everything that the bill is made of and that can be counted here. */
export async function readCounts(service: Service): Promise<Counts> {
  const printed = printedSchema.parse(await printService({ stage: 'dev' }));
  const resources = Object.values(printed.resources.Resources).filter(
    // Off by default. What it costs is CloudTrail's, by the number of invocations.
    ({ Condition }) => Condition !== 'InvocationsAreWatched',
  );
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);
  // Drop causes are not in the bill: a studio that reports them pays for up to five metrics more.
  const ownMetrics = Object.values(METRICS)
    .filter((metric) => !('byDropCause' in metric))
    .map((metric) => (metric.byOperation ? OPERATIONS : 1) + ('total' in metric ? 1 : 0));
  return {
    expires: await countDisconnect(service, 'expires'),
    reconnects: await countDisconnect(service, 'reconnects'),
    idleWatcher: await measureWatcher(service, 0, true),
    namedWatcher: await measureWatcher(service, 0),
    memoryMegabytes: Object.fromEntries(
      service.functions.map(({ key, memoryMegabytes }) => [key, memoryMegabytes]),
    ),
    alarmMetrics: ofType('AWS::CloudWatch::Alarm')
      .map(({ Properties }) => metricsOf(Properties))
      .reduce((total, number) => total + number, 0),
    compositeAlarms: ofType('AWS::CloudWatch::CompositeAlarm').length,
    dashboards: ofType('AWS::CloudWatch::Dashboard').length,
    polledQueues: service.eventSources.length,
    metrics: ownMetrics.reduce((total, number) => total + number, 0),
    idleMetrics: IDLE_METRICS,
  };
}

const alarmSchema = z.object({
  Metrics: z.array(z.object({ MetricStat: z.unknown().optional() })).optional(),
});

/** An alarm is paid for by the metrics that it looks at; an expression over them costs nothing. */
function metricsOf(properties: unknown): number {
  const { Metrics } = alarmSchema.parse(properties);
  return Metrics === undefined ? 1 : Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length;
}
