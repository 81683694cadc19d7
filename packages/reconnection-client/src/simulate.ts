import type { ClientEvent, ConnectionRequest, ReconnectorOptions, StreamClient } from './reconnector.ts';
import type { HttpReply } from './reply.ts';

/**
 * What a player can meet, to build and test a game's screens without a service:
 *
 * - `network-loss`: the connection drops; the player is back at once
 * - `short-interruption`: the connection heals by itself
 * - `throttled`: many players come back; the turn is later, twice
 * - `loss-not-noticed`: the service still believes that the player is connected
 * - `offline`: nothing reaches the backend for a while
 * - `proxy-page`: a proxy answers with HTML
 * - `switched-off`: an operator has switched the service off for a while
 * - `no-media`: the first answer leads nowhere
 * - `offer-rejected`: the service refuses the first offer
 * - `taken-over`: another client plays the session
 * - `expired`: the session's time was up
 * - `too-late`: the player has left, perhaps by closing the page, and the session is being ended
 * - `ended-by-server`: the game ended the session
 * - `not-allowed`: the session belongs to another player
 */
export type Scenario =
  | 'network-loss'
  | 'short-interruption'
  | 'throttled'
  | 'loss-not-noticed'
  | 'offline'
  | 'proxy-page'
  | 'switched-off'
  | 'no-media'
  | 'offer-rejected'
  | 'taken-over'
  | 'expired'
  | 'too-late'
  | 'ended-by-server'
  | 'not-allowed';

export interface SimulateOptions {
  /** How long the simulated connection runs before it is lost: 3 s. */
  readonly lossAfterSeconds?: number;
  /** Runs `act` once; `setTimeout` by default. */
  readonly setTimer?: (delayMs: number, act: () => void) => unknown;
}

interface Script {
  /** What the first connection tells when it is lost, one event a second. */
  readonly loss: readonly ClientEvent[];
  /** What the backend replies to the first requests. Later ones have their answer. */
  readonly replies: readonly (HttpReply | undefined)[];
  /** Whether the first answer leads nowhere. */
  readonly hasNoMedia?: boolean;
}

const state = (name: string): ClientEvent => ({ type: 'state', state: name });
const LOST = [state('disconnected'), state('failed')];

/** How long a simulated request takes, and a connection with its answer. */
const STEP_MS = 600;

/**
 * Returns options of `createReconnector` that play a scenario instead of a session. Nothing leaves the page.
 *
 * @example
 * const reconnector = createReconnector(simulate('throttled'));
 */
export function simulate(
  scenario: Scenario,
  { lossAfterSeconds = 3, setTimer = (delayMs, act) => setTimeout(act, delayMs) }: SimulateOptions = {},
): Pick<
  ReconnectorOptions,
  'session' | 'client' | 'newClient' | 'ask' | 'connectionTimeoutSeconds' | 'connectSeconds' | 'environment'
> {
  const { loss, replies, hasNoMedia = false } = SCRIPTS[scenario];
  const later = (delayMs: number) => new Promise<void>((resolve) => setTimer(delayMs, resolve));
  const first = new SimulatedClient(async () => {});
  first.tell(state('connected'));
  for (const [index, event] of loss.entries()) {
    setTimer((lossAfterSeconds + index) * 1000, () => first.tell(event));
  }
  let clients = 0;
  let requests = 0;
  return {
    session: `simulated ${scenario}`,
    client: first,
    newClient: () => {
      const isConnecting = ++clients > 1 || !hasNoMedia;
      return new SimulatedClient(async (client) => {
        await later(STEP_MS);
        if (isConnecting) client.tell(state('connected'));
      });
    },
    async ask({ signalRequest: _ }: ConnectionRequest) {
      await later(STEP_MS);
      const isScripted = requests < replies.length;
      const reply = replies[requests++];
      if (isScripted && reply === undefined) throw new TypeError('Failed to fetch');
      return reply ?? http(200, { SignalResponse: '{"type":"answer"}' });
    },
    connectionTimeoutSeconds: 120,
    connectSeconds: 3,
    // The page's other tabs and its next load have nothing to do with it.
    environment: { storage: undefined, locks: undefined },
  };
}

class SimulatedClient implements StreamClient {
  readonly #connect: (client: SimulatedClient) => Promise<void>;
  #listener: (event: ClientEvent) => void = () => {};
  #last: ClientEvent | undefined;
  #isClosed = false;

  constructor(connect: (client: SimulatedClient) => Promise<void>) {
    this.#connect = connect;
  }

  async generateSignalRequest(): Promise<string> {
    return '{"type":"offer"}';
  }

  processSignalResponse(): Promise<void> {
    return this.#connect(this);
  }

  close(): void {
    this.#isClosed = true;
  }

  listen(listener: (event: ClientEvent) => void): void {
    this.#listener = listener;
    if (this.#last !== undefined) listener(this.#last);
  }

  tell(event: ClientEvent): void {
    if (this.#isClosed) return;
    this.#last = event;
    this.#listener(event);
  }
}

function http(
  status: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status,
    headers: { get: (name) => headers[name] ?? null },
    text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
  };
}

function refusal(status: number, code: string, retryAfterSeconds?: number, statusReason?: string): HttpReply {
  return http(200, { status, code, retryAfterSeconds, statusReason });
}

const SCRIPTS: Readonly<Record<Scenario, Script>> = {
  'network-loss': { loss: LOST, replies: [] },
  'short-interruption': { loss: [state('disconnected'), state('connected')], replies: [] },
  throttled: { loss: LOST, replies: [refusal(429, 'TURN_LATER', 8), refusal(429, 'TURN_LATER', 3)] },
  'loss-not-noticed': {
    loss: LOST,
    replies: [refusal(409, 'LOSS_NOT_NOTICED', 1), refusal(409, 'LOSS_NOT_NOTICED', 1)],
  },
  offline: { loss: LOST, replies: [undefined, undefined, undefined] },
  'proxy-page': { loss: LOST, replies: [http(200, '<!doctype html>'), http(502, '<html>')] },
  'switched-off': { loss: LOST, replies: [refusal(503, 'SWITCHED_OFF', 10)] },
  'no-media': { loss: LOST, replies: [], hasNoMedia: true },
  'offer-rejected': { loss: LOST, replies: [refusal(400, 'OFFER_REJECTED')] },
  'taken-over': { loss: LOST, replies: [refusal(409, 'SOMEBODY_CONNECTED')] },
  expired: { loss: LOST, replies: [refusal(409, 'SESSION_ENDED', undefined, 'reconnectionTimeout')] },
  'too-late': { loss: LOST, replies: [refusal(409, 'SESSION_ENDING')] },
  'ended-by-server': { loss: [{ type: 'serverDisconnect', reason: 'terminated' }], replies: [] },
  'not-allowed': { loss: LOST, replies: [refusal(403, 'NOT_THE_USERS_SESSION')] },
};
