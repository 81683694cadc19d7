import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { readSettings } from '../shared/settings.ts';
import { taskHandler } from '../shared/task.ts';
import { registerTaskToken, registerTaskTokenInputSchema } from './register-task-token.ts';

const settings = readSettings(['TABLE_NAME']);

export const handler = taskHandler(registerTaskTokenInputSchema, registerTaskToken, {
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
});
