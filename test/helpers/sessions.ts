import type { SessionKey } from '../../functions/shared/contracts/index.ts';

let count = 0;

/** A session that no other test uses. */
export function newSession(): SessionKey {
  count++;
  return { streamGroupId: 'sg-1AB2C3De4', streamSessionId: `session${process.pid}x${count}` };
}
