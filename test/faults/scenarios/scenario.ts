import type { SessionRecord } from 'game-lift-streams-local';
import type { Expected } from '../verdict.ts';
import { startWorld, type World } from '../world.ts';

export interface Scenario {
  readonly name: string;
  readonly start?: () => Promise<World>;
  /** Nobody hears that an execution has failed: that event is given up. */
  readonly isDeaf?: boolean;
  /** So many executions have failed that one more is the last. */
  readonly hasNoRetryLeft?: boolean;
  readonly play: (world: World) => Promise<Expected>;
}

export const closed = (session: SessionRecord, outcomes: Expected['outcomes'] = 1): Expected => ({
  session,
  outcomes,
  phases: ['CLOSED'],
});

/** Nobody hears that an execution has failed: the event bus does its best, and no more. */
export async function startDeaf(): Promise<World> {
  return startWorld({
    before: (functionKey) => {
      if (functionKey === 'onExecutionFailure') throw new Error('lost');
    },
  });
}
