import { isObject } from 'local-server-kit';
import type { HistoryEvent } from '../engine/history.ts';
import { requireExecution } from './execution-operations.ts';
import { page } from './paging.ts';
import type { Request } from './requests.ts';
import type { ServerContext } from './server-context.ts';

/** The members of events that hold what the execution worked on. */
const EXECUTION_DATA = ['input', 'output', 'parameters', 'assignedVariables'];

export function getExecutionHistory(
  context: ServerContext,
  request: Request<'GetExecutionHistory'>,
): unknown {
  const { history } = requireExecution(context, request.executionArn);
  const ordered = request.reverseOrder ? history.events.toReversed() : history.events;
  const { items, ...next } = page(ordered, request, { keyOf: ({ id }) => id, falls: request.reverseOrder });
  return { events: request.includeExecutionData ? items : items.map(withoutData), ...next };
}

function withoutData(event: HistoryEvent): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).map(([member, value]) => [
      member,
      isObject(value)
        ? Object.fromEntries(Object.entries(value).filter(([name]) => !EXECUTION_DATA.includes(name)))
        : value,
    ]),
  );
}
