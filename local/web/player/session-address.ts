import type { SessionIds } from './player-session.ts';

/** A tab that is loaded again, or another one, finds its session in the address. The backend says whose it is. */
export function sessionIn(search: string): SessionIds | undefined {
  const parameters = new URLSearchParams(search);
  const [streamGroupId, streamSessionId] = [parameters.get('group'), parameters.get('session')];
  if (streamGroupId === null || streamSessionId === null) return undefined;
  return { streamGroupId, streamSessionId };
}

export function addressOf({ streamGroupId, streamSessionId }: SessionIds): string {
  return `/player?${new URLSearchParams({ group: streamGroupId, session: streamSessionId })}`;
}

export function showInAddress(session: SessionIds | undefined): void {
  const address = session === undefined ? undefined : addressOf(session);
  if (address !== undefined && address !== location.pathname + location.search) {
    history.replaceState(null, '', address);
  }
}
