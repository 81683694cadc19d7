import { evaluate, type History, type Series } from './evaluate.ts';
import { arrived, FAILURES, type Failure, type Flow, type Flows, goodDay, trafficOf } from './failures.ts';
import type { Alarm, MetricKey } from './read-alarms.ts';

export const DISCONNECTS_PER_MONTH = [1000, 100_000, 10_000_000] as const;

/** A good day and an hour come first, so that every alarm but the one of a week has looked at good data alone. */
const MINUTES_BEFORE = 1500;
const MINUTES_AFTER = 2 * 1440;
/** How long a value is on its way to where alarms see it. Documented nowhere as a promise; a minute is usual. */
const DELIVERY_MINUTES = 1;

export interface Told {
  readonly alarm: string;
  readonly severity: 'page' | 'ticket';
  readonly afterMinutes: number;
}

/** What tells of a failure at each of `DISCONNECTS_PER_MONTH`, soonest first. */
export interface FailureTold {
  readonly failure: Failure;
  readonly told: readonly (readonly Told[])[];
}

/** Lets each failure happen at each traffic, and returns which alarms tell of it, and when. */
export function timesOf(alarms: readonly Alarm[]): readonly FailureTold[] {
  return FAILURES.map((failure) => ({
    failure,
    told: DISCONNECTS_PER_MONTH.map((disconnects) => toldBy(alarms, failure, disconnects)),
  }));
}

function toldBy(alarms: readonly Alarm[], failure: Failure, disconnectsPerMonth: number): readonly Told[] {
  const traffic = trafficOf(disconnectsPerMonth);
  const changes = failure.flows(traffic);
  const history = historyOf(goodDay(traffic), changes);
  return alarms
    .flatMap((alarm): Told[] => {
      const { name, severity } = alarm;
      // What looks at nothing that has changed says what it said on the good day.
      if (severity === undefined || !looksAt(alarm, changes, alarms)) return [];
      const minute = evaluate(alarm, history, { from: MINUTES_BEFORE, alarms }).indexOf(true);
      if (minute < 0) return [];
      return [{ alarm: name, severity, afterMinutes: minute - MINUTES_BEFORE + 1 + DELIVERY_MINUTES }];
    })
    .sort((one, other) => one.afterMinutes - other.afterMinutes || one.alarm.localeCompare(other.alarm));
}

function looksAt(alarm: Alarm, flows: Flows, alarms: readonly Alarm[]): boolean {
  return alarm.kind === 'metric'
    ? alarm.queries.some(({ metric }) => metric !== undefined && Object.hasOwn(flows, metric.key))
    : alarms.some((part) => alarm.all.includes(part.name) && looksAt(part, flows, alarms));
}

/** The minutes of a good day, and those of a failure that begins after it. */
export function historyOf(before: Flows, changes: Flows): History {
  const keys = new Set([...Object.keys(before), ...Object.keys(changes)]);
  return new Map<MetricKey, Series>(
    [...keys].map((key) => [
      key,
      [
        ...minutesOf(before[key] ?? 0, MINUTES_BEFORE),
        ...minutesOf(changes[key] ?? before[key] ?? 0, MINUTES_AFTER),
      ],
    ]),
  );
}

/** The minutes of a flow from its beginning. A metric that counts has no value in a minute in which nothing happens. */
export function minutesOf(flow: Flow, minutes: number): Series {
  return Array.from({ length: minutes }, (_, minute) =>
    typeof flow === 'function'
      ? flow(minute)
      : arrived(flow, minute) - arrived(flow, minute - 1) || undefined,
  );
}
