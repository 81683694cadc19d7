import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { Clock } from './clock.ts';
import {
  type ClientName,
  type Dependencies,
  defineFunction,
  edge,
  emitMetrics,
  type FunctionDefinition,
  knownErrorsOnly,
  type SettingName,
} from './definition.ts';
import { DependencyUnavailableException } from './errors.ts';
import { type EventDefinition, eventHandler } from './event.ts';
import type { Log } from './logging.ts';
import type { Metrics } from './metrics.ts';
import { isThrottled } from './service-fault.ts';
import { parseJson } from './text.ts';

export interface HiddenMessage {
  readonly receiptHandle: string;
  /** From now until the message can be received again. */
  readonly seconds: number;
}

/** Sets when messages that were received come back. Rejects when SQS did not take it. */
export type HideMessages = (messages: readonly HiddenMessage[]) => Promise<void>;

/** What Lambda deletes no message for: those that are named come back. */
export interface BatchReply {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export interface QueueBatchDependencies {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Without it messages that failed come back after the queue's visibility timeout. */
  readonly hideMessages?: HideMessages | undefined;
  /** What is left of the invocation. */
  readonly remainingMs: () => number;
}

const batchSchema = z.looseObject({
  Records: z
    .array(
      z.looseObject({
        eventSource: z.literal('aws:sqs'),
        messageId: z.string(),
        receiptHandle: z.string(),
        body: z.string(),
        attributes: z.looseObject({
          SentTimestamp: z.coerce.number(),
          ApproximateReceiveCount: z.coerce.number().optional(),
        }),
      }),
    )
    .min(1),
});
export type QueueBatch = z.infer<typeof batchSchema>;
type QueueRecord = QueueBatch['Records'][number];

/** An event of a batch that was handled. */
export interface Handled<Result> {
  readonly result: Result;
  /** Whether the queue has handed the event over before, so that an earlier invocation may have died in the middle of it. */
  readonly isRepeat: boolean;
}

/**
 * Does for a whole batch, in one go, what its events have left to do. It does not throw.
 *
 * @returns the events that it was not done for: they come back.
 */
export type FinishBatch<Result> = (
  handled: readonly Handled<Result>[],
) => Promise<readonly Handled<Result>[]>;

/** The longest that one event takes: a permit for a read, and the read itself. Nothing is begun with less left. */
const LEAST_REMAINING_MS = 8_000;

/**
 * A throttled message comes back after a twentieth of its age: a storm of any size ends within a tenth of the time that
 * the quota needs for it, and hours of throttling cost few receipts.
 */
const THROTTLED = { share: 0.05, leastSeconds: 2, mostSeconds: 60 };
/** Others come back after as long as they have waited already. */
const FAILED = { share: 1, leastSeconds: 5, mostSeconds: 900 };

/** @returns undefined when the payload of an invocation is no batch of a queue's messages. */
export function queueBatchOf(payload: unknown): QueueBatch | undefined {
  return batchSchema.safeParse(payload).data;
}

/**
 * Handles the events of a batch one after the other, and returns those that are to come back.
 *
 * It stops at the first event that is throttled: the rest would be, too, and each try of theirs would take a token of the
 * quota from the batch that comes next. An event that fails otherwise stops nothing.
 *
 * Why: docs/decisions/events.md#a-queue-stands-between-the-bus-and-on-status-change
 *
 * @param handle throws for an event that has failed. It gets undefined for a body that is not JSON.
 */
export async function handleBatch<Result>(
  { Records: records }: QueueBatch,
  handle: (event: unknown) => Promise<Result>,
  dependencies: QueueBatchDependencies,
  finish: FinishBatch<Result> = async () => [],
): Promise<BatchReply> {
  const { log, metrics, remainingMs } = dependencies;
  const handled = new Map<Handled<Result>, QueueRecord>();
  const failed: QueueRecord[] = [];
  let left: readonly QueueRecord[] = [];
  for (const [index, record] of records.entries()) {
    if (index > 0 && remainingMs() < LEAST_REMAINING_MS) {
      left = records.slice(index);
      break;
    }
    try {
      const result = await handle(parseJson(record.body));
      handled.set({ result, isRepeat: (record.attributes.ApproximateReceiveCount ?? 1) > 1 }, record);
    } catch (error) {
      if (isThrottled(error)) {
        left = records.slice(index);
        metrics.add('EventsPutOff', left.length);
        break;
      }
      failed.push(record);
    }
  }
  for (const unfinished of await finish([...handled.keys()])) {
    const record = handled.get(unfinished);
    if (record !== undefined) failed.push(record);
  }
  if (left.length + failed.length > 0) {
    log.info('EventsPutBack', { putOff: left.length, failed: failed.length });
    await hide(left, failed, dependencies);
  }
  return {
    batchItemFailures: [...failed, ...left].map(({ messageId }) => ({ itemIdentifier: messageId })),
  };
}

async function hide(
  putOff: readonly QueueRecord[],
  failed: readonly QueueRecord[],
  { clock, random, log, hideMessages }: QueueBatchDependencies,
): Promise<void> {
  const nowMs = clock.nowMs();
  const hiddenFor =
    ({ share, leastSeconds, mostSeconds }: typeof THROTTLED) =>
    ({ receiptHandle, attributes: { SentTimestamp: sentAtMs } }: QueueRecord): HiddenMessage => {
      const seconds = Math.min(mostSeconds, Math.max(leastSeconds, (share * (nowMs - sentAtMs)) / 1000));
      // Jitter, down to half: messages that were put back together do not all come back together.
      return { receiptHandle, seconds: Math.round(seconds * (1 - random() / 2)) };
    };
  try {
    await hideMessages?.([...putOff.map(hiddenFor(THROTTLED)), ...failed.map(hiddenFor(FAILED))]);
  } catch (error) {
    // They come back after the visibility timeout.
    log.error('MessagesNotHidden', error);
  }
}

/** Amazon SQS Developer Guide, ChangeMessageVisibilityBatch: at most 10 entries. */
const MAX_ENTRIES = 10;

/** Sets by ChangeMessageVisibilityBatch when messages of one queue come back. */
export async function hideInQueue(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly HiddenMessage[],
): Promise<void> {
  for (let first = 0; first < messages.length; first += MAX_ENTRIES) {
    const entries = messages.slice(first, first + MAX_ENTRIES).map(({ receiptHandle, seconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
  }
}

export interface QueueEventDefinition<Input, Result, Client extends ClientName, Name extends SettingName>
  extends Omit<EventDefinition<Input, Result, Client, Name>, 'decide'> {
  /** Makes, once for the function's life, the decision, so that it can remember what it has read. */
  readonly prepare: (
    dependencies: Dependencies<NoInfer<Client>, NoInfer<Name>>,
  ) => EventDefinition<Input, Result, NoInfer<Client>, NoInfer<Name>>['decide'];
  /** Makes, once for the function's life, what follows each batch. */
  readonly finishWith?: (
    dependencies: Dependencies<NoInfer<Client>, NoInfer<Name>>,
  ) => FinishBatch<NoInfer<Result>>;
}

/**
 * Defines a function that takes its events from a queue (`QUEUE_URL`), in batches. It also takes one event as EventBridge
 * hands it over: this is how the events of versions before the queue arrive, and what the runbook's `replay` sends.
 *
 * Each event is handled as an invocation of its own. A failure fails that event alone.
 */
export function defineQueueEvent<
  Input,
  Result,
  const Client extends ClientName = never,
  const Name extends SettingName = never,
>(
  definition: QueueEventDefinition<Input, Result, Client, Name>,
): FunctionDefinition<Client | 'sqs', unknown, Result | BatchReply> {
  const { settings = [], clients = [] } = definition;
  const needs = { settings: [...settings, 'QUEUE_URL'], clients: [...clients, 'sqs'] } as const;
  return defineFunction(needs, (dependencies) => {
    const { clock, random, sqs } = dependencies;
    const { QUEUE_URL } = dependencies.settings;
    const finish = definition.finishWith?.(dependencies);
    const decide = definition.prepare(dependencies);
    const handleEvent = eventHandler({ ...definition, decide }, dependencies, knownOrThrottled());
    return async (payload, context) => {
      const batch = queueBatchOf(payload);
      if (batch === undefined) {
        const result = await handleEvent(payload, context);
        // The caller repeats what fails, and does not say so: each event may be a repeat.
        if ((await finish?.([{ result, isRepeat: true }]))?.length)
          throw new DependencyUnavailableException();
        return result;
      }
      return edge<QueueBatch, QueueBatch, BatchReply>([emitMetrics()], (events, { log, metrics }) =>
        handleBatch(
          events,
          (event) => handleEvent(event, context),
          {
            clock,
            random,
            log,
            metrics,
            hideMessages: (messages) => hideInQueue(sqs, QUEUE_URL, messages),
            remainingMs: () => context.getRemainingTimeInMillis(),
          },
          finish,
        ),
      )(batch, context);
    };
  });
}

/** A throttled event is no failure: the queue hands it over again. */
function knownOrThrottled() {
  return knownErrorsOnly((error, log) =>
    isThrottled(error) ? log.warn('EventThrottled') : log.error('TaskFailed', error),
  );
}
