import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { taskHandler } from '../shared/runtime/task.ts';
import { createAdminShell, createAdminShellInputSchema } from './create-admin-shell.ts';

const settings = readSettings(['TABLE_NAME', 'ADMIN_SHELLS_PER_SECOND', 'READS_PER_SECOND']);

export const handler = taskHandler(createAdminShellInputSchema, createAdminShell, {
  gameLiftStreams,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
