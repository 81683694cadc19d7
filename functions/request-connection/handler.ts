import { apiHandler } from '../shared/api/api-handler.ts';
import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { switchReader } from '../shared/runtime/switch.ts';
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
