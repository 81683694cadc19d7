import { apiHandler } from '../shared/api/api-handler.ts';
import { gameLiftStreams } from '../shared/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { readSettings } from '../shared/settings.ts';
import { switchReader } from '../shared/switch.ts';
import { requestConnection } from './request-connection.ts';

const settings = readSettings([
  'AWS_REGION',
  'TABLE_NAME',
  'CREATE_CONNECTION_ARN',
  'CONNECTIONS_PER_SECOND',
  'READS_PER_SECOND',
  'DEFAULT_CONNECTION_TIMEOUT_SECONDS',
  'USER_ID_CHECK',
]);
const table = { documents, name: settings.TABLE_NAME };

export const handler = apiHandler(requestConnection, {
  stepFunctions,
  gameLiftStreams,
  table,
  readSwitch: switchReader({ table, clock: systemClock }),
  clock: systemClock,
  random: Math.random,
  settings,
});
