import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { taskHandler } from '../shared/runtime/task.ts';
import { registerTaskToken, registerTaskTokenInputSchema } from './register-task-token.ts';

const settings = readSettings(['TABLE_NAME']);

export const handler = taskHandler(registerTaskTokenInputSchema, registerTaskToken, {
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
});
