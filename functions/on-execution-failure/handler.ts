import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { stepFunctions } from '../shared/runtime/clients/step-functions.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { OPENING_SETTINGS, readSettings } from '../shared/runtime/settings.ts';
import { executionFailureHandler } from './execution-failure-handler.ts';

const settings = readSettings(OPENING_SETTINGS);

export const handler = executionFailureHandler({
  eventBridge,
  stepFunctions,
  table: { documents, name: settings.TABLE_NAME },
  clock: systemClock,
  settings,
});
