import { attempt, browserEnvironment, type Environment } from './environment.ts';
import { LeadingTab } from './leading-tab.ts';
import { type HttpReply, nextStep, type Reply, readReply } from './reply.ts';

/** One connection to the stream. The reconnector closes each and makes another one for every new offer. */
export interface StreamClient {
  /** Makes a WebRTC offer. */
  generateSignalRequest(): Promise<string>;
  /** Connects with the answer to that offer. */
  processSignalResponse(signalResponse: string): Promise<void>;
  close(): void;
  /** Reports the present connection state and every later event to `listener`, which replaces the one before. */
  listen(listener: (event: ClientEvent) => void): void;
}

export type ClientEvent =
  /** The states of an RTCPeerConnection: `connecting`, `connected`, `disconnected`, `failed`, `closed`. */
  | { readonly type: 'state'; readonly state: string }
  /** The server has hung up, with a reason such as `terminated` or `idle`. */
  | { readonly type: 'serverDisconnect'; readonly reason: string }
  /** A data channel has failed. */
  | { readonly type: 'error' };

/**
 * - `connected`: the stream runs
 * - `suspect`: the connection is interrupted, and may heal by itself
 * - `away`: the connection is lost; the reconnector asks to come back
 * - `waiting`: the same request, or a new offer, follows at `retryAt`
 * - `answering`: the answer is here; the stream connects with it
 * - `back`: the stream runs again
 *
 * and the ends:
 * - `over`: the session has ended, and `reason` says how; start a new one
 * - `left`: the player has left
 * - `takenOver`: the session is played elsewhere; `comeBack()` takes it back
 * - `failed`: nothing more is tried, and `reason` says why; `comeBack()` tries again
 *
 * Times are epoch milliseconds of the local clock. `deadline` is when the service ends the session, if it is known.
 */
export type State =
  | { readonly name: 'connected' }
  | { readonly name: 'suspect' }
  | { readonly name: 'away'; readonly deadline: number | undefined }
  | {
      readonly name: 'waiting';
      readonly retryAt: number;
      /** A code of the API such as `TURN_LATER`, or `UNREACHABLE`, `UNREADABLE`, `OFFLINE`, `NO_MEDIA`, `CLIENT_FAILED`. */
      readonly reason: string;
      readonly deadline: number | undefined;
    }
  | { readonly name: 'answering'; readonly deadline: number | undefined }
  | { readonly name: 'back' }
  | { readonly name: 'over'; readonly reason: string }
  | { readonly name: 'left' }
  | { readonly name: 'takenOver'; readonly by: 'anotherTab' | 'anotherClient' }
  | { readonly name: 'failed'; readonly reason: string };

export type StateName = State['name'];

/** The states by name, and what happens on the way. */
export type ReconnectorEvents = { readonly [Name in StateName]: Extract<State, { readonly name: Name }> } & {
  /** Every state, as it is entered. */
  readonly change: State;
  /** A request to come back is sent: the first since the loss, the second, … */
  readonly request: { readonly number: number };
  /** A reply has come, or none has. */
  readonly reply: Reply;
};

export interface ConnectionRequest {
  readonly session: string;
  /** The offer, as `generateSignalRequest()` made it. */
  readonly signalRequest: string;
  /** Names the offer's connection: the same for every repeat. */
  readonly clientToken: string;
  /** Aborted when the reply is no longer needed. */
  readonly signal: AbortSignal;
}

