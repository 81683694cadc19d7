import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { recordOutcomeTask } from './record-outcome.ts';

export const handler = recordOutcomeTask.handler({ documents, eventBridge });
