import * as backend from './backend.ts';
import { comeBack, type Step } from './come-back.ts';
import { type GameView, StreamClient } from './stream-client.ts';

export interface SessionIds {
  readonly streamGroupId: string;
  readonly streamSessionId: string;
}

/**
 * - `absent`: no session yet
 * - `starting`, `returning`: on the way to `connected`
 * - `away`: the connection is lost, the player may come back
 * - `gone`: the player will not come back
 * - `refused`: the way back is closed, or another client is connected
 * - `ended`: the server has hung up
 */
export type Phase = 'absent' | 'starting' | 'connected' | 'away' | 'returning' | 'gone' | 'refused' | 'ended';

export interface LogEntry {
  readonly id: number;
  readonly at: Date;
  readonly tone: 'idle' | 'running' | 'good' | 'bad' | 'warn';
  readonly text: string;
}

export interface PlayerView {
  readonly phase: Phase;
  readonly session?: SessionIds;
  /** Requests for a connection since the last loss. */
  readonly attempts: number;
  /** The windows that the session had had when the connection was lost. */
  readonly windowsBefore: number;
  readonly stream?: MediaStream;
  /** What the game showed last; it stays on the page when the stream is gone. */
  readonly game?: GameView;
  /** What has to be said about the phase, such as why it was refused. */
  readonly reason?: string;
  /** The latest first. */
  readonly log: readonly LogEntry[];
}

const MAX_LOG_ENTRIES = 50;
const READY_POLL_MS = 500;
/** The service takes up to 30 s to start a session. */
const READY_TIMEOUT_MS = 45_000;

/** One player in one tab: at most one client, and one thing under way at a time. */
export class PlayerSession {
  #view: PlayerView = { phase: 'absent', attempts: 0, windowsBefore: 0, log: [] };
  readonly #listeners = new Set<() => void>();
  #client: StreamClient | undefined;
  /** Whatever began before the latest thing that the player did is not theirs any more. */
  #turn = 0;
  #entries = 0;
  #generation = 0;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): PlayerView => this.#view;

