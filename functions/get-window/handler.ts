import { apiHandler } from '../shared/api/api-handler.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { readSettings } from '../shared/settings.ts';
import { switchReader } from '../shared/switch.ts';
import { getWindow } from './get-window.ts';

const settings = readSettings(['AWS_REGION', 'TABLE_NAME']);
const table = { documents, name: settings.TABLE_NAME };

export const handler = apiHandler(getWindow, {
  table,
  readSwitch: switchReader({ table, clock: systemClock }),
  clock: systemClock,
  settings,
});
