import { eventBridge } from '../shared/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { OPENING_SETTINGS, readSettings } from '../shared/settings.ts';
import { statusChangeHandler } from './status-change-handler.ts';

const settings = readSettings([...OPENING_SETTINGS, 'READS_PER_SECOND']);

export const handler = statusChangeHandler({
  eventBridge,
  gameLiftStreams,
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
