import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { taskHandler } from '../shared/runtime/task.ts';
import { checkSession, checkSessionInputSchema } from './check-session.ts';

const settings = readSettings(['TABLE_NAME', 'READS_PER_SECOND']);

export const handler = taskHandler(checkSessionInputSchema, checkSession, {
  gameLiftStreams,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
