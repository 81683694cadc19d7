import { apiHandler } from '../shared/api/api-handler.ts';
import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { readSettings } from '../shared/settings.ts';
import { requestConnection } from './request-connection.ts';

const settings = readSettings([
  'AWS_REGION',
  'TABLE_NAME',
  'CREATE_CONNECTION_ARN',
  'CONNECTIONS_PER_SECOND',
  'DEFAULT_CONNECTION_TIMEOUT_SECONDS',
]);

export const handler = apiHandler(requestConnection, {
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  random: Math.random,
  settings,
});
