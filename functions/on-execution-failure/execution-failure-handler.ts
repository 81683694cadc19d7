import middy, { type MiddyfiedHandler } from '@middy/core';
import { createLog } from '../shared/runtime/logging.ts';
import { measured } from '../shared/runtime/metrics.ts';
import { fitForHistory } from '../shared/runtime/task.ts';
import {
  type OnExecutionFailureDependencies,
  type OnExecutionFailureResult,
  onExecutionFailure,
} from './on-execution-failure.ts';
import { parseExecutionFailure } from './parse-event.ts';

/**
 * The glue of an EventBridge target. The event's input and cause never leave the parsing.
 *
 * Why: docs/decisions/failed-windows.md#on-execution-failure-has-no-queue
 */
export function executionFailureHandler(
  dependencies: Omit<OnExecutionFailureDependencies, 'log' | 'metrics'>,
): MiddyfiedHandler<unknown, OnExecutionFailureResult> {
  return middy<unknown, OnExecutionFailureResult>({ timeoutEarlyInMillis: 0 }).handler(
    async (event: unknown) => {
      let log = createLog({});
      try {
        const execution = await parseExecutionFailure(event, dependencies.stepFunctions);
        if (execution === undefined) {
          log.warn('StrangeExecutionIgnored');
          return { result: 'IGNORED' };
        }
        const { streamGroupId, streamSessionId, executionName } = execution;
        log = log.with({ streamGroupId, streamSessionId, executionName });
        return await measured(log, (metrics) =>
          onExecutionFailure(execution, { ...dependencies, log, metrics }),
        );
      } catch (error) {
        throw fitForHistory(error, log);
      }
    },
  );
}
