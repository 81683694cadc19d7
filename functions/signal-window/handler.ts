import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { readSettings } from '../shared/settings.ts';
import { taskHandler } from '../shared/task.ts';
import { signalWindow, signalWindowInputSchema } from './signal-window.ts';

const settings = readSettings(['TABLE_NAME']);

export const handler = taskHandler(signalWindowInputSchema, signalWindow, {
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
});
