import { apiHandler } from '../shared/api/api-handler.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { switchReader } from '../shared/runtime/switch.ts';
import { getWindow } from './get-window.ts';

const settings = readSettings(['AWS_REGION', 'TABLE_NAME']);
const table = { documents, name: settings.TABLE_NAME };

export const handler = apiHandler(getWindow, {
  table,
  readSwitch: switchReader({ table, clock: systemClock }),
  clock: systemClock,
  settings,
});
