import { documents, gameLiftStreams } from '../shared/runtime/clients.ts';
import { createConnectionTask } from './create-connection.ts';

export const handler = createConnectionTask.handler({ documents, gameLiftStreams });
