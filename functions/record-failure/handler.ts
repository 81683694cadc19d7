import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { taskHandler } from '../shared/runtime/task.ts';
import { recordFailure, recordFailureInputSchema } from './record-failure.ts';

const settings = readSettings(['TABLE_NAME', 'OUTCOME_RETENTION_DAYS']);

export const handler = taskHandler(recordFailureInputSchema, recordFailure, {
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
