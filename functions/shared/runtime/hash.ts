import { createHash } from 'node:crypto';
import type { SessionKey } from '../contracts/index.ts';

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/**
 * The ClientToken of a request whose caller gave none: the same for every repeat of the same offer for the
 * same session, 64 characters of the 32 to 128 that the service takes. The SDK's own token is new at every
 * `send`, so that a retry would be a second request.
 *
 * Why: docs/decisions/windows.md#ids-not-arns-name-a-session-inside-the-service
 */
export function deterministicClientToken(session: SessionKey, signalRequest: string): string {
  return sha256Hex(JSON.stringify([session.streamGroupId, session.streamSessionId, signalRequest]));
}
