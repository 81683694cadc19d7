import { documents, eventBridge, gameLiftStreams, sqs, stepFunctions } from '../shared/runtime/clients.ts';
import { watchSessionsFunction } from './watch-sessions.ts';

export const handler = watchSessionsFunction.handler({
  documents,
  eventBridge,
  gameLiftStreams,
  sqs,
  stepFunctions,
});
