import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { SessionKey } from '../contracts/index.ts';
import { windowExecutionName } from '../contracts/names.ts';
import type { Log } from '../runtime/logging.ts';
import { attempt } from '../runtime/service-fault.ts';
import type { WindowItem } from './window-item.ts';

export interface StartWindowDependencies {
  readonly stepFunctions: SFNClient;
  readonly log: Log;
  readonly settings: { readonly RECONNECTION_WINDOW_ARN: string };
}

/**
 * Starts the window's execution unless it is known to run, which its first wait writes down. Whoever opened the
 * window may have died before the start, so every later event repeats it: the same name with the same input is
 * the same execution.
 *
 * Why: docs/decisions/windows.md#a-window-whose-name-is-taken-becomes-the-next-window
 *
 * @returns false when an execution of that name exists that is not this one running: it has ended, as a rule.
 * @throws DependencyUnavailableException
 */
export async function ensureRunning(
  session: SessionKey,
  window: WindowItem,
  { stepFunctions, log, settings }: StartWindowDependencies,
): Promise<boolean> {
  if (window.running) return true;
  const { generation, executionInput } = window;
  const started = await attempt(
    () =>
      stepFunctions.send(
        new StartExecutionCommand({
          stateMachineArn: settings.RECONNECTION_WINDOW_ARN,
          name: windowExecutionName(session, generation),
          input: executionInput,
        }),
      ),
    // It ran and has ended, or another version of this code started it.
    'ExecutionAlreadyExists',
  );
  if (started.ok) log.info('WindowStarted', { generation });
  return started.ok;
}
