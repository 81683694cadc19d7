import { gameLiftStreams } from '../shared/clients/game-lift-streams.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { readSettings } from '../shared/settings.ts';
import { taskHandler } from '../shared/task.ts';
import { terminateSession, terminateSessionInputSchema } from './terminate-session.ts';

const settings = readSettings(['TABLE_NAME', 'TERMINATIONS_PER_SECOND']);

export const handler = taskHandler(terminateSessionInputSchema, terminateSession, {
  gameLiftStreams,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
