/**
 * Holds the seat of a lost player, so that matchmaking does not give it away before the player's time is over. On the
 * local stack (`npm run start` prints the bus's address):
 *
 *   npx node feeds/consumers/hold-seat.ts <address of the local event bus>
 *
 * In the cloud: a rule for both detail types, and a Lambda function whose handler is what `holdSeat` returns.
 */
import { followLocalBus, LatestWindows, windowEventOf } from './window-events.ts';

/** The matchmaker's own part. Each call may come again. */
export interface Seats {
  /** Keeps backfill away from the seat until then. Let it lapse by itself: an outcome may come late. */
  hold(session: string, until: Date): Promise<void>;
  /** The player has the seat again. */
  giveBack(session: string): Promise<void>;
  /** Backfill may take the seat, at once. */
  release(session: string, cause: string): Promise<void>;
}

/** How long after the deadline a seat is held: the service and the window need a few seconds to say how it ended. */
const GRACE_MS = 5_000;

/** Returns the consumer of the events of windows. */
export function holdSeat(seats: Seats): (event: unknown) => Promise<void> {
  const latest = new LatestWindows();
  return async (raw) => {
    const event = windowEventOf(raw);
    if (event === undefined) return;
    await latest.ifNews(event, () => {
      if (event.kind === 'opened')
        return seats.hold(event.session, new Date(event.deadline.getTime() + GRACE_MS));
      if (event.outcome === 'RECONNECTED' || event.outcome === 'NOT_DISCONNECTED')
        return seats.giveBack(event.session);
      return seats.release(event.session, event.cause);
    });
  };
}

if (import.meta.main) {
  const [busUrl] = process.argv.slice(2);
  if (busUrl === undefined) throw new Error('Usage: hold-seat.ts <address of the local event bus>');
  const say = async (text: string) => void process.stdout.write(`${text}\n`);
  await followLocalBus(
    busUrl,
    holdSeat({
      hold: (session, until) => say(`${session}: seat held until ${until.toISOString()}`),
      giveBack: (session) => say(`${session}: the player has the seat again`),
      release: (session, cause) => say(`${session}: seat free, because ${cause}`),
    }),
  );
}
