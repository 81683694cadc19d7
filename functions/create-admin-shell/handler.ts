import { documents, gameLiftStreams } from '../shared/runtime/clients.ts';
import { createAdminShellTask } from './create-admin-shell.ts';

export const handler = createAdminShellTask.handler({ documents, gameLiftStreams });
