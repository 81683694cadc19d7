import * as z from 'zod';
import { type OutcomeStory, storedStoryShape, toStatusReason } from '../contracts/fields.ts';
import {
  OUTCOME_DETAIL_TYPE,
  type Outcome,
  type OutcomeDetail,
  outcomeDetailSchema,
  type SessionKey,
} from '../contracts/index.ts';
import { executionUrlOf } from '../contracts/names.ts';
import { outcomeKey } from '../contracts/table-keys.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/logging.ts';
import type { MetricName, Metrics } from '../runtime/metrics.ts';
import { type EventBus, publish } from '../runtime/publish-events.ts';
import { expiresAfterDays, putIf, readItem, type Table } from '../runtime/table.ts';
import { isNoLoss } from './cause.ts';

/** How a closed window ended. */
export interface WindowOutcome extends SessionKey {
  readonly executionName: string;
  readonly generation: number;
  readonly outcome: Outcome;
  readonly statusReason: string | null;
  readonly disconnectedAtMs: number;
  /** When the session entered the status that decided the outcome. */
  readonly endedAtMs: number;
  readonly connectionAttempts: number;
  readonly story: OutcomeStory;
  /** Absent in task inputs of definitions before this member. */
  readonly executionArn?: string | undefined;
}

export interface PublishOutcomeDependencies extends EventBus {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: EventBus['settings'] & { readonly OUTCOME_RETENTION_DAYS: number };
}

/** An end on purpose counts apart: it is no loss. */
const COUNTED_AS = {
  RECONNECTED: 'WindowsReconnected',
  TERMINATED: 'WindowsTerminated',
  ERRORED: 'WindowsErrored',
  NOT_DISCONNECTED: 'WindowsNotDisconnected',
} as const satisfies Record<Outcome, MetricName>;

/** Earlier code stored the service's reason as it was, and the event owes its readers the form of the contract. */
export const storedOutcomeSchema = outcomeDetailSchema.extend({
  statusReason: z.string().nullable().transform(toStatusReason),
  ...storedStoryShape,
  executionUrl: outcomeDetailSchema.shape.executionUrl.catch(undefined),
});

/**
 * Writes a closed window's outcome as an item of its own, and publishes it. Each step is harmless when repeated. The
 * event may therefore come twice; its session and generation say that it is the same.
 *
 * @returns the outcome as it was first written.
 * @throws DependencyUnavailableException
 */
export async function publishOutcome(
  outcome: WindowOutcome,
  dependencies: PublishOutcomeDependencies,
): Promise<OutcomeDetail> {
  const detail = await keepOutcome(outcome, dependencies);
  await publish(dependencies, OUTCOME_DETAIL_TYPE, detail);
  dependencies.log.info('OutcomeRecorded', {
    generation: detail.generation,
    outcome: detail.outcome,
    cause: detail.cause ?? null,
    statusReason: detail.statusReason,
    applicationArn: detail.applicationArn ?? null,
    location: detail.location ?? null,
    connectionAttempts: detail.connectionAttempts,
    executionUrl: detail.executionUrl ?? null,
    durationMs: Date.parse(detail.outcomeAt) - Date.parse(detail.disconnectedAt),
  });
  return detail;
}

/** Writes the outcome once. What was written first is what counts, and what a repeat publishes again. */
async function keepOutcome(
  outcome: WindowOutcome,
  { table, clock, metrics, settings }: PublishOutcomeDependencies,
): Promise<OutcomeDetail> {
  const detail: OutcomeDetail = {
    version: '1',
    streamGroupId: outcome.streamGroupId,
    streamSessionId: outcome.streamSessionId,
    generation: outcome.generation,
    outcome: outcome.outcome,
    statusReason: outcome.statusReason,
    disconnectedAt: new Date(outcome.disconnectedAtMs).toISOString(),
    // The times may be of two clocks, and a session that was not disconnected is connected since before.
    outcomeAt: new Date(Math.max(outcome.disconnectedAtMs, outcome.endedAtMs)).toISOString(),
    connectionAttempts: outcome.connectionAttempts,
    executionName: outcome.executionName,
    ...outcome.story,
    executionUrl: outcome.executionArn === undefined ? undefined : executionUrlOf(outcome.executionArn),
  };
  const key = outcomeKey(outcome, outcome.generation);
  const expiresAt = expiresAfterDays(clock.nowMs(), settings.OUTCOME_RETENTION_DAYS);
  const isFirst = await putIf(
    table,
    { ...key, ...detail, expiresAt },
    { ConditionExpression: 'attribute_not_exists(pk)' },
  );
  if (!isFirst) return storedOutcomeSchema.parse(await readItem(table, key));
  countOutcome(outcome, metrics);
  return detail;
}

/** An application's ARN ends with its id. */
function applicationIdOf(applicationArn: string): string {
  return applicationArn.slice(applicationArn.lastIndexOf('/') + 1);
}

/** What the repeat of a lost reply finds written is not counted again. */
function countOutcome(
  { outcome, disconnectedAtMs, endedAtMs, story: { cause, applicationArn, dropCause } }: WindowOutcome,
  metrics: Metrics,
): void {
  metrics.add(cause === 'LEFT' || cause === 'OPERATOR' ? 'WindowsLeft' : COUNTED_AS[outcome], 1);
  if (cause !== undefined && !isNoLoss(cause)) {
    const savedPercent = outcome === 'RECONNECTED' ? 100 : 0;
    if (applicationArn !== undefined) {
      metrics.add('ShareSaved', savedPercent, applicationIdOf(applicationArn));
    }
    if (dropCause !== undefined) metrics.add('ShareSavedByDropCause', savedPercent, dropCause);
  }
  // The times are of two clocks: a player who is back at once may be back before the disconnect.
  if (outcome === 'RECONNECTED') {
    metrics.add('TimeToReconnect', Math.max(0, endedAtMs - disconnectedAtMs));
  }
}
