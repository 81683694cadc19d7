import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { OPENING_SETTINGS, readSettings } from '../shared/runtime/settings.ts';
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
