/** What whoever dies leaves behind: the first half of what is done in two. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { SessionRecord } from 'game-lift-streams-local';
import { recordOutcome } from '../../../functions/record-outcome/record-outcome.ts';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { signalWindow } from '../../../functions/shared/window/mailbox.ts';
import { openWindow } from '../../../functions/shared/window/open-window.ts';
import { updateWindow } from '../../../functions/shared/window/window-item.ts';
import { sendThrough } from '../../../local/simulation/send-through.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { BUS_SETTINGS, OUTCOME_RETENTION_DAYS, WINDOW_SETTINGS } from '../../helpers/windows.ts';
import type { World } from '../world.ts';

/** Dies for good after its first write. */
export async function recordHalf(
  { table, clock, items }: World,
  input: Parameters<typeof recordOutcome>[0],
): Promise<void> {
  const documents = sendThrough(table.documents, async (command, sent) => {
    if (command === 'PutCommand') throw new Error('a bug');
    return items.answer(command, sent);
  });
  const record = recordOutcome(input, {
    table: { ...table, documents },
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    clock,
    log: memoryLog(),
    metrics: memoryMetrics(),
    settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS },
  });
  await record.catch(() => {});
}

/** Opens the session's window and dies before starting its execution. */
export async function openUnstarted(
  { table, clock }: World,
  { streamGroupId, streamSessionId, connectionTimeoutSeconds }: SessionRecord,
): Promise<void> {
  const disconnect = {
    disconnectedAtMs: clock.nowMs(),
    connectionTimeoutSeconds,
    sessionEndsAtMs: undefined,
  };
  await openWindow(table, { streamGroupId, streamSessionId }, disconnect, WINDOW_SETTINGS, async () => true);
}

export async function hasFailedBefore(
  { table }: World,
  { streamGroupId, streamSessionId }: SessionKey,
  times: number,
): Promise<void> {
  await updateWindow(
    table,
    { streamGroupId, streamSessionId },
    {
      UpdateExpression: 'SET failedBefore = :times',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':times': times },
    },
  );
}

/** Adds a signal to the session's window and dies before sending it. */
export async function signalUnsent(
  world: World,
  { streamGroupId, streamSessionId }: SessionKey,
): Promise<void> {
  const stepFunctions = sendThrough(world.stepFunctions, () => Promise.reject(new Error('dead')));
  const { table } = world;
  const signal = { id: `unsent-${streamSessionId}` };
  await signalWindow({ streamGroupId, streamSessionId }, signal, {
    table,
    stepFunctions,
    log: memoryLog(),
  }).catch(() => {});
}
