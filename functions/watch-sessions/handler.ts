import { eventBridge } from '../shared/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { OPENING_SETTINGS, readSettings } from '../shared/settings.ts';
import { watchSessionsHandler } from './watch-sessions-handler.ts';

const settings = readSettings([
  ...OPENING_SETTINGS,
  'LISTS_PER_SECOND',
  'READS_PER_SECOND',
  'WATCHED_STREAM_GROUPS',
  'WATCH_INTERVAL_SECONDS',
]);

export const handler = watchSessionsHandler({
  eventBridge,
  gameLiftStreams,
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  random: Math.random,
  settings,
});
