import { documents, eventBridge } from '../shared/runtime/clients.ts';
import { recordOutcomeTask } from './record-outcome.ts';

export const handler = recordOutcomeTask.handler({ documents, eventBridge });
