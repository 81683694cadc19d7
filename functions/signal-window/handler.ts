import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { taskHandler } from '../shared/runtime/task.ts';
import { signalWindow, signalWindowInputSchema } from './signal-window.ts';

const settings = readSettings(['TABLE_NAME']);

export const handler = taskHandler(signalWindowInputSchema, signalWindow, {
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
});
