import type { StreamSessionStatus } from '@aws-sdk/client-gameliftstreams';
import { type Random, randomAlphanumeric, randomBytes } from './randomness.ts';

/** Where a shell can be opened (API reference, CreateStreamSessionAdminShell). */
const SHELL_STATUSES: readonly StreamSessionStatus[] = [
  'ACTIVE',
  'CONNECTED',
  'PENDING_CLIENT_RECONNECTION',
  'RECONNECTING',
];

export const allowsAdminShell = (status: StreamSessionStatus) => SHELL_STATUSES.includes(status);

/** A Systems Manager session that nobody serves: ids and secrets of the right shape, new each time. */
export function newAdminShell(region: string, serial: number, random: Random) {
  const sessionId = `gameliftstreams-${serial}-${randomAlphanumeric(random, 17).toLowerCase()}`;
  const host = `ssmmessages.${region}.amazonaws.com`;
  return {
    SessionId: sessionId,
    StreamUrl: `wss://${host}/v1/data-channel/${sessionId}?role=publish_subscribe`,
    TokenValue: randomBytes(random, 180).toString('base64'),
  };
}

/** Until when sessions are not ready for access (told by a control call). */
export class AdminShellReadiness {
  #everySessionMs = 0;
  readonly #sessionMs = new Map<string, number>();

  delay(streamSessionId: string | undefined, untilMs: number): void {
    if (streamSessionId === undefined) this.#everySessionMs = untilMs;
    else this.#sessionMs.set(streamSessionId, untilMs);
  }

  isReady(streamSessionId: string, nowMs: number): boolean {
    return nowMs >= Math.max(this.#everySessionMs, this.#sessionMs.get(streamSessionId) ?? 0);
  }
}
