import { documents, eventBridge, gameLiftStreams, stepFunctions } from '../shared/runtime/clients.ts';
import { leaveSessionRoute } from './leave-session.ts';

export const handler = leaveSessionRoute.handler({ documents, eventBridge, gameLiftStreams, stepFunctions });
