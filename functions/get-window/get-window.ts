import type { APIGatewayProxyResult } from 'aws-lambda';
import { errorReply, okReply } from '../shared/api/replies.ts';
import { type ApiRequest, defineRoute } from '../shared/api/route.ts';
import type { WindowReply } from '../shared/contracts/index.ts';
import { windowExecutionName } from '../shared/contracts/names.ts';
import type { Clock } from '../shared/runtime/clock.ts';
import type { Log } from '../shared/runtime/logging.ts';
import type { ReadSwitch } from '../shared/runtime/switch.ts';
import type { Table } from '../shared/runtime/table.ts';
import { isOpen, outcomeOf, readWindow, reportIn } from '../shared/window/window-item.ts';

export interface GetWindowDependencies {
  readonly table: Table;
  readonly readSwitch: ReadSwitch;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: { readonly AWS_REGION: string };
}

/**
 * GET …/window: the session's latest reconnection window, as the table has it. It asks the service nothing, so
 * a page may ask every second.
 *
 * @throws DependencyUnavailableException
 */
export async function getWindow(
  { session }: ApiRequest,
  { table, readSwitch, clock, log }: GetWindowDependencies,
): Promise<APIGatewayProxyResult> {
  const [window, switchState] = await Promise.all([readWindow(table, session), readSwitch(log)]);
  if (window === undefined) {
    return errorReply('WINDOW_NOT_FOUND', 'No reconnection window of this stream session is known.');
  }
  const remainingMs = isOpen(window) ? Math.max(0, window.deadlineMs - clock.nowMs()) : 0;
  const reply: WindowReply = {
    phase: window.phase,
    generation: window.generation,
    deadline: new Date(window.deadlineMs).toISOString(),
    remainingSeconds: remainingMs / 1000,
    ...(isOpen(window) && window.serviceChecks !== undefined ? { waitingForService: true } : {}),
    ...(switchState === 'on' ? {} : { switch: switchState }),
    outcome: outcomeOf(window),
    ...(isOpen(window) ? {} : { ...window.story, ...reportIn(window) }),
    ...(typeof window.statusReason === 'string' ? { statusReason: window.statusReason } : {}),
  };
  log.info('WindowRead', {
    executionName: windowExecutionName(session, window.generation),
    phase: window.phase,
  });
  return okReply(reply);
}

export const getWindowRoute = defineRoute({ decide: getWindow });
