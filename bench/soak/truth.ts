import type { SessionRecord } from 'game-lift-streams-local';
import type { Outcome } from '../../functions/shared/contracts/index.ts';

const OUTCOME_OF = { CONNECTED: 'RECONNECTED', TERMINATED: 'TERMINATED', ERROR: 'ERRORED' } as const;

export interface Truth {
  /** How each disconnect ended, the first one first, by the service's own history. */
  readonly outcomes: readonly Outcome[];
  /** Whether a disconnect has not ended yet. */
  readonly waiting: boolean;
}

/** What must have been recorded of a session, from what happened to it. */
export function truthOf({ history }: Pick<SessionRecord, 'history'>): Truth {
  const outcomes: Outcome[] = [];
  let waiting = false;
  for (const { status } of history) {
    if (status === 'PENDING_CLIENT_RECONNECTION') waiting = true;
    if (waiting && (status === 'CONNECTED' || status === 'TERMINATED' || status === 'ERROR')) {
      outcomes.push(OUTCOME_OF[status]);
      waiting = false;
    }
  }
  return { outcomes, waiting };
}
