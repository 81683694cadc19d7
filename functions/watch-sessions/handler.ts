import { documents, eventBridge, gameLiftStreams, stepFunctions } from '../shared/runtime/clients.ts';
import { watchSessionsSchedule } from './watch-sessions.ts';

export const handler = watchSessionsSchedule.handler({
  documents,
  eventBridge,
  gameLiftStreams,
  stepFunctions,
});
