import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { requestConnectionRoute } from './request-connection.ts';

export const handler = requestConnectionRoute.handler({ documents, gameLiftStreams, stepFunctions });
