import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { createAdminShellTask } from './create-admin-shell.ts';

export const handler = createAdminShellTask.handler({ documents, gameLiftStreams });
