import { documents, gameLiftStreams, stepFunctions } from '../shared/runtime/clients.ts';
import { requestConnectionRoute } from './request-connection.ts';

export const handler = requestConnectionRoute.handler({ documents, gameLiftStreams, stepFunctions });