export interface ReconnectorOptions {
  /** What names the session to the game's backend. It is kept in `sessionStorage`, so it must not be a secret. */
  readonly session: string;
  /** Makes a client for a new connection. */
  readonly newClient: () => StreamClient;
  /** The client that the session was started with. Without it the reconnector comes back at once, as after a reload. */
  readonly client?: StreamClient | undefined;
  /** Sends an offer to the game's backend and returns its response. `fetchAsk` makes one. */
  readonly ask: (request: ConnectionRequest) => Promise<HttpReply>;
  /** The session's own, from StartStreamSession: how long the service keeps it. */
  readonly connectionTimeoutSeconds?: number | undefined;
  /** Returns what is left of the session's window, in seconds, where the backend tells it. */
  readonly secondsLeft?: ((session: string) => Promise<number | undefined>) | undefined;
  /** Ends the session, where the backend can. Called by `leave()`. `fetchBackend` makes one. */
  readonly endSession?: ((session: string) => Promise<unknown>) | undefined;
  /**
   * Says that the page goes away, perhaps for good, where the backend takes that. It must outlive the page, as a request of `fetchBackend`
   * does. `clientToken` names the connection that goes away, so that the backend knows when a newer one has come.
   */
  readonly sayPerhapsLeaving?: ((session: string, clientToken: string) => void) | undefined;
  /** How long after the loss the last request is sent: 3,600 s, the longest that the service keeps a session. */
  readonly giveUpAfterSeconds?: number | undefined;
  /** How long an interruption may take to heal: 3 s. */
  readonly healSeconds?: number | undefined;
  /** How long the stream may take to connect with an answer: 10 s. */
  readonly connectSeconds?: number | undefined;
  /** The session's key in `sessionStorage`. */
  readonly storageKey?: string | undefined;
  /** Replaces parts of the browser, for tests. */
  readonly environment?: Partial<Environment> | undefined;
}

export interface Reconnector {
  readonly session: string;
  /** The same object until the state changes. */
  readonly state: State;
  /** Calls `listener` at each event of that name. Returns a function that ends it. */
  on<Name extends keyof ReconnectorEvents>(
    name: Name,
    listener: (event: ReconnectorEvents[Name]) => void,
  ): () => void;
  /** The network or the player is back: a wait that the service did not ask for ends now. */
  hintNow(): void;
  /** The player wants the session here: tries again after `failed`, and takes the session back after `takenOver`. */
  comeBack(): void;
  /** The player leaves: closes the stream, forgets the session, and ends it where the backend can. Never rejects. */
  leave(): Promise<void>;
  /** Closes the stream and stops, without a word to the backend. The session is kept for the next page. */
  stop(): void;
}

const STORAGE_KEY = 'reconnection-client.session';
/** With `iceServers` the Web SDK gathers candidates for up to 15 s. */
const OFFER_MS = 20_000;
/** API Gateway's limit is 29 s. */
const REPLY_MS = 35_000;
const MAX_BACKOFF_MS = 15_000;
const MIN_BACKOFF_MS = 250;
/**
 * A storm's players may all be told the same whole seconds. Each adds up to half a second and a tenth of what it was told, at
 * most 5 s. The API asks a session back 1 s before its turn, after at most 10 s, so the addition costs no turn worth mention.
 */
const TOLD_JITTER_MS = 500;
const TOLD_JITTER_SHARE = 0.1;
const MAX_TOLD_JITTER_MS = 5_000;
/** The service may notice a loss up to a minute after the browser does, so the known deadline may be that early. */
const DEADLINE_MARGIN_MS = 60_000;
/** How many offers in a row may fail to connect. One may be bad luck; more than this would use up the session's window. */
const MAX_NEW_OFFERS = 3;
/** A wait that ends this much late means that the machine slept. The offer is old then. */
const SLEPT_MS = 60_000;
/** The server's reasons for hanging up that end the session. Others are reserved, so the API decides. */
const SERVER_ENDS = ['terminated', 'idle'];

/**
 * Brings the player back to a stream session, by itself. A lost connection becomes a new offer on a new connection; what the
 * backend replies decides what happens next.
 *
 * @example
 * const reconnector = createReconnector({
 *   session,
 *   client, // the one that has just started the session
 *   newClient: () => webSdkClient((clientConnection) => new gameliftstreams.GameLiftStreams({ videoElement, clientConnection })),
 *   ask: fetchAsk((id) => `/api/sessions/${id}/connections`),
 * });
 * reconnector.on('waiting', ({ retryAt }) => showCountdown(retryAt));
 */
export function createReconnector(options: ReconnectorOptions): Reconnector {
  return new SessionReconnector(options);
}

/** Returns the session that a page of this tab has kept, or undefined. */
export function keptSession(
  environment: Pick<Environment, 'storage'> = browserEnvironment(),
  storageKey: string = STORAGE_KEY,
): string | undefined {
  return attempt(() => environment.storage?.getItem(storageKey)) ?? undefined;
}

/**
 * Returns an `ask` that posts `{"SignalRequest": …}` to the game's backend.
 *
 * @param url of the route that a handler of `reconnection-client/backend` serves.
 */
