import type { GameLiftStreamsControl } from 'game-lift-streams-local';
import type { Cause, Outcome } from '../../functions/shared/contracts/index.ts';
import type { Player } from './player.ts';

/** One player's story: what happens, and what must be written down in the end. */
export interface Scenario {
  readonly title: string;
  readonly connectionTimeoutSeconds: number;
  /** `tell` says what has just happened, for those who watch. */
  play(player: Player, control: GameLiftStreamsControl, tell: (what: string) => void): Promise<void>;
  readonly expected: {
    readonly outcome: Outcome;
    readonly statusReason: string | null;
    readonly cause: Cause;
    /** Calls of CreateStreamSessionConnection behind the connections that were created. */
    readonly connectionAttempts: number;
  };
}

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

export const scenarios: readonly Scenario[] = [
  {
    title: 'comes back, through throttling and a conflict',
    connectionTimeoutSeconds: 20,
    async play(player, control, tell) {
      const { streamSessionId } = player.session;
      const operation = 'CreateStreamSessionConnection';
      await player.drops();
      tell('dropped');
      await seconds(1);
      await control.injectFault({ kind: 'throttling', operation, streamSessionId });
      await control.injectFault({ kind: 'conflict', operation, streamSessionId });
      tell('asks to reconnect; the service will throttle, then conflict');
      const answer = await player.asksToReconnect();
      tell('has an answer');
      await seconds(1);
      await player.connects(answer);
      tell('is connected again');
    },
    expected: { outcome: 'RECONNECTED', statusReason: null, cause: 'RECONNECTED', connectionAttempts: 3 },
  },
  {
    title: 'cannot use the first answer, and comes back with a second offer',
    connectionTimeoutSeconds: 20,
    async play(player, _control, tell) {
      await player.drops();
      tell('dropped');
      await seconds(1);
      await player.asksToReconnect();
      tell('has an answer, but the peer connection fails');
      await seconds(3);
      const answer = await player.asksToReconnect();
      tell('has an answer to a second offer');
      await seconds(1);
      await player.connects(answer);
      tell('is connected again');
    },
    expected: { outcome: 'RECONNECTED', statusReason: null, cause: 'RECONNECTED', connectionAttempts: 2 },
  },
  {
    title: 'never comes back',
    connectionTimeoutSeconds: 10,
    async play(player, _control, tell) {
      await player.drops();
      tell('dropped, and nobody comes');
    },
    expected: {
      outcome: 'TERMINATED',
      statusReason: 'reconnectionTimeout',
      cause: 'TIMED_OUT',
      connectionAttempts: 0,
    },
  },
  {
    title: 'leaves on purpose',
    connectionTimeoutSeconds: 20,
    async play(player, _control, tell) {
      await player.drops();
      tell('dropped');
      await player.windowOpens(10);
      await player.leaves();
      tell('has left; nothing is lost');
    },
    expected: { outcome: 'TERMINATED', statusReason: 'apiTerminated', cause: 'LEFT', connectionAttempts: 0 },
  },
  {
    title: 'is reported by no feed; only the watcher finds the session',
    connectionTimeoutSeconds: 20,
    async play(player, _control, tell) {
      await player.dropsUnreported();
      tell('dropped, and nobody says so');
      // The watcher looks every 5 s.
      await player.windowOpens(10);
      tell('was found by the watcher');
      const answer = await player.asksToReconnect();
      tell('has an answer');
      await seconds(1);
      await player.connects(answer);
      tell('is connected again');
    },
    expected: { outcome: 'RECONNECTED', statusReason: null, cause: 'RECONNECTED', connectionAttempts: 1 },
  },
];