  async start(connectionTimeoutSeconds: number): Promise<void> {
    const turn = this.#begin();
    this.#generation = 0;
    this.#view = { phase: 'starting', attempts: 0, windowsBefore: 0, log: this.#view.log };
    this.#note('running', 'Starting a stream session with a new offer');
    try {
      const client = this.#newClient();
      const offer = await client.generateSignalRequest();
      const session = await backend.startSession(offer, connectionTimeoutSeconds);
      if (turn !== this.#turn) return;
      this.#change({ session });
      this.#note('idle', `Session ${session.streamSessionId} is ACTIVATING`);
      const answer = await this.#firstAnswer(session, turn);
      if (answer === undefined || turn !== this.#turn) return;
      const isConnected = await client.connect(answer);
      if (turn !== this.#turn) return;
      if (isConnected) this.#connected('Connected: video and data flow');
      else this.#fail('away', 'No media came within 8 s.');
    } catch (error) {
      if (turn === this.#turn)
        this.#fail(this.#view.session === undefined ? 'absent' : 'away', messageOf(error));
    }
  }

  /** Takes up a session that another tab, or this one before it was loaded anew, has started. */
  resume(session: SessionIds): void {
    this.#change({ session, phase: 'away' });
    void this.comeBack();
  }

  async comeBack(): Promise<void> {
    const { session } = this.#view;
    if (session === undefined) return;
    const turn = this.#begin();
    this.#change({ phase: 'returning' });
    try {
      const result = await comeBack({
        newClient: () => {
          if (turn !== this.#turn) throw new GaveUpError();
          return this.#newClient();
        },
        ask: (offer) => {
          if (turn !== this.#turn) throw new GaveUpError();
          this.#change({ attempts: this.#view.attempts + 1 });
          return backend.requestConnection(session.streamSessionId, offer);
        },
        wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
        report: (step) => {
          if (turn === this.#turn) this.#tellStep(step);
        },
      });
      if (turn !== this.#turn) return;
      if (result.kind === 'back') this.#connected('Back: video and data flow again');
      else if (result.kind === 'unreachable') this.#fail('away', 'The backend does not answer.');
      else this.#fail('refused', `${result.name}: ${result.message}`);
    } catch (error) {
      if (turn === this.#turn) this.#fail('away', messageOf(error));
    }
  }

  /** The connection is closed, and nobody is told: the service has to notice by itself. */
  pullThePlug(): void {
    this.#begin();
    this.#hangUp();
    this.#change({ phase: 'away', ...this.#lossNow() });
    this.#note('warn', 'The plug is pulled; nobody is told');
  }

  neverComeBack(): void {
    this.#begin();
    const loss = this.#view.phase === 'connected' ? this.#lossNow() : {};
    this.#hangUp();
    this.#change({ phase: 'gone', ...loss });
    this.#note('warn', 'The player is gone for good; nobody is told');
  }

  /** @param generation of the latest window that the page has seen */
  sawWindow(generation: number): void {
    this.#generation = generation;
  }

  jump(): void {
    this.#client?.sendInput();
  }

  /** A new turn: answers to what went before are not heard any more. */
  #begin(): number {
    return ++this.#turn;
  }

  #newClient(): StreamClient {
    this.#hangUp();
    const client: StreamClient = new StreamClient({
      onStream: (stream) => this.#whenCurrent(client, () => this.#change({ stream })),
      onGame: (game) => this.#whenCurrent(client, () => this.#change({ game })),
      onServerDisconnect: (reason) =>
        this.#whenCurrent(client, () => {
          this.#hangUp();
          this.#fail('ended', `The server has hung up: ${reason}.`);
        }),
      onLost: () =>
        this.#whenCurrent(client, () => {
          this.#hangUp();
          this.#change(this.#lossNow());
          this.#fail('away', 'The connection is lost.');
        }),
    });
    this.#client = client;
    return client;
  }

  #lossNow(): Pick<PlayerView, 'attempts' | 'windowsBefore'> {
    return { attempts: 0, windowsBefore: this.#generation };
  }

  #whenCurrent(client: StreamClient, act: () => void): void {
    if (this.#client === client) act();
  }

  #hangUp(): void {
    this.#client?.close();
    this.#client = undefined;
    const { stream: _stream, ...rest } = this.#view;
    this.#view = rest;
  }

  /** Polls, as AWS recommends for the start of a session. */
  async #firstAnswer({ streamSessionId }: SessionIds, turn: number): Promise<string | undefined> {
    const untilMs = Date.now() + READY_TIMEOUT_MS;
    while (turn === this.#turn && Date.now() < untilMs) {
      const { status, statusReason, signalResponse } = await backend.readSession(streamSessionId);
      if (signalResponse !== undefined) return signalResponse;
      if (status !== 'ACTIVATING')
        throw new Error(`The session is ${status} (${statusReason ?? 'no reason'}).`);
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    if (turn === this.#turn) throw new Error('The session was not ready in time.');
    return undefined;
  }

  #tellStep(step: Step): void {
    switch (step.kind) {
      case 'offers':
        this.#note('running', 'Asking to come back, with a new connection and a new offer');
        return;
      case 'waits':
        this.#note('warn', `Told to wait (${step.name}): the same request again in ${step.seconds} s`);
        return;
      case 'offerRefused':
        this.#note('warn', `The offer is refused: ${step.message}`);
        return;
      case 'answered':
        this.#note('idle', 'The answer is here; connecting with it');
        return;
      case 'noMedia':
        this.#note('bad', 'No media came with this answer');
    }
  }

  #connected(text: string): void {
    this.#view = { ...this.#without('reason'), phase: 'connected' };
    this.#note('good', text);
  }

  #fail(phase: Phase, reason: string): void {
    this.#change({ phase, reason });
    this.#note('bad', reason);
  }

  #without<Key extends keyof PlayerView>(key: Key): Omit<PlayerView, Key> {
    const { [key]: _left, ...rest } = this.#view;
    return rest;
  }

  #note(tone: LogEntry['tone'], text: string): void {
    const entry = { id: ++this.#entries, at: new Date(), tone, text };
    this.#change({ log: [entry, ...this.#view.log].slice(0, MAX_LOG_ENTRIES) });
  }

  #change(change: Partial<PlayerView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** The player did something else meanwhile. */
class GaveUpError extends Error {
  override readonly name = 'GaveUpError';
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
