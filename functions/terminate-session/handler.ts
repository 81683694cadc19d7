import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { terminateSessionTask } from './terminate-session.ts';

export const handler = terminateSessionTask.handler({ documents, gameLiftStreams });
