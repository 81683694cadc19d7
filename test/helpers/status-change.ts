import type { SessionKey, StreamSessionStatus } from '../../functions/shared/contracts/index.ts';

let count = 0;

export interface StatusChange {
  readonly session: SessionKey;
  readonly atMs: number;
  readonly status?: StreamSessionStatus;
  readonly id?: string;
  /** Further members of the detail, or members to take out (undefined). */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The event as EventBridge delivers it: its envelope and the sender's detail. */
export function statusChangeEvent({
  session,
  atMs,
  status = 'PENDING_CLIENT_RECONNECTION',
  id = `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
  detail = {},
}: StatusChange): Record<string, unknown> {
  const event = {
    version: '0',
    id,
    'detail-type': 'Stream Session Status Change',
    source: 'stream-session-reconnection',
    account: '111122223333',
    time: '2026-01-01T00:00:00Z',
    region: 'us-west-2',
    resources: [],
    detail: { version: '1', ...session, status, statusChangedAt: new Date(atMs).toISOString(), ...detail },
  };
  return JSON.parse(JSON.stringify(event));
}
