import type { SessionRecord } from 'game-lift-streams-local';
import { z } from 'zod';
import { itemKindOf, sessionPartition, windowKey } from '../../functions/shared/contracts/table-keys.ts';
import type { Service } from '../../local/service/service.ts';
import { offerOf } from '../../local/simulation/offers.ts';
import { truthOf } from '../soak/truth.ts';
import { type SoakWorld, startSoakWorld } from './world.ts';

const MINUTE_MS = 60_000;
const TIMEOUTS_SECONDS = [600, 3600] as const;
/** What a seat's player does after each loss: returns, makes a new offer again and again and uses the last one, or is gone. */
const HABITS = ['returns', 'offersAgainAndAgain', 'isGone', 'returns'] as const;
/** From the end of a session to its outcome. The watcher and a low-priority read tell it within a minute. */
const RECORDED_WITHIN_MS = 10 * MINUTE_MS;

export interface LongSoakOptions {
  readonly service: Service;
  readonly seed: number;
  /** Each has one session after the other. */
  readonly seats: number;
  /** How long players go on losing their connections, in virtual time. The last windows end later. */
  readonly minutes: number;
  readonly offerEverySeconds: number;
  /** Whether the watcher looks every five seconds. */
  readonly watching?: boolean;
  readonly onProgress?: (line: string) => void;
}

export interface LongSoak {
  readonly sessions: number;
  readonly drops: number;
  readonly offers: number;
  /** Recorded outcomes, by their names. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Sessions whose recorded outcomes are not those of the service's own history. */
  readonly wrong: readonly string[];
  /** Errors of the table other than a condition that did not hold. */
  readonly refused: Readonly<Record<string, number>>;
  readonly largestBytes: Readonly<Record<string, number>>;
}

export async function runLongSoak(options: LongSoakOptions): Promise<LongSoak> {
  const { service, seed, seats, minutes, watching = true, onProgress = () => {} } = options;
  const world = await startSoakWorld(service, seed, watching);
  try {
    const { clock } = world;
    const endMs = clock.nowMs() + minutes * MINUTE_MS;
    const runs = Array.from({ length: seats }, (_, number) => new Seat(world, number, endMs, options));
    let isOver = false;
    const over = Promise.all(runs.map((seat) => seat.play())).finally(() => {
      isOver = true;
    });
    for (let minute = 0; !isOver; minute += 10) {
      const drops = sum(runs, (seat) => seat.drops);
      onProgress(`${minute} virtual minutes: ${drops} drops`);
      await clock.advance(10 * MINUTE_MS);
    }
    await over;
    const sessions = runs.flatMap((seat) => seat.sessions);
    return {
      sessions: sessions.length,
      drops: sum(runs, (seat) => seat.drops),
      offers: sum(runs, (seat) => seat.offers),
      ...(await judge(world, sessions)),
      refused: world.refused,
      largestBytes: world.largestBytes,
    };
  } finally {
    await world.close();
  }
}

class Seat {
  readonly sessions: SessionRecord[] = [];
  drops = 0;
  offers = 0;
  readonly #world: SoakWorld;
  readonly #number: number;
  readonly #endMs: number;
  readonly #offerEveryMs: number;
  readonly #timeoutMs: number;
  readonly #habit: (typeof HABITS)[number];

  constructor(world: SoakWorld, number: number, endMs: number, { offerEverySeconds }: LongSoakOptions) {
    this.#world = world;
    this.#number = number;
    this.#endMs = endMs;
    this.#offerEveryMs = offerEverySeconds * 1000;
    this.#timeoutMs = (TIMEOUTS_SECONDS[number % TIMEOUTS_SECONDS.length] ?? 0) * 1000;
    this.#habit = HABITS[Math.floor(number / TIMEOUTS_SECONDS.length) % HABITS.length] ?? 'returns';
  }

