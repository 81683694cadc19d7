import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { signalWindowTask } from './signal-window.ts';

export const handler = signalWindowTask.handler({ documents, stepFunctions });
