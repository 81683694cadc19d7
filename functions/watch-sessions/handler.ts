import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { watchSessionsSchedule } from './watch-sessions.ts';

export const handler = watchSessionsSchedule.handler({
  documents,
  eventBridge,
  gameLiftStreams,
  stepFunctions,
});
