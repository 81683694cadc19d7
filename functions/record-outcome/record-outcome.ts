import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import {
  OUTCOME_DETAIL_TYPE,
  type Outcome,
  type OutcomeDetail,
  outcomeDetailSchema,
  outcomeSchema,
  type SessionKey,
} from '../shared/contracts/index.ts';
import { sessionPartition } from '../shared/contracts/naming.ts';
import { toStatusReason } from '../shared/contracts/status-reason.ts';
import type { Clock } from '../shared/runtime/clock.ts';
import { WindowNotOpenError } from '../shared/runtime/errors.ts';
import type { Log } from '../shared/runtime/logging.ts';
import type { MetricName, Metrics } from '../shared/runtime/metrics.ts';
import { type EventBus, publish } from '../shared/runtime/publish-events.ts';
import { callDependency } from '../shared/runtime/service-fault.ts';
import { epochSeconds, isConditionFailure, type Table } from '../shared/runtime/table.ts';
import { epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import {
  IS_OPEN,
  isOpen,
  OPEN_PHASES,
  REMOVED_AT_CLOSE,
  readWindow,
  updateWindow,
  type WindowItem,
} from '../shared/window/window-item.ts';

export const recordOutcomeInputSchema = z.object({
  ...taskInputShape,
  generation: z.int().min(1),
  /** The last signal that the execution has seen. */
  ackSeq: z.int().min(0),
  outcome: outcomeSchema,
  /** The session's status that decided the outcome. */
  status: z.string().optional(),
  statusReason: z.string().nullable(),
  disconnectedAtMs: epochMsSchema,
  /** When the session entered the status that decided the outcome. */
  endedAtMs: epochMsSchema,
  connectionAttempts: z.int().min(0),
});
export type RecordOutcomeInput = z.infer<typeof recordOutcomeInputSchema>;

export interface RecordOutcomeDependencies extends EventBus {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: EventBus['settings'] & { readonly OUTCOME_RETENTION_DAYS: number };
}

export interface RecordOutcomeResult {
  /** False when something came that the execution has not seen: it must look again before the window closes. */
  readonly recorded: boolean;
  readonly seq: number;
  readonly connectionCreatedAtMs: number;
  /** As in the outcome event, once it is recorded. */
  readonly connectionAttempts: number;
}

const COUNTED_AS = {
  RECONNECTED: 'WindowsReconnected',
  TERMINATED: 'WindowsTerminated',
  ERRORED: 'WindowsErrored',
  NOT_DISCONNECTED: 'WindowsNotDisconnected',
} as const satisfies Record<Outcome, MetricName>;

/** Earlier code stored the service's reason as it was, and the event owes its readers the form of the contract. */
const storedOutcomeSchema = outcomeDetailSchema.extend({
  statusReason: z.string().nullable().transform(toStatusReason),
});

const DAY_MS = 24 * 3600 * 1000;

/**
 * Closes the window with its outcome, writes the outcome as an item of its own, and publishes it: in this
 * order, each step harmless when repeated, so that a process that dies between two of them is made good by the
 * task's retry. The event may therefore come twice; its session and generation say that it is the same.
 *
 * Why: docs/decisions/windows.md#reconnected-is-not-written-over-an-unseen-signal
 *
 * @throws WindowNotOpenError when there is no such window.
 * @throws DependencyUnavailableException
 */
export async function recordOutcome(
  input: RecordOutcomeInput,
  dependencies: RecordOutcomeDependencies,
): Promise<RecordOutcomeResult> {
  const { log } = dependencies;
  const closing = await closeWindow(input, dependencies);
  if (!closing.recorded) {
    log.info('OutcomePostponed', { generation: input.generation, seq: closing.seq });
    return closing;
  }
  const detail = await keepOutcome(
    { ...input, connectionAttempts: closing.connectionAttempts },
    dependencies,
  );
  await publish(dependencies, OUTCOME_DETAIL_TYPE, detail);
  log.info('OutcomeRecorded', {
    generation: detail.generation,
    outcome: detail.outcome,
    statusReason: detail.statusReason,
    connectionAttempts: detail.connectionAttempts,
    durationMs: Date.parse(detail.outcomeAt) - Date.parse(detail.disconnectedAt),
  });
  return { ...closing, connectionAttempts: detail.connectionAttempts };
}

async function closeWindow(
  input: RecordOutcomeInput,
  { table, clock, settings }: RecordOutcomeDependencies,
): Promise<RecordOutcomeResult> {
  const isNotDisconnected = input.outcome === 'NOT_DISCONNECTED';
  // A session that has ended stays ended whatever was signalled; one that is connected may have dropped again. And the
  // watcher or a created connection may have told since the look that the service does wait for a client.
  const nothingUnseen =
    input.outcome === 'RECONNECTED'
      ? ' AND seq <= :ackSeq'
      : isNotDisconnected
        ? ' AND seq <= :ackSeq AND attribute_not_exists(seenWaitingAtMs)'
        : '';
  const nowMs = clock.nowMs();
  const closed = await updateWindow(table, input, {
    UpdateExpression: `SET phase = :closed, outcome = :outcome, statusReason = :statusReason, outcomeAtMs = :outcomeAtMs, closedAtMs = :nowMs, expiresAt = :expiresAt${isNotDisconnected ? ', isNotDisconnected = :true' : ''} REMOVE ${REMOVED_AT_CLOSE}`,
    ConditionExpression: `generation = :generation AND ${IS_OPEN}${nothingUnseen}`,
    ExpressionAttributeValues: {
      ...OPEN_PHASES,
      ':closed': 'CLOSED',
      ':generation': input.generation,
      ':outcome': input.outcome === 'NOT_DISCONNECTED' ? standingOf(input) : input.outcome,
      ':statusReason': input.statusReason,
      ':outcomeAtMs': input.endedAtMs,
      ':nowMs': nowMs,
      ':expiresAt': epochSeconds(nowMs + settings.OUTCOME_RETENTION_DAYS * DAY_MS),
      ...(nothingUnseen === '' ? {} : { ':ackSeq': input.ackSeq }),
      ...(isNotDisconnected ? { ':true': true } : {}),
    },
  });
  if (closed !== undefined) return { ...mailboxOf(closed), recorded: true };

  const present = await readWindow(table, input);
  if (present === undefined || present.generation < input.generation) throw new WindowNotOpenError();
  if (present.generation > input.generation) {
    // The windows right before the present one that ended red: their disconnect gets its outcome from that one.
    const firstFailed = present.generation - (present.failedBefore ?? 0);
    if (input.generation >= firstFailed) throw new WindowNotOpenError();
    // This window was closed before, or the next could not have opened; only the rest is to be repeated.
    const { ackSeq: seq, connectionAttempts } = input;
    return { recorded: true, seq, connectionCreatedAtMs: 0, connectionAttempts };
  }
  if (present.phase === 'FAILED') throw new WindowNotOpenError();
  return { ...mailboxOf(present), recorded: !isOpen(present) };
}

/** How the session stands that was not disconnected: it goes on, or it has ended for a reason of its own. */
function standingOf({ status }: RecordOutcomeInput): Exclude<Outcome, 'NOT_DISCONNECTED'> {
  if (status === 'TERMINATED') return 'TERMINATED';
  return status === 'ERROR' ? 'ERRORED' : 'RECONNECTED';
}

function mailboxOf({ seq, connectionCreatedAtMs, connectionAttempts }: WindowItem) {
  return { seq, connectionCreatedAtMs, connectionAttempts };
}

/** Writes the outcome once; what was written first is what counts, and what a repeat publishes again. */
async function keepOutcome(
  input: RecordOutcomeInput,
  { table, clock, metrics, settings }: RecordOutcomeDependencies,
): Promise<OutcomeDetail> {
  const detail: OutcomeDetail = {
    version: '1',
    streamGroupId: input.streamGroupId,
    streamSessionId: input.streamSessionId,
    generation: input.generation,
    outcome: input.outcome,
    statusReason: input.statusReason,
    disconnectedAt: new Date(input.disconnectedAtMs).toISOString(),
    // The times may be of two clocks, and a session that was not disconnected is connected since before.
    outcomeAt: new Date(Math.max(input.disconnectedAtMs, input.endedAtMs)).toISOString(),
    connectionAttempts: input.connectionAttempts,
    executionName: input.executionName,
  };
  const Key = outcomeKey(input, input.generation);
  const expiresAt = epochSeconds(clock.nowMs() + settings.OUTCOME_RETENTION_DAYS * DAY_MS);
  try {
    await callDependency(
      () =>
        table.documents.send(
          new PutCommand({
            TableName: table.name,
            Item: { ...Key, ...detail, expiresAt },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        ),
      ['ConditionalCheckFailedException'],
    );
    countOutcome(input, metrics);
    return detail;
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
    const { Item } = await callDependency(() =>
      table.documents.send(new GetCommand({ TableName: table.name, Key, ConsistentRead: true })),
    );
    return storedOutcomeSchema.parse(Item);
  }
}

/** What the repeat of a lost reply finds written is not counted again. */
function countOutcome({ outcome, disconnectedAtMs, endedAtMs }: RecordOutcomeInput, metrics: Metrics): void {
  metrics.add(COUNTED_AS[outcome], 1);
  // The times are of two clocks: a player who is back at once may be back before the disconnect.
  if (outcome === 'RECONNECTED') {
    metrics.add('TimeToReconnect', Math.max(0, endedAtMs - disconnectedAtMs));
  }
}

/** Padded, so that a query of the session lists its outcomes in order. */
function outcomeKey(session: SessionKey, generation: number) {
  return { pk: sessionPartition(session), sk: `outcome#${String(generation).padStart(6, '0')}` };
}
