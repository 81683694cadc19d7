import { eventBridge } from '../shared/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { readSettings } from '../shared/settings.ts';
import { statusChangeHandler } from './status-change-handler.ts';

const settings = readSettings([
  'TABLE_NAME',
  'EVENT_BUS_NAME',
  'EVENT_SOURCE',
  'RECONNECTION_WINDOW_ARN',
  'DEFAULT_CONNECTION_TIMEOUT_SECONDS',
  'WINDOW_MARGIN_SECONDS',
  'TERMINATE_ABANDONED_SESSIONS',
  'OUTCOME_RETENTION_DAYS',
  'READS_PER_SECOND',
]);

export const handler = statusChangeHandler({
  eventBridge,
  gameLiftStreams,
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
