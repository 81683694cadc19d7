import { documents, eventBridge, stepFunctions } from '../shared/runtime/clients.ts';
import { onExecutionFailureEvent } from './on-execution-failure.ts';

export const handler = onExecutionFailureEvent.handler({ documents, eventBridge, stepFunctions });
