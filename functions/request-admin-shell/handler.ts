import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { stepFunctionsSingleAttempt } from '../shared/runtime/clients/step-functions-single-attempt.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { requestAdminShellRoute } from './request-admin-shell.ts';

export const handler = requestAdminShellRoute.handler({
  documents,
  eventBridge,
  gameLiftStreams,
  stepFunctionsSingleAttempt,
});
