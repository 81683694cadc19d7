import { documents, gameLiftStreams } from '../shared/runtime/clients.ts';
import { checkSessionTask } from './check-session.ts';

export const handler = checkSessionTask.handler({ documents, gameLiftStreams });
