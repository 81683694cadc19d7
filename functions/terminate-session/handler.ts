import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { switchReader } from '../shared/runtime/switch.ts';
import { taskHandler } from '../shared/runtime/task.ts';
import { terminateSession, terminateSessionInputSchema } from './terminate-session.ts';

const settings = readSettings(['TABLE_NAME', 'READS_PER_SECOND', 'TERMINATIONS_PER_SECOND']);
const table = { documents, name: settings.TABLE_NAME };

export const handler = taskHandler(terminateSessionInputSchema, terminateSession, {
  gameLiftStreams,
  table,
  readSwitch: switchReader({ table, clock: systemClock }),
  clock: systemClock,
  settings,
});
