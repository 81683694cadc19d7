import { documents, eventBridge, stepFunctions } from '../shared/runtime/clients.ts';
import { registerTaskTokenTask } from './register-task-token.ts';

export const handler = registerTaskTokenTask.handler({ documents, eventBridge, stepFunctions });
