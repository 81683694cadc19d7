import { z } from 'zod';
import { METRICS } from '../../functions/shared/runtime/metrics.ts';
import { readService } from '../../local/service/read-service.ts';
import { printService } from '../../local/service/serverless-print.ts';
import type { Service } from '../../local/service/service.ts';
import { countDisconnect } from '../cost/counted-disconnect.ts';
import { measureWatcher } from '../cost/watcher.ts';
import type { Counts } from './bill.ts';

/** The quotas that the metrics "by operation" are of. */
const OPERATIONS = 5;
/** API Gateway's detailed metrics, paid like custom ones: each of seven for each route. */
const API_METRICS_PER_ROUTE = 7;

const printedSchema = z.looseObject({
  resources: z.looseObject({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) }),
});

/** Everything that the bill is made of and that can be counted here. */
export async function readCounts(service?: Service): Promise<Counts> {
  const read = service ?? (await readService());
  const printed = printedSchema.parse(await printService({ stage: 'dev' }));
  const ofType = (type: string) =>
    Object.values(printed.resources.Resources).filter(({ Type }) => Type === type).length;
  const ownMetrics = Object.values(METRICS).map(({ byOperation }) => (byOperation ? OPERATIONS : 1));
  return {
    expires: await countDisconnect(read, 'expires'),
    reconnects: await countDisconnect(read, 'reconnects'),
    idleWatcher: await measureWatcher(read, 0),
    memoryMegabytes: Object.fromEntries(
      read.functions.map(({ key, memoryMegabytes }) => [key, memoryMegabytes]),
    ),
    alarms: ofType('AWS::CloudWatch::Alarm'),
    dashboards: ofType('AWS::CloudWatch::Dashboard'),
    metrics:
      ownMetrics.reduce((total, number) => total + number, 0) + read.routes.length * API_METRICS_PER_ROUTE,
  };
}
