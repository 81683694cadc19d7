import { gameLiftStreams } from '../shared/clients/game-lift-streams.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { readSettings } from '../shared/settings.ts';
import { taskHandler } from '../shared/task.ts';
import { checkSession, checkSessionInputSchema } from './check-session.ts';

const settings = readSettings(['TABLE_NAME', 'READS_PER_SECOND']);

export const handler = taskHandler(checkSessionInputSchema, checkSession, {
  gameLiftStreams,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
