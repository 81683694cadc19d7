import { Metrics as EmfMetrics } from '@aws-lambda-powertools/metrics';
import type { DropCause } from '../contracts/fields.ts';
import type { QuotaOperation } from '../contracts/quotas.ts';
import type { Log } from './logging.ts';

/**
 * Every business metric: dashboards and alarms rely on the names. When each is counted: docs/metrics.md. All have
 * the dimension `service`; the ones of a quota have `operation` too, and the share saved has `application` or `dropCause`. A session's id is
 * never a dimension, because each combination of dimensions is a metric that is paid for by the month.
 *
 * Why: docs/decisions/monitoring.md#metrics-are-log-lines-by-powertools-behind-our-own-interface
 */
export const METRICS = {
  WindowsOpened: { unit: 'Count', byOperation: false },
  WindowsReconnected: { unit: 'Count', byOperation: false },
  WindowsTerminated: { unit: 'Count', byOperation: false },
  WindowsLeft: { unit: 'Count', byOperation: false },
  WindowsErrored: { unit: 'Count', byOperation: false },
  ShareSaved: { unit: 'Percent', byOperation: false, byApplication: true },
  ShareSavedByDropCause: { unit: 'Percent', byOperation: false, byDropCause: true },
  WindowsNotDisconnected: { unit: 'Count', byOperation: false },
  WindowsFailed: { unit: 'Count', byOperation: false },
  WindowsReplaced: { unit: 'Count', byOperation: false },
  WindowsWaitingForService: { unit: 'Count', byOperation: false },
  TimeToReconnect: { unit: 'Milliseconds', byOperation: false },
  ConnectionsCreated: { unit: 'Count', byOperation: false },
  LossesNotNoticed: { unit: 'Count', byOperation: false },
  RequestsPutOff: { unit: 'Count', byOperation: false },
  RequestsNotInTime: { unit: 'Count', byOperation: false },
  SessionsEndedEarly: { unit: 'Count', byOperation: false },
  AbandonedSessionsEnded: { unit: 'Count', byOperation: false },
  PermitWait: { unit: 'Milliseconds', byOperation: true },
  PermitsRefused: { unit: 'Count', byOperation: true },
  // With a total over all operations: an alarm is paid for by the metric, and these are alarms of one metric so.
  CallsThrottled: { unit: 'Count', byOperation: true, total: true },
  CallsDenied: { unit: 'Count', byOperation: true, total: true },
  WatcherLooks: { unit: 'Count', byOperation: false },
  WatcherLooksFailed: { unit: 'Count', byOperation: false },
  WatcherLag: { unit: 'Milliseconds', byOperation: false },
  StreamGroupsWatched: { unit: 'Count', byOperation: false },
  StreamGroupsLeftOut: { unit: 'Count', byOperation: false },
  StreamGroupsBeyondLimit: { unit: 'Count', byOperation: false },
  StreamGroupDaysLeft: { unit: 'Count', byOperation: false },
  DisconnectsNoticed: { unit: 'Count', byOperation: false },
  SwitchedOffFor: { unit: 'Milliseconds', byOperation: false },
  EventsRejected: { unit: 'Count', byOperation: false },
  EventsStale: { unit: 'Count', byOperation: false },
  EventsPutOff: { unit: 'Count', byOperation: false },
  AdminShellsGranted: { unit: 'Count', byOperation: false },
  AdminShellsRefused: { unit: 'Count', byOperation: false },
} as const satisfies Record<string, Metric>;

interface Metric {
  readonly unit: 'Count' | 'Milliseconds' | 'Percent';
  readonly byOperation: boolean;
  /** Whether it has the dimension `application`: `OTHER_APPLICATION` from the `MAX_APPLICATIONS`th on. */
  readonly byApplication?: true;
  /** Whether it has the dimension `dropCause`, which has five values. */
  readonly byDropCause?: true;
  /** Whether it is there without `operation` too. */
  readonly total?: true;
}

export type MetricName = keyof typeof METRICS;
/** What the value is of: the operation, for the metrics of a quota, the application's id, or the reported cause of the drop. */
export type DimensionOf<Name extends MetricName> = (typeof METRICS)[Name] extends {
  readonly byOperation: true;
}
  ? [operation: QuotaOperation]
  : (typeof METRICS)[Name] extends { readonly byApplication: true }
    ? [application: string]
    : (typeof METRICS)[Name] extends { readonly byDropCause: true }
      ? [dropCause: DropCause]
      : [];

/**
 * Each value of a dimension is a metric that is paid for by the month. The ids come from the service, which lets a stream
 * group have 100 applications; this is how many of them one function instance tells apart.
 */
export const MAX_APPLICATIONS = 50;
export const OTHER_APPLICATION = 'other';
const knownApplications = new Set<string>();

function applicationOf(id: string): string {
  if (knownApplications.size < MAX_APPLICATIONS) knownApplications.add(id);
  return knownApplications.has(id) ? id : OTHER_APPLICATION;
}

/** What a decision may measure: a name of the list and a number. Emitted in one go when the invocation ends. */
export interface Metrics {
  /** Adds one value, in the metric's unit. Whatever goes wrong, the decision does not notice. */
  add<Name extends MetricName>(name: Name, value: number, ...dimension: DimensionOf<Name>): void;
}

/** The metrics of one invocation, kept until they are emitted. */
export interface EmittedMetrics extends Metrics {
  /** Writes what was added. A function that is killed emits nothing, so counts may be too low, never too high. */
  emit(): void;
}

/** @param logOf the invocation's log, for what cannot be emitted. */
export function createMetrics(logOf: () => Log): EmittedMetrics {
  const buffers = new Map<string, EmfMetrics>();
  const orLog = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      logOf().error('MetricsNotEmitted', error);
    }
  };
  return {
    add: (name, value, ...[dimension]) =>
      orLog(() => {
        // JSON has no NaN, and CloudWatch drops the whole document.
        if (!Number.isFinite(value)) throw new RangeError('A metric is a finite number.');
        const { unit, total }: Metric = METRICS[name];
        bufferOf(buffers, dimensionsOf(METRICS[name], dimension)).addMetric(name, unit, value);
        if (total) bufferOf(buffers, {}).addMetric(name, unit, value);
      }),
    emit: () => {
      for (const buffer of buffers.values()) orLog(() => publish(buffer));
    },
  };
}

function dimensionsOf(
  { byApplication, byDropCause }: Metric,
  value: string | undefined,
): Record<string, string> {
  if (value === undefined) return {};
  if (byApplication) return { application: applicationOf(value) };
  return byDropCause ? { dropCause: value } : { operation: value };
}

/** Namespace and service come from the environment: POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_SERVICE_NAME. */
function bufferOf(buffers: Map<string, EmfMetrics>, defaultDimensions: Record<string, string>): EmfMetrics {
  const key = JSON.stringify(defaultDimensions);
  const known = buffers.get(key);
  if (known !== undefined) return known;
  // By default, because one that is only added is gone when a full buffer is emitted early.
  const buffer = new EmfMetrics({ defaultDimensions });
  buffers.set(key, buffer);
  return buffer;
}

/** A buffer that a hundredth value has just emptied would write a warning. */
function publish(buffer: EmfMetrics): void {
  if (buffer.hasStoredMetrics()) buffer.publishStoredMetrics();
}
