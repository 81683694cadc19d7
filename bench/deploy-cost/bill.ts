import type { DisconnectCounts } from '../cost/counted-disconnect.ts';
import type { WatcherCost } from '../cost/watcher.ts';
import { PRICES, type PriceName } from './prices.ts';

/** What cannot be counted on this machine. */
export const ASSUMPTIONS = {
  /** Of all disconnects; the others run into their deadline. */
  shareReconnected: 0.7,
  /** Of one invocation of a task, cold starts spread over all. */
  taskSeconds: 0.15,
  /** Of the function behind the API: it waits for the Express execution and a near turn. */
  requestSeconds: 0.8,
  /** Of an Express execution. */
  expressSeconds: 0.5,
  /** Of log for each invocation: Lambda's own three lines, ours and the metrics'. */
  logBytesPerInvocation: 2000,
  /** Of an answer that goes out. */
  answerBytes: 8000,
  /** Of an item that stays until its outcome expires. */
  itemBytes: 2000,
  /** Of log for an invocation of the watcher, which writes its metrics and Lambda's three lines. */
  logBytesPerLook: 900,
  /** A minute, of a queue that invokes a function: Lambda's five pollers, each of which waits for 20 s. */
  idlePolls: 15,
  /** Stream groups that the watcher watches. */
  watchedStreamGroups: 1,
} as const;

const DAYS_PER_MONTH = 30.4;
const SECONDS_PER_MONTH = DAYS_PER_MONTH * 86_400;
const MINUTES_PER_MONTH = DAYS_PER_MONTH * 1440;
/** X-Ray's default rule, which Lambda and API Gateway follow: the first request of each second, and 5 % of the others. */
const SAMPLED_SHARE = 0.05;

export interface Counts {
  readonly expires: DisconnectCounts;
  readonly reconnects: DisconnectCounts;
  /** Of one stream group without waiting sessions, found by its tag. */
  readonly idleWatcher: WatcherCost;
  /** The same where the stream group is named by id, so that the watcher does not list any. */
  readonly namedWatcher: WatcherCost;
  readonly memoryMegabytes: Readonly<Record<string, number>>;
  /** Metrics of all alarms together. */
  readonly alarmMetrics: number;
  readonly compositeAlarms: number;
  readonly dashboards: number;
  /** Queues whose messages invoke a function. */
  readonly polledQueues: number;
  /** All that the code can write. */
  readonly metrics: number;
  /** Those of them that are written when no player drops. */
  readonly idleMetrics: number;
}

/** How much of each priced thing a month takes. */
export type Quantities = Readonly<Record<PriceName, number>>;

/** The month of so many disconnects, spread evenly. */
export function quantitiesOf(counts: Counts, disconnects: number): Quantities {
  const { shareReconnected } = ASSUMPTIONS;
  const perMonth = (pick: (of: DisconnectCounts) => number) =>
    disconnects *
    (shareReconnected * pick(counts.reconnects) + (1 - shareReconnected) * pick(counts.expires));
  const watcher = watcherQuantities(counts.idleWatcher);
  const invocations = perMonth((of) => sum(Object.values(of.invocations)));
  const requests = perMonth((of) => of.apiRequests);
  const executions = perMonth((of) => of.expressExecutions);
  const allInvocations = invocations + watcher.invocations;
  return {
    stateTransition: perMonth((of) => of.stateTransitions),
    expressRequest: executions,
    expressGigabyteSecond: executions * ASSUMPTIONS.expressSeconds * (64 / 1024),
    lambdaRequest: allInvocations,
    lambdaGigabyteSecond: perMonth((of) => gigabyteSeconds(of, counts)) + watcher.gigabyteSeconds,
    writeUnit: perMonth((of) => of.writeUnits) + watcher.writes,
    readUnit: perMonth((of) => of.readUnits) + watcher.reads,
    storedGigabyte: (disconnects * ASSUMPTIONS.itemBytes) / 1e9,
    event: perMonth((of) => of.events),
    apiRequest: requests,
    dataOut: (requests * ASSUMPTIONS.answerBytes) / 1e9,
    logGigabyte:
      (invocations * ASSUMPTIONS.logBytesPerInvocation + watcher.invocations * ASSUMPTIONS.logBytesPerLook) /
      1e9,
    // The watcher is not traced.
    trace: sampled(disconnects) + sampled(requests),
    // A status change is sent by EventBridge, received and deleted; so is a look.
    queueRequest:
      counts.polledQueues * ASSUMPTIONS.idlePolls * MINUTES_PER_MONTH +
      3 * disconnects +
      watcher.queueRequests,
    // Paid by the hour in which a value comes: in an hour with a disconnect, any of them may have one.
    metric:
      counts.idleMetrics +
      (counts.metrics - counts.idleMetrics) * Math.min(1, disconnects / (DAYS_PER_MONTH * 24)),
    alarm: counts.alarmMetrics,
    compositeAlarm: counts.compositeAlarms,
    dashboard: counts.dashboards,
  };
}

