import { TerminateStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import * as z from 'zod';
import { callService, type ServiceDependencies } from '../shared/call-service.ts';
import type { ReadSwitch } from '../shared/switch.ts';
import { taskInputShape } from '../shared/task.ts';

export const terminateSessionInputSchema = z.object(taskInputShape);
export type TerminateSessionInput = z.infer<typeof terminateSessionInputSchema>;

export interface TerminateSessionDependencies extends ServiceDependencies {
  readonly readSwitch: ReadSwitch;
  readonly settings: { readonly TERMINATIONS_PER_SECOND: number };
}

/**
 * Ends a session that outlived its window. A session that is gone, or refuses because its status has moved,
 * is no failure: the check that follows reads what became of it. While the service is switched off, windows only
 * observe, and the session stays the service's own to end.
 *
 * @throws what `callService` throws.
 */
export async function terminateSession(
  { streamGroupId, streamSessionId }: TerminateSessionInput,
  dependencies: TerminateSessionDependencies,
): Promise<void> {
  const switchState = await dependencies.readSwitch(dependencies.log);
  if (switchState !== 'on') {
    dependencies.log.warn('TerminationLeftOut', { switch: switchState });
    return;
  }
  const termination = await callService(
    { operation: 'TerminateStreamSession', perSecond: dependencies.settings.TERMINATIONS_PER_SECOND },
    (client, abortSignal) =>
      client.send(
        new TerminateStreamSessionCommand({
          Identifier: streamGroupId,
          StreamSessionIdentifier: streamSessionId,
        }),
        { abortSignal },
      ),
    dependencies,
  );
  if (!termination.ok) return;
  dependencies.log.info('SessionTerminated');
  dependencies.metrics.add('AbandonedSessionsEnded', 1);
}