export function fetchAsk(url: (session: string) => string, init: FetchInit = {}): ReconnectorOptions['ask'] {
  return ({ session, signalRequest, clientToken, signal }) =>
    post(url(session), { SignalRequest: signalRequest, ClientToken: clientToken }, { ...init, signal });
}

/**
 * Returns all that a handler of `reconnection-client/backend` takes at its one route: `ask`, `endSession` for a player who leaves, and
 * `sayPerhapsLeaving` for a page that is closed, which the handler does only with `leavingWithinSeconds`.
 *
 * @example
 * createReconnector({ session, newClient, ...fetchBackend((id) => `/api/sessions/${id}/connections`) });
 */
export function fetchBackend(url: (session: string) => string, init: FetchInit = {}): FetchBackend {
  return {
    ask: fetchAsk(url, init),
    // The page may be closed next.
    endSession: (session) => post(url(session), { End: true }, { ...init, keepalive: true }),
    sayPerhapsLeaving(session, ClientToken) {
      // A beacon cannot have headers; a request that outlives its page can.
      post(url(session), { Leaving: true, ClientToken }, { ...init, keepalive: true }).catch(() => {});
    },
  };
}

interface FetchBackend {
  readonly ask: ReconnectorOptions['ask'];
  readonly endSession: (session: string) => Promise<HttpReply>;
  readonly sayPerhapsLeaving: NonNullable<ReconnectorOptions['sayPerhapsLeaving']>;
}

interface FetchInit {
  readonly headers?: Record<string, string>;
  readonly credentials?: 'include' | 'omit' | 'same-origin';
}

function post(
  url: string,
  body: object,
  { headers, ...init }: FetchInit & { readonly signal?: AbortSignal; readonly keepalive?: boolean },
): Promise<Response> {
  return fetch(url, {
    ...init,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    cache: 'no-store',
  });
}

/** The run has another one after it, so what comes of it counts no more. */
const STALE = Symbol('stale');

class SessionReconnector implements Reconnector {
  readonly session: string;
  readonly #options: ReconnectorOptions;
  readonly #environment: Environment;
  readonly #tab: LeadingTab;
  readonly #listeners = new Map<string, Set<(event: never) => void>>();
  readonly #stopListening: (() => void)[];
  #state: State = { name: 'away', deadline: undefined };
  #client: StreamClient | undefined;
  /** Ends what the present run waits for. */
  #run = new AbortController();
  /** What an interruption heals to. */
  #steady: State = { name: 'connected' };
  #lostAt: number;
  #deadline: number | undefined;
  #requests = 0;
  /** Names the present connection, or the one that is asked for. */
  #clientToken: string;
  /** Ends the present wait, unless it is one that the service asked for. */
  #hint: (() => void) | undefined;
  /** Tells how connecting with an answer has ended. */
  #settle: ((isConnected: boolean) => void) | undefined;

  constructor(options: ReconnectorOptions) {
    this.#options = options;
    this.session = options.session;
    this.#environment = { ...browserEnvironment(), ...options.environment };
    this.#lostAt = this.#environment.now();
    // The session's first connection has no name at the API: this one says that the page knows of no other.
    this.#clientToken = this.#newToken();
    this.#tab = new LeadingTab(`reconnection-client ${this.session}`, this.#environment, () =>
      this.#end({ name: 'takenOver', by: 'anotherTab' }),
    );
    const { listen } = this.#environment;
    this.#stopListening = [
      listen('online', () => this.hintNow()),
      listen('shown', () => this.hintNow()),
      listen('restored', () => {
        if (!this.#run.signal.aborted) this.#lose();
      }),
      listen('hidden', () => this.#sayPerhapsLeaving()),
    ];
    this.#begin(options.client, false);
  }

  get state(): State {
    return this.#state;
  }

