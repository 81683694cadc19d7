import * as z from 'zod';
import type { AdminShellOutput } from '../shared/contracts/machine-outputs.ts';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import {
  DependencyUnavailableException,
  InternalServerException,
  PermitNotAvailableException,
  StreamSessionAccessNotReadyException,
  ThrottlingException,
} from '../shared/runtime/errors.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { callService, type ServiceDependencies } from '../shared/service/call-service.ts';
import { createStreamSessionAdminShell } from '../shared/service/operations.ts';
import { readSession } from '../shared/service/read-session.ts';

export const createAdminShellInputSchema = z.object({
  ...taskInputShape,
  /** Epoch ms after which the caller no longer listens. */
  deadlineMs: epochMsSchema,
});
export type CreateAdminShellInput = z.infer<typeof createAdminShellInputSchema>;

/** What one attempt came to, where asking again would change nothing. */
export type CreateAdminShellResult =
  | AdminShellOutput
  /** The attempt failed in a way that a retry could mend, and the next one would begin too late. */
  | { readonly result: 'OUT_OF_TIME'; readonly error: string }
  /** So late that no attempt was made. */
  | { readonly result: 'DEADLINE_PASSED' };

export interface CreateAdminShellDependencies extends ServiceDependencies {
  readonly settings: QuotaSettings<'CreateStreamSessionAdminShell' | 'GetStreamSession'>;
}

/** "must be in one of the following statuses": API reference, CreateStreamSessionAdminShell. */
const STATUSES_WITH_ADMIN_SHELL: ReadonlySet<string> = new Set([
  'ACTIVE',
  'CONNECTED',
  'PENDING_CLIENT_RECONNECTION',
  'RECONNECTING',
]);

/** How long an operator is kept waiting for the session's status. */
const STATUS_READ_MS = 2000;
/** No attempt begins later than this before the deadline: a call that nobody waits for would still mint a shell. */
export const SHORTEST_ATTEMPT_MS = 5000;
/** The longest wait between two attempts, MaxDelaySeconds of the state machine. */
export const LONGEST_RETRY_DELAY_MS = 4000;

const RETRYABLE = [
  StreamSessionAccessNotReadyException,
  ThrottlingException,
  PermitNotAvailableException,
  InternalServerException,
  DependencyUnavailableException,
] as const;

/**
 * One attempt at CreateStreamSessionAdminShell. The shell comes last, after everything that can refuse it: the
 * session's status is read first, so that a hopeless request takes no second of a quota of one a second.
 * The service knows no idempotency token here: every success is another shell, also when its reply is lost.
 *
 * @throws StreamSessionAccessNotReadyException, ThrottlingException, PermitNotAvailableException,
 *   InternalServerException, DependencyUnavailableException: all retryable, and only while there is time for it.
 * @throws ServiceAccessDeniedException, UnexpectedError when the service refuses a call for good.
 */
export async function createAdminShell(
  input: CreateAdminShellInput,
  dependencies: CreateAdminShellDependencies,
): Promise<CreateAdminShellResult> {
  const { clock, log } = dependencies;
  const remainingMs = () => input.deadlineMs - clock.nowMs();
  if (remainingMs() < SHORTEST_ATTEMPT_MS) return { result: 'DEADLINE_PASSED' };
  try {
    const attempt = await attemptAdminShell(input, dependencies);
    if (attempt.result === 'ADMIN_SHELL_CREATED') log.info('AdminShellCreated');
    else log.info('AdminShellNotCreated', attempt);
    return attempt;
  } catch (error) {
    if (remainingMs() >= LONGEST_RETRY_DELAY_MS + SHORTEST_ATTEMPT_MS || !isRetryable(error)) throw error;
    log.error('TaskFailed', error);
    return { result: 'OUT_OF_TIME', error: error.name };
  }
}

async function attemptAdminShell(
  input: CreateAdminShellInput,
  dependencies: CreateAdminShellDependencies,
): Promise<CreateAdminShellResult> {
  const statusBefore = await statusIfReadable(input, dependencies);
  if (statusBefore === 'NOT_FOUND') return { result: 'NOT_FOUND' };
  if (statusBefore !== undefined && !STATUSES_WITH_ADMIN_SHELL.has(statusBefore)) {
    return { result: 'STATUS_WITHOUT_ADMIN_SHELL', status: statusBefore };
  }
  const shell = await callService(
    createStreamSessionAdminShell(input),
    { deadlineMs: input.deadlineMs },
    dependencies,
  );
  if (!shell.ok) {
    // A wrong status is "404 or 400" (Developer Guide), and may have come about since the first read.
    const status = await readStatus(input, dependencies);
    if (status === 'NOT_FOUND') return { result: 'NOT_FOUND' };
    const isRightStatus = STATUSES_WITH_ADMIN_SHELL.has(status);
    return { result: isRightStatus ? 'REJECTED_BY_SERVICE' : 'STATUS_WITHOUT_ADMIN_SHELL', status };
  }
  const { SessionId: sessionId, StreamUrl: streamUrl, TokenValue: tokenValue } = shell.reply;
  // The API declares all three optional. Without one of them there is no way into the shell.
  if (sessionId === undefined || streamUrl === undefined || tokenValue === undefined) {
    throw new InternalServerException();
  }
  return {
    result: 'ADMIN_SHELL_CREATED',
    sessionId,
    streamUrl,
    tokenValue,
    createdAtMs: dependencies.clock.nowMs(),
  };
}

/**
 * Undefined when the read quota is used up, as it is when thousands of players reconnect: operators need shells
 * most then, and the service checks the status itself.
 */
async function statusIfReadable(
  input: CreateAdminShellInput,
  dependencies: CreateAdminShellDependencies,
): Promise<string | undefined> {
  try {
    return await readStatus(input, dependencies);
  } catch (error) {
    if (isRetryable(error)) return undefined;
    throw error;
  }
}

async function readStatus(
  input: CreateAdminShellInput,
  dependencies: CreateAdminShellDependencies,
): Promise<string> {
  const latestMs = Math.min(input.deadlineMs, dependencies.clock.nowMs() + STATUS_READ_MS);
  return (await readSession(input, dependencies, latestMs)).status;
}

function isRetryable(error: unknown): error is Error {
  return RETRYABLE.some((retryable) => error instanceof retryable);
}

export const createAdminShellTask = defineTask({
  settings: ['ADMIN_SHELLS_PER_SECOND', 'READS_PER_SECOND'],
  clients: ['gameLiftStreams'],
  input: createAdminShellInputSchema,
  decide: createAdminShell,
});
