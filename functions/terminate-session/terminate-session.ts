import * as z from 'zod';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import { type ReadSwitch, switchReader } from '../shared/runtime/switch.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { callService } from '../shared/service/call-service.ts';
import { terminateStreamSession } from '../shared/service/operations.ts';
import {
  type ReadSessionDependencies,
  readSession,
  type SessionState,
} from '../shared/service/read-session.ts';

export const terminateSessionInputSchema = z.object({
  ...taskInputShape,
  /** When the present disconnect happened, as the window's last look knew it. */
  pendingSinceMs: epochMsSchema,
  marginSeconds: z.number().min(0),
});
export type TerminateSessionInput = z.infer<typeof terminateSessionInputSchema>;

export interface TerminateSessionDependencies extends ReadSessionDependencies {
  readonly readSwitch: ReadSwitch;
  readonly settings: QuotaSettings<'GetStreamSession' | 'TerminateStreamSession'>;
}

/** How old the read may be when the call goes out. An answer or a permit that takes longer is given up. */
const MAX_READ_AGE_MS = 2000;

/**
 * Ends a session that nobody came back to and that the service kept past its window, to give its capacity back.
 * A termination cannot be undone, and the window's decision may be minutes old by now. So this attempt reads the
 * session itself, directly before the call, and leaves it alone unless the service still waits for a client that is
 * overdue. While the service is switched off, windows only observe.
 *
 * The window looks at the session again whatever comes of this. So a 4xx of the call is no failure: the session is
 * gone or its status has moved.
 *
 * Why: docs/decisions/windows.md#a-termination-is-preceded-by-a-read-in-the-same-attempt
 *
 * @throws what `callService` throws.
 */
export async function terminateSession(
  input: TerminateSessionInput,
  dependencies: TerminateSessionDependencies,
): Promise<void> {
  const { log, metrics } = dependencies;
  const switchState = await dependencies.readSwitch(log);
  if (switchState !== 'on') {
    log.warn('TerminationLeftOut', { switch: switchState });
    return;
  }
  const session = await readSession(input, dependencies, undefined, 'LOW');
  if (!isAbandoned(session, input)) {
    log.info('SessionNotAbandoned', { status: session.status });
    return;
  }
  const termination = await callService(
    terminateStreamSession(input),
    { inVainAfterMs: session.asOfMs + MAX_READ_AGE_MS },
    dependencies,
  );
  if (!termination.ok) return;
  log.info('SessionTerminated');
  metrics.add('AbandonedSessionsEnded', 1);
}

/**
 * Whether the service should have ended the session by its own ConnectionTimeoutSeconds, counted from the later of
 * the times that are known for the loss. An ACTIVE session is never abandoned: somebody has just been given an answer.
 * SessionLengthSeconds does not count, because the service does not document when it begins. What the read does not
 * tell is not guessed.
 */
function isAbandoned(
  { status, lastUpdatedAtMs, connectionTimeoutSeconds, asOfMs }: SessionState,
  { pendingSinceMs, marginSeconds }: TerminateSessionInput,
): boolean {
  if (status !== 'PENDING_CLIENT_RECONNECTION') return false;
  if (lastUpdatedAtMs === null || connectionTimeoutSeconds === null) return false;
  const sinceMs = Math.max(pendingSinceMs, lastUpdatedAtMs);
  return asOfMs >= sinceMs + (connectionTimeoutSeconds + marginSeconds) * 1000;
}

export const terminateSessionTask = defineTask({
  settings: ['READS_PER_SECOND', 'TERMINATIONS_PER_SECOND'],
  clients: ['gameLiftStreams'],
  input: terminateSessionInputSchema,
  prepare: (dependencies) => {
    const readSwitch = switchReader(dependencies);
    return (input, tools) => terminateSession(input, { ...dependencies, ...tools, readSwitch });
  },
});
