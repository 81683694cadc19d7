import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { checkSessionTask } from './check-session.ts';

export const handler = checkSessionTask.handler({ documents, gameLiftStreams });
