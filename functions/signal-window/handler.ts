import { documents, stepFunctions } from '../shared/runtime/clients.ts';
import { signalWindowTask } from './signal-window.ts';

export const handler = signalWindowTask.handler({ documents, stepFunctions });
