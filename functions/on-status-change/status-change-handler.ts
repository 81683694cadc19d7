import middy, { type MiddyfiedHandler } from '@middy/core';
import { createLog } from '../shared/logging.ts';
import { measured } from '../shared/metrics.ts';
import { fitForHistory } from '../shared/task.ts';
import {
  type OnStatusChangeDependencies,
  type OnStatusChangeResult,
  onStatusChange,
} from './on-status-change.ts';
import { parseStatusChangeEvent } from './parse-event.ts';

/** The glue of an EventBridge target: it must read an event of any form, for a bad one is not to be retried. */
export function statusChangeHandler(
  dependencies: Omit<OnStatusChangeDependencies, 'log' | 'metrics'>,
): MiddyfiedHandler<unknown, OnStatusChangeResult> {
  return middy<unknown, OnStatusChangeResult>({ timeoutEarlyInMillis: 0 }).handler(async (event: unknown) => {
    let log = createLog({});
    try {
      const parsed = parseStatusChangeEvent(event, dependencies.clock.nowMs());
      if (parsed.ok) {
        const { streamGroupId, streamSessionId } = parsed.event.detail;
        log = log.with({ streamGroupId, streamSessionId });
      }
      return await measured(log, (metrics) => onStatusChange(parsed, { ...dependencies, log, metrics }));
    } catch (error) {
      throw fitForHistory(error, log);
    }
  });
}