  async play(): Promise<void> {
    const { clock, control } = this.#world;
    while (clock.nowMs() < this.#endMs) {
      const session = await control.startSession({
        connectionTimeoutSeconds: this.#timeoutMs / 1000,
        userId: `user-${this.#number}`,
        settings: { lossNoticeMs: this.#random(10_000) },
      });
      this.sessions.push(session);
      for (let drops = 1; (await this.#isConnected(session)) && clock.nowMs() < this.#endMs; drops++) {
        await clock.sleep(MINUTE_MS + this.#random(2 * MINUTE_MS));
        await this.#drop(session);
        await this.#untilClosed(session, drops);
      }
    }
  }

  async #drop(session: SessionRecord): Promise<void> {
    const { clock, control, report } = this.#world;
    this.drops++;
    const droppedAtMs = clock.nowMs();
    await control.clientDrops(session.streamSessionId);
    await report(session, 'PENDING_CLIENT_RECONNECTION');
    if (this.#habit === 'isGone') return;
    let answer: string | undefined;
    if (this.#habit === 'returns') {
      await clock.sleep(this.#random(this.#timeoutMs * 0.8));
    } else {
      while (clock.nowMs() < droppedAtMs + this.#timeoutMs * 0.9) {
        await clock.sleep(this.#offerEveryMs);
        answer = (await this.#offer(session)) ?? answer;
        await report(session, 'RECONNECTING');
      }
    }
    while (answer === undefined && clock.nowMs() < droppedAtMs + this.#timeoutMs) {
      answer = await this.#offer(session);
    }
    if (answer !== undefined) await control.clientConnects(session.streamSessionId, answer);
  }

  /** @returns the answer, or undefined when it is time to ask again. */
  async #offer(session: SessionRecord): Promise<string | undefined> {
    const name = `seat-${this.#number}-offer-${this.offers++}`;
    const body = { SignalRequest: offerOf(name), ClientToken: name.padEnd(32, '-') };
    const reply = await this.#world.connect(session, body);
    if (reply.answer === undefined) await this.#world.clock.sleep(reply.retryAfterSeconds * 1000);
    return reply.answer;
  }

  async #untilClosed(session: SessionRecord, generation: number): Promise<void> {
    const { clock, memory } = this.#world;
    const untilMs = clock.nowMs() + this.#timeoutMs + RECORDED_WITHIN_MS;
    const key = windowKey(session);
    const closed = z.object({ generation: z.literal(generation), phase: z.literal('CLOSED') });
    while (!closed.safeParse(memory.item(key)).success && clock.nowMs() < untilMs) await clock.sleep(5000);
  }

  async #isConnected({ streamSessionId }: SessionRecord): Promise<boolean> {
    return (await this.#world.control.session(streamSessionId)).status === 'CONNECTED';
  }

  #random(below: number): number {
    return Math.floor(this.#world.random() * below);
  }
}

const outcomeItemSchema = z.object({ pk: z.string(), outcome: z.string() });

async function judge({ memory, control }: SoakWorld, sessions: readonly SessionRecord[]) {
  const recorded = memory
    .all()
    .filter(({ sk }) => itemKindOf({ sk: String(sk) }) === 'outcome')
    .map((item) => outcomeItemSchema.parse(item));
  const outcomes: Record<string, number> = {};
  for (const { outcome } of recorded) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const ofSession = Map.groupBy(recorded, ({ pk }) => pk);
  const wrong: string[] = [];
  for (const session of sessions) {
    const truth = truthOf(await control.session(session.streamSessionId));
    const happened = truth.outcomes.join(', ');
    const found = (ofSession.get(sessionPartition(session)) ?? []).map(({ outcome }) => outcome).join(', ');
    if (truth.waiting || happened !== found) {
      wrong.push(`${session.streamSessionId}: ${happened} happened, ${found} is recorded`);
    }
  }
  return { outcomes, wrong };
}

function sum(seats: readonly Seat[], of: (seat: Seat) => number): number {
  return seats.reduce((total, seat) => total + of(seat), 0);
}
