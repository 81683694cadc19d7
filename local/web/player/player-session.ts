import {
  createReconnector,
  type Reconnector,
  type Reply,
  readReply,
  type State,
  type StateName,
} from 'reconnection-client';
import * as backend from './backend.ts';
import { type GameView, PeerClient } from './stream-client.ts';

export interface SessionIds {
  readonly streamGroupId: string;
  readonly streamSessionId: string;
}

/**
 * The states of the reconnector, and what the page has beside them:
 *
 * - `absent`: no session yet
 * - `starting`: on the way to `connected`
 * - `unplugged`: the player has pulled the plug, and may come back
 * - `gone`: the player has said never to come back
 */
export type Phase = StateName | 'absent' | 'starting' | 'unplugged' | 'gone';

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

const LEFT: [LogEntry['tone'], string] = ['idle', 'Left: the session is ended on purpose'];

/** The page's own names for what the reconnector tells. */
const REASONS: Readonly<Record<string, string>> = {
  UNREACHABLE: 'no reply',
  NO_MEDIA: 'no media came with the answer',
};

/** One player in one tab: at most one client, and one thing under way at a time. */
export class PlayerSession {
  #view: PlayerView = { phase: 'absent', attempts: 0, windowsBefore: 0, log: [] };
  readonly #listeners = new Set<() => void>();
  #client: PeerClient | undefined;
  #reconnector: Reconnector | undefined;
  /** What began before the player's latest act does not count any more. */
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
      await client.processSignalResponse(answer);
      if (turn === this.#turn) this.#follow(session, client);
    } catch (error) {
      if (turn !== this.#turn) return;
      const reason = messageOf(error);
      this.#change({ phase: this.#view.session === undefined ? 'absent' : 'failed', reason });
      this.#note('bad', reason);
    }
  }

  /** Takes up a session that another tab, or this one before it was loaded anew, has started. */
  resume(session: SessionIds): void {
    this.#change({ session });
    this.#follow(session);
  }

  comeBack(): void {
    const { session, phase } = this.#view;
    if (session === undefined) return;
    if (phase === 'unplugged' || phase === 'gone') this.#follow(session);
    else this.#reconnector?.comeBack();
  }

  /** The connection is closed, and nobody is told: the service has to notice by itself. */
  pullThePlug(): void {
    this.#begin();
    this.#change({ phase: 'unplugged', ...this.#lossNow() });
    this.#note('warn', 'The plug is pulled; nobody is told');
  }

  neverComeBack(): void {
    const loss = this.#view.phase === 'connected' || this.#view.phase === 'back' ? this.#lossNow() : {};
    this.#begin();
    this.#change({ phase: 'gone', ...loss });
    this.#note('warn', 'The player is gone for good; nobody is told');
  }

  /** @param generation of the latest window that the page has seen */
  sawWindow(generation: number): void {
    this.#generation = generation;
  }

  /** The session is ended on purpose, whether the player is in it or has lost it. */
  leave(): void {
    const { session } = this.#view;
    if (session === undefined) return;
    if (this.#reconnector !== undefined) {
      void this.#reconnector.leave();
      return;
    }
    this.#begin();
    this.#change({ phase: 'left' });
    this.#note(...LEFT);
    void this.#endSession(session.streamSessionId);
  }

  jump(): void {
    this.#client?.sendInput();
  }

  /** Ends what went before. */
  #begin(): number {
    this.#reconnector?.stop();
    this.#reconnector = undefined;
    this.#client?.close();
    this.#client = undefined;
    return ++this.#turn;
  }

  /** Lets the reconnector look after the session from now on. */
  #follow(session: SessionIds, client?: PeerClient): void {
    const turn = client === undefined ? this.#begin() : this.#turn;
    const reconnector = createReconnector({
      session: session.streamSessionId,
      newClient: () => this.#newClient(),
      client,
      ...backend.reconnection,
      endSession: (id) => this.#endSession(id),
      secondsLeft: async (id) => (await backend.readWindow(id))?.remainingSeconds,
    });
    this.#reconnector = reconnector;
    this.#show(reconnector.state);
    reconnector.on('change', (state) => turn === this.#turn && this.#show(state));
    reconnector.on('request', ({ number }) => this.#change({ attempts: number }));
    reconnector.on('reply', (reply) => this.#noteReply(reply));
  }

  async #endSession(streamSessionId: string): Promise<void> {
    try {
      const reply = await readReply(await backend.reconnection.endSession(streamSessionId), Date.now());
      if (reply.kind !== 'refused') return;
      this.#note('bad', `The API did not end the session: ${reply.code ?? reply.status}`);
    } catch (error) {
      this.#note('bad', `The session was not ended: ${messageOf(error)}`);
    }
  }

  #newClient(): PeerClient {
    const client: PeerClient = new PeerClient({
      onStream: (stream) => this.#client === client && this.#change({ stream }),
      onGame: (game) => this.#client === client && this.#change({ game }),
    });
    this.#client = client;
    return client;
  }

  #lossNow(): Pick<PlayerView, 'attempts' | 'windowsBefore'> {
    return { attempts: 0, windowsBefore: this.#generation };
  }

  #show(state: State): void {
    const before = this.#view.phase;
    const { reason: _, ...rest } = this.#view;
    const isLoss =
      state.name === 'away' && (before === 'connected' || before === 'suspect' || before === 'back');
    this.#view = {
      ...rest,
      phase: state.name,
      ...('reason' in state ? { reason: state.reason } : {}),
      ...('by' in state ? { reason: state.by } : {}),
      ...(isLoss ? this.#lossNow() : {}),
    };
    const entry = before === state.name ? undefined : entryOf(state, before);
    if (entry === undefined) this.#change({});
    else this.#note(...entry);
  }

  #noteReply(reply: Reply): void {
    if (reply.kind === 'answer') this.#note('idle', 'The answer is here; connecting with it');
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

  #note(tone: LogEntry['tone'], text: string): void {
    const entry = { id: ++this.#entries, at: new Date(), tone, text };
    this.#change({ log: [entry, ...this.#view.log].slice(0, MAX_LOG_ENTRIES) });
  }

  #change(change: Partial<PlayerView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** What the log says of a state as it is entered. */
function entryOf(state: State, before: Phase): [LogEntry['tone'], string] | undefined {
  switch (state.name) {
    case 'connected':
      return ['good', 'Connected: video and data flow'];
    case 'back':
      return ['good', 'Back: video and data flow again'];
    case 'suspect':
      return ['warn', 'The connection is interrupted, and may heal'];
    case 'away':
      if (before === 'waiting') return undefined;
      return ['running', 'Asking to come back, with a new connection and a new offer'];
    case 'waiting': {
      const seconds = Math.max(0, state.retryAt - Date.now()) / 1000;
      const reason = REASONS[state.reason] ?? state.reason;
      return ['warn', `Waiting (${reason}): the next request is in ${seconds.toFixed(1)} s`];
    }
    case 'over':
      return ['bad', `The session is over: ${state.reason}`];
    case 'left':
      return LEFT;
    case 'takenOver':
      return ['warn', 'The session is played elsewhere'];
    case 'failed':
      return ['bad', `Nothing more is tried: ${state.reason}`];
    default:
      return undefined;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
