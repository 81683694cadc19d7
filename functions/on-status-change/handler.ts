import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { sqs } from '../shared/runtime/clients/queue.ts';
import { stepFunctionsSingleAttempt } from '../shared/runtime/clients/step-functions-single-attempt.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { onStatusChangeEvent } from './on-status-change.ts';

export const handler = onStatusChangeEvent.handler({
  documents,
  eventBridge,
  gameLiftStreams,
  sqs,
  stepFunctionsSingleAttempt,
});