/** US dollars a month for each priced thing. */
export function billOf(quantities: Quantities): Readonly<Record<PriceName, number>> {
  const cost = (name: PriceName) => (quantities[name] / PRICES[name].per) * PRICES[name].dollars;
  return mapPrices(cost);
}

/** US dollars a month that finding stream groups adds, where they are not named by id. */
export function costOfFinding({ idleWatcher, namedWatcher }: Counts): number {
  const cost = ({ writes, reads }: ReturnType<typeof watcherQuantities>) =>
    (writes / PRICES.writeUnit.per) * PRICES.writeUnit.dollars +
    (reads / PRICES.readUnit.per) * PRICES.readUnit.dollars;
  return cost(watcherQuantities(idleWatcher)) - cost(watcherQuantities(namedWatcher));
}

export function mapPrices<Value>(of: (name: PriceName) => Value): Record<PriceName, Value> {
  const values: Partial<Record<PriceName, Value>> = {};
  for (const name of priceNames) values[name] = of(name);
  const isWhole = (value: Partial<Record<PriceName, Value>>): value is Record<PriceName, Value> =>
    priceNames.every((name) => name in value);
  if (!isWhole(values)) throw new Error('A price was left out.');
  return values;
}

const isPriceName = (name: string): name is PriceName => Object.hasOwn(PRICES, name);
export const priceNames: readonly PriceName[] = Object.keys(PRICES).filter(isPriceName);

function watcherQuantities({
  callsPerDay,
  looksPerDay,
  invocationsPerDay,
  gigabyteSecondsPerDay,
}: WatcherCost) {
  const perMonth = (operation: string) =>
    (callsPerDay[operation] ?? 0) * DAYS_PER_MONTH * ASSUMPTIONS.watchedStreamGroups;
  return {
    invocations: invocationsPerDay * DAYS_PER_MONTH,
    queueRequests: ((callsPerDay['SendMessageBatch'] ?? 0) + 2 * looksPerDay) * DAYS_PER_MONTH,
    gigabyteSeconds: gigabyteSecondsPerDay * DAYS_PER_MONTH,
    writes: perMonth('UpdateItem') + perMonth('PutItem'),
    // The queries of the index are eventually consistent: half a unit each.
    reads: perMonth('Query') * 0.5 + perMonth('GetItem') + perMonth('BatchGetItem'),
  };
}

function gigabyteSeconds({ invocations }: DisconnectCounts, { memoryMegabytes }: Counts): number {
  const of = ([key, times]: readonly [string, number]) => {
    const seconds = key === 'requestConnection' ? ASSUMPTIONS.requestSeconds : ASSUMPTIONS.taskSeconds;
    return times * seconds * ((memoryMegabytes[key] ?? 0) / 1024);
  };
  return sum(Object.entries(invocations).map(of));
}

function sampled(requests: number): number {
  const first = Math.min(requests, SECONDS_PER_MONTH);
  return first + SAMPLED_SHARE * (requests - first);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
