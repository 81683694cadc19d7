/**
 * Pauses a match while one of its players may still come back. On the local stack (`npm run start` prints the bus's address):
 *
 *   npx node feeds/consumers/pause-match.ts <address of the local event bus>
 *
 * In the cloud: a rule for both detail types, and a Lambda function whose handler is what `pauseMatch` returns.
 */
import { followLocalBus, LatestWindows, windowEventOf } from './window-events.ts';

/** The game's own part. Each call may come again. */
export interface Match {
  /** Shows "waiting for a player" until then, at the latest. A later call replaces the time. */
  pause(session: string, until: Date): Promise<void>;
  /** The player is back, or was never away. */
  resume(session: string): Promise<void>;
  /** The match goes on without the player. A player who left on purpose was not lost. */
  goOnWithout(session: string, leftOnPurpose: boolean): Promise<void>;
}

/** Returns the consumer of the events of windows. */
export function pauseMatch(match: Match): (event: unknown) => Promise<void> {
  const latest = new LatestWindows();
  return async (raw) => {
    const event = windowEventOf(raw);
    if (event === undefined) return;
    await latest.ifNews(event, () => {
      if (event.kind === 'opened') return match.pause(event.session, event.deadline);
      // NOT_DISCONNECTED: the report was wrong, unless the session has ended for another reason since.
      if (event.outcome === 'RECONNECTED' || event.outcome === 'NOT_DISCONNECTED')
        return match.resume(event.session);
      return match.goOnWithout(event.session, event.cause === 'LEFT' || event.cause === 'OPERATOR');
    });
  };
}

if (import.meta.main) {
  const [busUrl] = process.argv.slice(2);
  if (busUrl === undefined) throw new Error('Usage: pause-match.ts <address of the local event bus>');
  const say = async (text: string) => void process.stdout.write(`${text}\n`);
  await followLocalBus(
    busUrl,
    pauseMatch({
      pause: (session, until) => say(`${session}: paused until ${until.toISOString()}`),
      resume: (session) => say(`${session}: goes on with the player`),
      goOnWithout: (session, left) =>
        say(`${session}: goes on without the player, who ${left ? 'left' : 'is lost'}`),
    }),
  );
}
