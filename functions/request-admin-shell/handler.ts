import { apiHandler } from '../shared/api/api-handler.ts';
import { eventBridge } from '../shared/clients/event-bus.ts';
import { stepFunctionsSingleAttempt } from '../shared/clients/step-functions-single-attempt.ts';
import { systemClock } from '../shared/clock.ts';
import { readSettings } from '../shared/settings.ts';
import { recordInvalidPath, requestAdminShell } from './request-admin-shell.ts';

const settings = readSettings(['AWS_REGION', 'EVENT_BUS_NAME', 'EVENT_SOURCE', 'CREATE_ADMIN_SHELL_ARN']);

const dependencies = { stepFunctions: stepFunctionsSingleAttempt, eventBridge, clock: systemClock, settings };

export const handler = apiHandler(requestAdminShell, dependencies, recordInvalidPath);
