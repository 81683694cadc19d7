import { TerminateStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { z } from 'zod';
import { callService, type ServiceDependencies } from '../shared/call-service.ts';
import { taskInputShape } from '../shared/task.ts';

export const terminateSessionInputSchema = z.object(taskInputShape);
export type TerminateSessionInput = z.infer<typeof terminateSessionInputSchema>;

export interface TerminateSessionDependencies extends ServiceDependencies {
  readonly settings: { readonly TERMINATIONS_PER_SECOND: number };
}

/**
 * Ends a session that outlived its window. A session that is gone, or refuses because its status has moved,
 * is no failure: the check that follows reads what became of it.
 *
 * @throws what `callService` throws.
 */
export async function terminateSession(
  { streamGroupId, streamSessionId }: TerminateSessionInput,
  dependencies: TerminateSessionDependencies,
): Promise<void> {
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
  if (termination.ok) dependencies.log.info('SessionTerminated');
}
