import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { registerTaskTokenTask } from './register-task-token.ts';

export const handler = registerTaskTokenTask.handler({ documents, stepFunctions });
