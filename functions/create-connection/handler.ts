import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { createConnectionTask } from './create-connection.ts';

export const handler = createConnectionTask.handler({ documents, gameLiftStreams });