  on<Name extends keyof ReconnectorEvents>(
    name: Name,
    listener: (event: ReconnectorEvents[Name]) => void,
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  hintNow(): void {
    this.#hint?.();
  }

  comeBack(): void {
    const { name } = this.#state;
    if (name === 'failed' || name === 'takenOver') this.#begin(undefined, true);
    else this.hintNow();
  }

  async leave(): Promise<void> {
    const { name } = this.#state;
    if (name === 'over' || name === 'left') return;
    this.#end({ name: 'left' });
    // The session is played elsewhere.
    if (name === 'takenOver') return;
    try {
      await this.#options.endSession?.(this.session);
    } catch {
      // The service ends the session by itself when its time is up.
    }
  }

  stop(): void {
    this.#quit();
    for (const stop of this.#stopListening) stop();
    this.#listeners.clear();
  }

  /** Ends what is under way, and starts a run from a loss, or from a client that connects. */
  #begin(client: StreamClient | undefined, takeOver: boolean): void {
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    this.#keep(this.session);
    this.#lostAt = this.#environment.now();
    this.#requests = 0;
    const { connectionTimeoutSeconds } = this.#options;
    this.#deadline =
      connectionTimeoutSeconds === undefined ? undefined : this.#lostAt + connectionTimeoutSeconds * 1000;
    if (client === undefined) this.#show({ name: 'away', deadline: this.#deadline });
    const run = client === undefined ? this.#comeBack(signal, takeOver) : this.#takeUp(client, signal);
    run.catch((error: unknown) => {
      if (error !== STALE && !signal.aborted) this.#end({ name: 'failed', reason: 'CLIENT_FAILED' });
    });
  }

  /** The session's first client, which may have connected already. */
  async #takeUp(client: StreamClient, signal: AbortSignal): Promise<void> {
    this.#client = client;
    this.#state = { name: 'answering', deadline: undefined };
    // A tab that has just started the session has it.
    void this.#lead(true);
    if (await this.#connect(client, undefined, signal)) this.#isRunning({ name: 'connected' });
    else this.#lose();
  }

  async #comeBack(signal: AbortSignal, takeOver: boolean): Promise<void> {
    const leads = await this.#lead(takeOver);
    fresh(signal);
    if (!leads) return this.#end({ name: 'takenOver', by: 'anotherTab' });
    for (let newOffers = 0; ; ) {
      const reason = await this.#offer(signal);
      if (reason === undefined) return;
      if (reason === 'SLEPT') continue;
      if (++newOffers >= MAX_NEW_OFFERS) return this.#end({ name: 'failed', reason });
      await this.#wait(this.#backoff(newOffers), reason, signal);
    }
  }

  /** Returns whether this tab may play the session. */
  async #lead(takeOver: boolean): Promise<boolean> {
    const leads = await this.#tab.take(takeOver);
    // What was stopped meanwhile must not keep the session from other tabs.
    if (this.#run.signal.aborted) this.#tab.release();
    return leads;
  }

