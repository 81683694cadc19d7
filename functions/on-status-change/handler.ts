import {
  documents,
  eventBridge,
  gameLiftStreams,
  sqs,
  stepFunctionsSingleAttempt,
} from '../shared/runtime/clients.ts';
import { onStatusChangeEvent } from './on-status-change.ts';

export const handler = onStatusChangeEvent.handler({
  documents,
  eventBridge,
  gameLiftStreams,
  sqs,
  stepFunctionsSingleAttempt,
});
