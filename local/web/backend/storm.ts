import { randomUUID } from 'node:crypto';
import { type GameLiftStreamsControl, NO_CERTIFICATE } from 'game-lift-streams-local';
import type { StormProgress, StormRequest } from './messages.ts';

/** Storms are of this many players at a time, whatever the page asks for: a request holds a connection. */
const AT_ONCE = 40;
/** People do not all come back in the same second; the watcher needs some to find the sessions. */
const COME_BACK_WITHIN_MS = 8_000;
/** Few are as many a second as 100 are. */
const BETWEEN_PLAYERS_MS = 80;

export interface StormOptions extends StormRequest {
  readonly control: GameLiftStreamsControl;
  readonly apiUrl: string;
  readonly random: () => number;
}

/** Many simulated players who lose their connection in the same moment, and come back through the API. */
export class Storm {
  readonly #options: StormOptions;
  readonly #stopped = new AbortController();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  readonly #counts = { waiting: 0, back: 0, lost: 0, requests: 0, toldToWait: 0 };
  readonly ended: Promise<void>;

  constructor(options: StormOptions) {
    this.#options = options;
    this.#counts.waiting = options.players;
    this.ended = this.#run().catch((error: unknown) => {
      // Whoever asked has their reply already: the terminal is told, and the page sees nobody back.
      if (!this.#stopped.signal.aborted) console.error(error);
      this.#counts.lost += this.#counts.waiting;
      this.#counts.waiting = 0;
    });
  }

  progress(): StormProgress {
    const { players } = this.#options;
    return { players, ...this.#counts, isOver: this.#counts.waiting === 0 };
  }

  /** The players give up; their sessions end by themselves. */
  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { control, players, connectionTimeoutSeconds, random } = this.#options;
    const sessions = await control.startSessions({ count: players, connectionTimeoutSeconds });
    await control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));
    const untilMs = Date.now() + connectionTimeoutSeconds * 1000;
    // A player with a short window is back within it.
    const withinMs = Math.min(
      COME_BACK_WITHIN_MS,
      players * BETWEEN_PLAYERS_MS,
      connectionTimeoutSeconds * 500,
    );
    await Promise.all(
      sessions.map(async ({ streamGroupId, streamSessionId }) => {
        await this.#sleep(random() * withinMs);
        // A request that fails is one player's bad luck, not the storm's end.
        const isBack = await this.#comesBack(streamGroupId, streamSessionId, untilMs).catch(() => false);
        this.#counts.waiting--;
        this.#counts[isBack ? 'back' : 'lost']++;
      }),
    );
  }

  async #comesBack(streamGroupId: string, streamSessionId: string, untilMs: number): Promise<boolean> {
    const { apiUrl, control } = this.#options;
    const url = `${apiUrl}/streamgroups/${streamGroupId}/streamsessions/${streamSessionId}/connections`;
    const body = JSON.stringify({ SignalRequest: simulatedOffer() });
    while (Date.now() < untilMs) {
      const reply = await this.#inTurn(() =>
        fetch(url, { method: 'POST', body, signal: this.#stopped.signal }),
      );
      this.#counts.requests++;
      if (reply.ok) {
        await reply.arrayBuffer();
        return control.clientConnects(streamSessionId).then(
          () => true,
          () => false,
        );
      }
      await reply.arrayBuffer();
      const retryAfterSeconds = Number(reply.headers.get('retry-after'));
      // Without the header it is no use to ask again.
      if (!(retryAfterSeconds > 0)) return false;
      this.#counts.toldToWait++;
      await this.#sleep(retryAfterSeconds * 1000);
    }
    return false;
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#busy >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  #sleep(delayMs: number): Promise<void> {
    const { signal } = this.#stopped;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, delayMs);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }
}

/** An offer of a simulated player: no certificate has its fingerprint, so no real peer is made to answer it. */
function simulatedOffer(): string {
  const sdp = [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    `s=${randomUUID()}`,
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:simulated',
    NO_CERTIFICATE,
    'a=mid:0',
  ];
  return JSON.stringify({ type: 'offer', sdp: `${sdp.join('\r\n')}\r\n` });
}
