import { type EventHandlerDependencies, eventHandler } from '../shared/runtime/event-handler.ts';
import { createLog } from '../shared/runtime/logging.ts';
import { measured } from '../shared/runtime/metrics.ts';
import { isThrottled } from '../shared/runtime/service-fault.ts';
import { fitForHistory } from '../shared/runtime/task.ts';
import { type OnStatusChangeDependencies, onStatusChange } from './on-status-change.ts';
import { parseStatusChangeEvent } from './parse-event.ts';

/** The glue of the function: it must read an event of any form, because a bad one is not to be retried. */
export function statusChangeHandler(
  dependencies: Omit<OnStatusChangeDependencies, 'log' | 'metrics'> & EventHandlerDependencies,
) {
  return eventHandler(async (event) => {
    let log = createLog({});
    try {
      const parsed = parseStatusChangeEvent(event, dependencies.clock.nowMs());
      if (parsed.ok) {
        const { streamGroupId, streamSessionId } = parsed.event.detail;
        log = log.with({ streamGroupId, streamSessionId });
      }
      return await measured(log, (metrics) => onStatusChange(parsed, { ...dependencies, log, metrics }));
    } catch (error) {
      if (!isThrottled(error)) throw fitForHistory(error, log);
      log.warn('EventThrottled');
      throw error;
    }
  }, dependencies);
}
