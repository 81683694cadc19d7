import { type ClientName, defineFunction, type FunctionDefinition, type SettingName } from './definition.ts';
import { edge, emitMetrics, knownErrorsOnly } from './edge.ts';
import { type EventDefinition, eventHandler } from './event.ts';
import { type BatchReply, handleBatch, hideInQueue, type QueueBatch, queueBatchOf } from './queue-batch.ts';
import { isThrottled } from './service-fault.ts';

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
  definition: EventDefinition<Input, Result, Client, Name>,
): FunctionDefinition<Client | 'sqs', unknown, Result | BatchReply> {
  const { settings = [], clients = [] } = definition;
  const needs = { settings: [...settings, 'QUEUE_URL'], clients: [...clients, 'sqs'] } as const;
  return defineFunction(needs, (dependencies) => {
    const { clock, random, sqs } = dependencies;
    const { QUEUE_URL } = dependencies.settings;
    const handleEvent = eventHandler(definition, dependencies, knownOrThrottled());
    return async (payload, context) => {
      const batch = queueBatchOf(payload);
      if (batch === undefined) return handleEvent(payload, context);
      return edge<QueueBatch, QueueBatch, BatchReply>([emitMetrics()], (events, { log, metrics }) =>
        handleBatch(events, (event) => handleEvent(event, context), {
          clock,
          random,
          log,
          metrics,
          hideMessages: (messages) => hideInQueue(sqs, QUEUE_URL, messages),
          remainingMs: () => context.getRemainingTimeInMillis(),
        }),
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
