import { documents } from '../shared/runtime/clients.ts';
import { recordFailureTask } from './record-failure.ts';

export const handler = recordFailureTask.handler({ documents });
