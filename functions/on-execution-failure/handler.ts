import { eventBridge } from '../shared/clients/event-bus.ts';
import { stepFunctions } from '../shared/clients/step-functions.ts';
import { documents } from '../shared/clients/table.ts';
import { systemClock } from '../shared/clock.ts';
import { OPENING_SETTINGS, readSettings } from '../shared/settings.ts';
import { executionFailureHandler } from './execution-failure-handler.ts';

const settings = readSettings(OPENING_SETTINGS);

export const handler = executionFailureHandler({
  eventBridge,
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
