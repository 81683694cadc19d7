import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { taskHandler } from '../shared/runtime/task.ts';
import { recordOutcome, recordOutcomeInputSchema } from './record-outcome.ts';

const settings = readSettings(['TABLE_NAME', 'EVENT_BUS_NAME', 'EVENT_SOURCE', 'OUTCOME_RETENTION_DAYS']);

export const handler = taskHandler(recordOutcomeInputSchema, recordOutcome, {
  eventBridge,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
