import { checkSessionTask } from '../../functions/check-session/check-session.ts';
import { createAdminShellTask } from '../../functions/create-admin-shell/create-admin-shell.ts';
import { createConnectionTask } from '../../functions/create-connection/create-connection.ts';
import { getWindowRoute } from '../../functions/get-window/get-window.ts';
import { leaveSessionRoute } from '../../functions/leave-session/leave-session.ts';
import { onExecutionFailureEvent } from '../../functions/on-execution-failure/on-execution-failure.ts';
import { onStatusChangeEvent } from '../../functions/on-status-change/on-status-change.ts';
import { recordFailureTask } from '../../functions/record-failure/record-failure.ts';
import { recordOutcomeTask } from '../../functions/record-outcome/record-outcome.ts';
import { registerTaskTokenTask } from '../../functions/register-task-token/register-task-token.ts';
import { requestAdminShellRoute } from '../../functions/request-admin-shell/request-admin-shell.ts';
import { requestConnectionRoute } from '../../functions/request-connection/request-connection.ts';
import type { FunctionDefinition } from '../../functions/shared/runtime/definition.ts';
import { signalWindowTask } from '../../functions/signal-window/signal-window.ts';
import { terminateSessionTask } from '../../functions/terminate-session/terminate-session.ts';
import { watchSessionsFunction } from '../../functions/watch-sessions/watch-sessions.ts';

/** The definition of each function, by its key in `serverless.yml`. */
export const FUNCTION_DEFINITIONS: Readonly<Record<string, FunctionDefinition>> = {
  checkSession: checkSessionTask,
  createAdminShell: createAdminShellTask,
  createConnection: createConnectionTask,
  getWindow: getWindowRoute,
  leaveSession: leaveSessionRoute,
  onExecutionFailure: onExecutionFailureEvent,
  onStatusChange: onStatusChangeEvent,
  recordFailure: recordFailureTask,
  recordOutcome: recordOutcomeTask,
  registerTaskToken: registerTaskTokenTask,
  requestAdminShell: requestAdminShellRoute,
  requestConnection: requestConnectionRoute,
  signalWindow: signalWindowTask,
  terminateSession: terminateSessionTask,
  watchSessions: watchSessionsFunction,
};
