import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { sqs } from '../shared/runtime/clients/queue.ts';
import { stepFunctionsSingleAttempt } from '../shared/runtime/clients/step-functions-single-attempt.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { hideMessagesOf } from '../shared/runtime/hide-messages.ts';
import { OPENING_SETTINGS, readSettings } from '../shared/runtime/settings.ts';
import { statusChangeHandler } from './status-change-handler.ts';

const settings = readSettings([...OPENING_SETTINGS, 'READS_PER_SECOND', 'QUEUE_URL']);

export const handler = statusChangeHandler({
  eventBridge,
  gameLiftStreams,
  // The queue repeats what is throttled; in the SDK's backoff a storm would hold the account's concurrency.
  stepFunctions: stepFunctionsSingleAttempt,
  table: { documents, name: settings.TABLE_NAME },
  hideMessages: hideMessagesOf(sqs, settings.QUEUE_URL),
  clock: systemClock,
  settings,
});
