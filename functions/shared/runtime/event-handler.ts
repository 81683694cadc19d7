import middy, { type MiddyfiedHandler } from '@middy/core';
import type { Clock } from './clock.ts';
import { createLog } from './logging.ts';
import { measured } from './metrics.ts';
import { type BatchReply, type HideMessages, handleBatch, queueBatchOf } from './queue-batch.ts';

export interface EventHandlerDependencies {
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
  readonly hideMessages?: HideMessages | undefined;
}

/**
 * The glue of a function that events wake up: a batch of a queue's messages, or one event as EventBridge hands it over.
 * The second is how the events of versions before the queue arrive, and what the runbook's `replay` sends.
 *
 * @param handle one event, of any form. What it throws fails that event alone, in a batch.
 */
export function eventHandler<Result>(
  handle: (event: unknown) => Promise<Result>,
  { clock, random = Math.random, hideMessages }: EventHandlerDependencies,
): MiddyfiedHandler<unknown, Result | BatchReply> {
  return middy<unknown, Result | BatchReply>({ timeoutEarlyInMillis: 0 }).handler(
    async (payload: unknown, context) => {
      const batch = queueBatchOf(payload);
      if (batch === undefined) return handle(payload);
      const log = createLog({});
      const remainingMs = () => context.getRemainingTimeInMillis();
      return measured(log, (metrics) =>
        handleBatch(batch, handle, { clock, random, log, metrics, hideMessages, remainingMs }),
      );
    },
  );
}
