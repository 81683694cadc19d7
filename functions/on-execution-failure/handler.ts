import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { onExecutionFailureEvent } from './on-execution-failure.ts';

export const handler = onExecutionFailureEvent.handler({ documents, eventBridge, stepFunctions });
