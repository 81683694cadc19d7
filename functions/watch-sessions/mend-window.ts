import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import type { SessionKey } from '../shared/contracts/index.ts';
import { windowExecutionArn } from '../shared/contracts/names.ts';
import { attempt } from '../shared/runtime/service-fault.ts';
import { type ReplaceDependencies, replaceDeadWindow } from '../shared/window/replace-window.ts';
import { ensureRunning } from '../shared/window/start-window.ts';
import type { WindowItem } from '../shared/window/window-item.ts';

/**
 * Starts an open window that was never started, and replaces one whose execution has died.
 *
 * @throws DependencyUnavailableException
 */
export async function mendWindow(
  session: SessionKey,
  window: WindowItem,
  dependencies: ReplaceDependencies,
): Promise<void> {
  // Not to be started under its name: its execution ended before its first wait, or the name is another window's.
  const isAlive = window.running
    ? await isExecutionAlive(session, window, dependencies)
    : await ensureRunning(session, window, dependencies);
  if (!isAlive) await replaceDeadWindow(session, window, dependencies);
}

async function isExecutionAlive(
  session: SessionKey,
  { generation }: WindowItem,
  { stepFunctions, settings }: ReplaceDependencies,
): Promise<boolean> {
  const executionArn = windowExecutionArn(settings.RECONNECTION_WINDOW_ARN, session, generation);
  const described = await attempt(
    () => stepFunctions.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' })),
    'ExecutionDoesNotExist',
  );
  return described.ok && described.result.status === 'RUNNING';
}
