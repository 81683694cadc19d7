import {
  CreateStreamSessionAdminShellCommand,
  type GameLiftStreamsClient,
} from '@aws-sdk/client-gameliftstreams';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import { type LastHeaders, onTheWay } from './api-client.ts';

/** What session-manager-plugin opens the shell with. All three are secrets. */
export interface AdminShell {
  readonly sessionId: string;
  readonly streamUrl: string;
  readonly tokenValue: string;
  /** Epoch ms until which the shell can be opened. */
  readonly expiresAtMs: number;
}

export interface ShellRequest {
  readonly streamGroup: string;
  readonly streamSession: string;
  readonly reason: string | undefined;
  readonly waitSeconds: number;
}

export interface RequestDependencies {
  readonly client: GameLiftStreamsClient;
  readonly clock: Clock;
  readonly tell: (line: string) => void;
}

/** The reply of the API has not all of the three credentials. */
export class IncompleteReplyError extends Error {
  override readonly name = 'IncompleteReplyError';
}

/** What is worth asking again for, and what to say meanwhile. No other error: a repeat mints another shell. */
const WORTH_WAITING_FOR: ReadonlyMap<string, string> = new Map([
  ['StreamSessionAccessNotReadyException', "The session's terminal connection is not available yet."],
  ['ThrottlingException', 'Others are asking for admin shells, too.'],
]);
const VALID_SECONDS = 60;
const DEFAULT_RETRY_AFTER_SECONDS = 5;

/**
 * Asks for a shell, and goes on asking as long as the API says that it is worth it.
 *
 * @throws IncompleteReplyError, and what the SDK throws.
 */
export async function requestShell(
  request: ShellRequest,
  { client, clock, tell }: RequestDependencies,
): Promise<AdminShell> {
  const { reason } = request;
  const headers = onTheWay(client, reason === undefined ? {} : { 'x-reason': reason });
  const giveUpAtMs = clock.nowMs() + request.waitSeconds * 1000;
  for (;;) {
    try {
      return await ask(request, client, clock, headers);
    } catch (error) {
      const why = error instanceof Error ? WORTH_WAITING_FOR.get(error.name) : undefined;
      const waitSeconds = headers.number('retry-after') ?? DEFAULT_RETRY_AFTER_SECONDS;
      if (why === undefined || clock.nowMs() + waitSeconds * 1000 > giveUpAtMs) throw error;
      tell(`${why} Asking again in ${waitSeconds} s.`);
      await clock.sleep(waitSeconds * 1000);
    }
  }
}

async function ask(
  { streamGroup, streamSession }: ShellRequest,
  client: GameLiftStreamsClient,
  clock: Clock,
  headers: LastHeaders,
): Promise<AdminShell> {
  const { SessionId, StreamUrl, TokenValue } = await client.send(
    new CreateStreamSessionAdminShellCommand({
      Identifier: streamGroup,
      StreamSessionIdentifier: streamSession,
    }),
  );
  if (SessionId === undefined || StreamUrl === undefined || TokenValue === undefined) {
    throw new IncompleteReplyError('The reply has no credentials.');
  }
  const validSeconds = headers.number('x-expires-in-seconds') ?? VALID_SECONDS;
  return {
    sessionId: SessionId,
    streamUrl: StreamUrl,
    tokenValue: TokenValue,
    expiresAtMs: clock.nowMs() + validSeconds * 1000,
  };
}
