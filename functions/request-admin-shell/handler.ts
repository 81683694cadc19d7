import {
  documents,
  eventBridge,
  gameLiftStreams,
  stepFunctionsSingleAttempt,
} from '../shared/runtime/clients.ts';
import { requestAdminShellRoute } from './request-admin-shell.ts';

export const handler = requestAdminShellRoute.handler({
  documents,
  eventBridge,
  gameLiftStreams,
  stepFunctionsSingleAttempt,
});