  #isRunning(state: State): void {
    this.#steady = state;
    this.#show(state);
  }

  /** One offer, asked until it has its reply. Returns why a new offer is needed, or undefined when there is a state for it. */
  async #offer(signal: AbortSignal): Promise<string | undefined> {
    let signalRequest: string;
    let client: StreamClient;
    try {
      client = this.#replaceClient();
      this.#clientToken = this.#newToken();
      signalRequest = await this.#within(OFFER_MS, client.generateSignalRequest(), signal);
    } catch {
      fresh(signal);
      return 'CLIENT_FAILED';
    }
    for (let repeats = 1; ; repeats++) {
      this.#tellDeadline(signal);
      if (!this.#environment.isOnline()) {
        if (this.#isTooLate(true)) {
          this.#end({ name: 'failed', reason: 'OFFLINE' });
          return undefined;
        }
        const slept = await this.#wait(MAX_BACKOFF_MS, 'OFFLINE', signal);
        if (slept) return 'SLEPT';
      }
      if (this.#state.name !== 'away') this.#show({ name: 'away', deadline: this.#deadline });
      const next = nextStep(await this.#ask(signalRequest, signal));
      switch (next.step) {
        case 'answering':
          this.#show({ name: 'answering', deadline: this.#deadline });
          if (!(await this.#connect(client, next.signalResponse, signal))) return 'NO_MEDIA';
          this.#isRunning({ name: 'back' });
          return undefined;
        case 'repeat': {
          const { reason, retryAfterSeconds } = next;
          const isTold = retryAfterSeconds !== undefined;
          if (this.#isTooLate(!isTold)) {
            this.#end({ name: 'failed', reason });
            return undefined;
          }
          const waitMs = isTold ? this.#toldMs(retryAfterSeconds) : this.#backoff(repeats);
          const slept = await this.#wait(waitMs, reason, signal, isTold);
          if (slept) return 'SLEPT';
          break;
        }
        case 'newOffer':
          return next.reason;
        case 'takenOver':
          this.#end({ name: 'takenOver', by: 'anotherClient' });
          return undefined;
        case 'over':
        case 'failed':
          this.#end({ name: next.step, reason: next.reason });
          return undefined;
      }
    }
  }

  async #ask(signalRequest: string, signal: AbortSignal): Promise<Reply> {
    const { session } = this;
    const clientToken = this.#clientToken;
    const request = new AbortController();
    this.#tell('request', { number: ++this.#requests });
    let reply: Reply;
    try {
      const asked = async () =>
        readReply(
          await this.#options.ask({ session, signalRequest, clientToken, signal: request.signal }),
          this.#environment.now(),
        );
      reply = await this.#within(REPLY_MS, asked(), signal);
    } catch {
      reply = { kind: 'unreachable' };
    }
    request.abort();
    fresh(signal);
    this.#tell('reply', reply);
    return reply;
  }

  /** Returns whether the stream runs in time. */
  #connect(client: StreamClient, signalResponse: string | undefined, signal: AbortSignal): Promise<boolean> {
    const { connectSeconds = 10 } = this.#options;
    const connected = new Promise<boolean>((resolve) => {
      this.#settle = resolve;
      if (signalResponse === undefined) this.#listenTo(client);
      else client.processSignalResponse(signalResponse).catch(() => resolve(false));
    });
    return this.#within(connectSeconds * 1000, connected, signal).catch(() => {
      fresh(signal);
      return false;
    });
  }

  /** Waits and returns whether the machine slept meanwhile. @param isTold the service said how long */
  async #wait(waitMs: number, reason: string, signal: AbortSignal, isTold = false): Promise<boolean> {
    const { now, setTimer } = this.#environment;
    const retryAt = now() + waitMs;
    this.#show({ name: 'waiting', retryAt, reason, deadline: this.#deadline });
    let cancel = () => {};
    await this.#unlessStale(
      new Promise<void>((resolve) => {
        cancel = setTimer(waitMs, resolve);
        // A timer of a tab in the background may be a minute late.
        this.#hint = () => {
          if (!isTold || now() >= retryAt) resolve();
        };
      }),
      signal,
    ).finally(() => {
      cancel();
      this.#hint = undefined;
    });
    return now() - retryAt > SLEPT_MS;
  }

  /** Rejects when `work` takes longer, or when the run is stale. */
  async #within<Value>(limitMs: number, work: Promise<Value>, signal: AbortSignal): Promise<Value> {
    let cancel = () => {};
    const late = new Promise<never>((_resolve, reject) => {
      cancel = this.#environment.setTimer(limitMs, () => reject(new Error('It took too long.')));
    });
    return this.#unlessStale(Promise.race([work, late]), signal).finally(() => cancel());
  }

  async #unlessStale<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
    let stop = () => {};
    const stale = new Promise<never>((_resolve, reject) => {
      stop = () => reject(STALE);
      // A listener of the game may have ended the run just now.
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    });
    try {
      const value = await Promise.race([work, stale]);
      fresh(signal);
      return value;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Full jitter, so that players who dropped together come back spread out. */
  #backoff(tries: number): number {
    const longest = Math.min(MAX_BACKOFF_MS, 500 * 2 ** Math.min(tries, 10));
    return Math.round(MIN_BACKOFF_MS + this.#environment.random() * (longest - MIN_BACKOFF_MS));
  }

  /** What was told, and a little more: players who were told the same do not come back in step. */
  #toldMs(seconds: number): number {
    const { now, random } = this.#environment;
    const toldMs = seconds * 1000;
    const longest = Math.min(MAX_TOLD_JITTER_MS, TOLD_JITTER_MS + toldMs * TOLD_JITTER_SHARE);
    // Near the deadline the addition takes at most half of what is left.
    const leftMs = this.#deadline === undefined ? longest : (this.#deadline - now() - toldMs) / 2;
    return toldMs + Math.round(random() * Math.max(0, Math.min(longest, leftMs)));
  }

  /**
   * Returns whether the last request was sent.
   *
   * @param byDeadline the API did not ask for another one, so the session's deadline counts as well.
   */
  #isTooLate(byDeadline: boolean): boolean {
    const { giveUpAfterSeconds = 3_600 } = this.#options;
    const now = this.#environment.now();
    const isPastDeadline = this.#deadline !== undefined && now > this.#deadline + DEADLINE_MARGIN_MS;
    return now - this.#lostAt > giveUpAfterSeconds * 1000 || (byDeadline && isPastDeadline);
  }

  /** Learns the deadline, where the backend tells it: by what is left, because the clocks may be minutes apart. */
  #tellDeadline(signal: AbortSignal): void {
    const { secondsLeft } = this.#options;
    if (secondsLeft === undefined) return;
    const learn = async () => {
      const seconds = await secondsLeft(this.session);
      if (signal.aborted || typeof seconds !== 'number' || !Number.isFinite(seconds)) return;
      this.#deadline = this.#environment.now() + Math.max(0, seconds) * 1000;
      if ('deadline' in this.#state) this.#show({ ...this.#state, deadline: this.#deadline });
    };
    learn().catch(() => {});
  }

  /** 32 characters, the fewest that the service takes. */
  #newToken(): string {
    const { random } = this.#environment;
    return Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)[0]).join('');
  }

  #replaceClient(): StreamClient {
    this.#closeClient();
    const client = this.#options.newClient();
    this.#client = client;
    this.#listenTo(client);
    return client;
  }

  #listenTo(client: StreamClient): void {
    client.listen((event) => {
      if (client === this.#client) this.#hear(event);
    });
  }

  #hear(event: ClientEvent): void {
    if (event.type === 'serverDisconnect' && SERVER_ENDS.includes(event.reason)) {
      this.#end({ name: 'over', reason: event.reason });
    } else if (event.type === 'state' && event.state === 'connected') {
      this.#settle?.(true);
      if (this.#state.name === 'suspect') this.#show(this.#steady);
    } else if (event.type === 'state' && event.state === 'disconnected') {
      this.#suspect();
    } else if (event.type !== 'state' || event.state === 'failed' || event.state === 'closed') {
      this.#settle?.(false);
      if (this.#isLive()) this.#lose();
    }
  }

  #suspect(): void {
    if (!this.#isLive() || this.#state.name === 'suspect') return;
    const { healSeconds = 3 } = this.#options;
    this.#show({ name: 'suspect' });
    const suspected = this.#state;
    const { signal } = this.#run;
    this.#environment.setTimer(healSeconds * 1000, () => {
      // stop() leaves the state as it is.
      if (this.#state === suspected && !signal.aborted) this.#lose();
    });
  }

  #isLive(): boolean {
    return ['connected', 'suspect', 'back'].includes(this.#state.name);
  }

  #lose(): void {
    this.#begin(undefined, false);
  }

  #end(state: Extract<State, { readonly name: 'over' | 'left' | 'takenOver' | 'failed' }>): void {
    this.#quit();
    // A reload after a failure is another try.
    if (state.name !== 'failed') this.#keep(undefined);
    this.#show(state);
  }

  #quit(): void {
    this.#run.abort();
    this.#closeClient();
    this.#tab.release();
  }

  #closeClient(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#settle = undefined;
    attempt(() => client?.close());
  }

  #sayPerhapsLeaving(): void {
    if (this.#run.signal.aborted) return;
    attempt(() => this.#options.sayPerhapsLeaving?.(this.session, this.#clientToken));
  }

  #keep(session: string | undefined): void {
    const { storage } = this.#environment;
    const { storageKey = STORAGE_KEY } = this.#options;
    attempt(() =>
      session === undefined ? storage?.removeItem(storageKey) : storage?.setItem(storageKey, session),
    );
  }

  #show(state: State): void {
    this.#state = state;
    this.#tell('change', state);
    this.#tell(state.name, state);
  }

  #tell(name: string, event: State | Reply | { readonly number: number }): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        // `on` has typed the listener by the name, and each name has one kind of event.
        Reflect.apply(listener, undefined, [event]);
      } catch (error) {
        this.#environment.report(error);
      }
    }
  }
}

/** @throws STALE when another run has begun. */
function fresh(signal: AbortSignal): void {
  if (signal.aborted) throw STALE;
}
