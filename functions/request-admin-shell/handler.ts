import { apiHandler } from '../shared/api/api-handler.ts';
import { eventBridge } from '../shared/runtime/clients/event-bus.ts';
import { gameLiftStreams } from '../shared/runtime/clients/game-lift-streams.ts';
import { stepFunctionsSingleAttempt } from '../shared/runtime/clients/step-functions-single-attempt.ts';
import { documents } from '../shared/runtime/clients/table.ts';
import { systemClock } from '../shared/runtime/clock.ts';
import { readSettings } from '../shared/runtime/settings.ts';
import { switchReader } from '../shared/runtime/switch.ts';
import { recordInvalidPath, requestAdminShell } from './request-admin-shell.ts';

const settings = readSettings([
  'AWS_REGION',
  'TABLE_NAME',
  'EVENT_BUS_NAME',
  'EVENT_SOURCE',
  'CREATE_ADMIN_SHELL_ARN',
]);

const dependencies = {
  stepFunctions: stepFunctionsSingleAttempt,
  gameLiftStreams,
  eventBridge,
  readSwitch: switchReader({
    table: { documents, name: settings.TABLE_NAME },
    clock: systemClock,
  }),
  clock: systemClock,
  settings,
};

export const handler = apiHandler(requestAdminShell, dependencies, recordInvalidPath);
