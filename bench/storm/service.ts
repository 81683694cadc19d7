import { DEFAULT_QUOTAS, QuotaBuckets } from 'game-lift-streams-local';
import type { InProcessClock } from '../../local/simulation/in-process-clock.ts';

export type CallResult = 'CREATED' | 'THROTTLED' | 'CONFLICT' | 'LOST';

export interface ServiceOptions {
  readonly clock: InProcessClock;
  readonly random: () => number;
  readonly lostReplies: number;
  readonly foreignPerSecond: number;
  readonly deadlines: ReadonlyMap<string, number>;
}

/** One way between a caller and the service or the API: within a Region, with the handling at its end. */
const WAY_MS = { least: 5, spread: 15 } as const;
/** The service answers a reconnection in "a few seconds at most"; how long does not change who is saved. */
const ANSWER_MS = 300;

/** CreateStreamSessionConnection as the stand-in has it: its quota first, then the session's own time. */
export class StormService {
  calls = 0;
  throttled = 0;
  foreignCalls = 0;
  foreignThrottled = 0;
  readonly #options: ServiceOptions;
  readonly #buckets: QuotaBuckets;
  readonly #created = new Set<string>();

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#buckets = new QuotaBuckets(DEFAULT_QUOTAS, options.clock.nowMs());
    if (options.foreignPerSecond > 0) this.#callAsSomebodyElse();
  }

  /** The sessions that wait for a client, in no particular order. */
  waiting(): string[] {
    const { clock, deadlines } = this.#options;
    const nowMs = clock.nowMs();
    return [...deadlines].flatMap(([id, deadlineMs]) =>
      deadlineMs >= nowMs && !this.#created.has(id) ? id : [],
    );
  }

  /** The same session's second call is a replay under the same ClientToken. */
  async connect(id: string): Promise<CallResult> {
    const { clock, random, lostReplies, deadlines } = this.#options;
    await this.travel();
    this.calls++;
    const nowMs = clock.nowMs();
    if (!this.#buckets.take('CreateStreamSessionConnection', nowMs)) {
      this.throttled++;
      await this.travel();
      return 'THROTTLED';
    }
    if (!this.#created.has(id) && nowMs > (deadlines.get(id) ?? 0)) {
      await this.travel();
      return 'CONFLICT';
    }
    this.#created.add(id);
    await clock.sleep(ANSWER_MS);
    await this.travel();
    return random() < lostReplies ? 'LOST' : 'CREATED';
  }

  travel(): Promise<void> {
    const { clock, random } = this.#options;
    return clock.sleep(WAY_MS.least + random() * WAY_MS.spread);
  }

  #callAsSomebodyElse(): void {
    const { clock, foreignPerSecond, deadlines, random } = this.#options;
    const endMs = Math.max(...deadlines.values());
    const call = () => {
      if (clock.nowMs() > endMs) return;
      this.foreignCalls++;
      if (!this.#buckets.take('CreateStreamSessionConnection', clock.nowMs())) this.foreignThrottled++;
      clock.setTimer((1000 / foreignPerSecond) * (0.5 + random()), call);
    };
    clock.setTimer(random() * (1000 / foreignPerSecond), call);
  }
}
