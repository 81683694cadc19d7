import middy, { type MiddyfiedHandler } from '@middy/core';
import { createLog } from '../shared/runtime/logging.ts';
import { measured } from '../shared/runtime/metrics.ts';
import { fitForHistory } from '../shared/runtime/task.ts';
import { type WatchSessionsDependencies, watchSessions } from './watch-sessions.ts';

/**
 * The glue of a schedule's target: whatever the event says, it is time to look.
 *
 * Why: docs/decisions/watcher.md#the-watcher-must-be-told-its-stream-groups
 */
export function watchSessionsHandler(
  dependencies: Omit<WatchSessionsDependencies, 'log' | 'metrics'>,
): MiddyfiedHandler<unknown, void> {
  return middy<unknown, void>({ timeoutEarlyInMillis: 0 }).handler(async () => {
    const log = createLog({});
    try {
      await measured(log, (metrics) => watchSessions({ ...dependencies, log, metrics }));
    } catch (error) {
      throw fitForHistory(error, log);
    }
  });
}
