import { documents, gameLiftStreams } from '../shared/runtime/clients.ts';
import { terminateSessionTask } from './terminate-session.ts';

export const handler = terminateSessionTask.handler({ documents, gameLiftStreams });
