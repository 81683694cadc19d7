import { VirtualClock } from 'local-server-kit';
import {
  type ClientEvent,
  createReconnector,
  type Environment,
  type HttpReply,
  type Locks,
  type PageEvent,
  type ReconnectorOptions,
  type State,
  type StreamClient,
} from 'reconnection-client';
import { onTestFinished } from 'vitest';

export const SECOND = 1000;

type OnAnswer = 'connects' | 'noMedia' | 'throws' | 'fails';

/** A connection to the stream that does what the test says. */
export class FakeClient implements StreamClient {
  readonly #onAnswer: OnAnswer;
  readonly offer: string;
  isClosed = false;
  #listener: (event: ClientEvent) => void = () => {};
  #last: ClientEvent | undefined;

  constructor(offer: string, onAnswer: OnAnswer = 'connects') {
    this.offer = offer;
    this.#onAnswer = onAnswer;
  }

  async generateSignalRequest(): Promise<string> {
    return this.offer;
  }

  async processSignalResponse(): Promise<void> {
    if (this.#onAnswer === 'throws') throw new Error('The answer is not valid.');
    if (this.#onAnswer === 'connects') this.state('connected');
    if (this.#onAnswer === 'fails') this.state('failed');
  }

  close(): void {
    this.isClosed = true;
    this.state('closed');
  }

  listen(listener: (event: ClientEvent) => void): void {
    this.#listener = listener;
    if (this.#last !== undefined) listener(this.#last);
  }

  state(state: string): void {
    this.tell({ type: 'state', state });
  }

  tell(event: ClientEvent): void {
    this.#last = event;
    this.#listener(event);
  }
}

/** Web Locks of one browser, for all its tabs. */
export function fakeLocks(): Locks {
  const held = new Map<string, { readonly steal: () => void; readonly ended: Promise<void> }>();
  return {
    async request(name, { steal, signal }, act) {
      for (let holder = held.get(name); holder !== undefined; holder = held.get(name)) {
        if (steal) {
          held.delete(name);
          holder.steal();
          break;
        }
        await Promise.race([
          holder.ended,
          new Promise((_resolve, reject) =>
            signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
          ),
        ]);
      }
      const { promise: stolen, reject } = Promise.withResolvers<never>();
      stolen.catch(() => {});
      const ended = act();
      const holder = { steal: () => reject(new DOMException('Stolen', 'AbortError')), ended };
      held.set(name, holder);
      try {
        await Promise.race([ended, stolen]);
      } finally {
        if (held.get(name) === holder) held.delete(name);
      }
    },
  };
}

export function reply(
  status: number,
  body: unknown = {},
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status,
    headers: { get: (name) => headers[name] ?? null },
    text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
  };
}

export const answer = () => reply(200, { SignalResponse: '{"type":"answer"}' });

export function refusal(status: number, code: string, retryAfter?: string): HttpReply {
  return reply(
    status,
    { Message: 'Refused.' },
    {
      'x-reconnection-code': code,
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    },
  );
}

/** What the backend does with the next offers: a reply, or the error that `fetch` rejects with. */
export type Replies = readonly (HttpReply | Error | 'never')[];

export interface PageOptions extends Partial<Omit<ReconnectorOptions, 'environment'>> {
  readonly replies?: Replies;
  /** What comes of the answers, one for each new client; the last holds for all that follow. */
  readonly onAnswer?: readonly OnAnswer[];
  readonly environment?: Partial<Environment>;
  readonly clock?: VirtualClock;
}

/** A page in virtual time whose connection runs, with what its player sees from then on. */
export async function openPage({
  replies = [],
  onAnswer = ['connects'],
  environment,
  clock = new VirtualClock(),
  ...options
}: PageOptions = {}) {
  const clients: FakeClient[] = [];
  const asked: { readonly offer: string; readonly atMs: number }[] = [];
  const tokens: string[] = [];
  const listeners = new Map<PageEvent, Set<() => void>>();
  const reported: unknown[] = [];
  const kept = new Map<string, string>();
  const startMs = clock.nowMs();
  let online = true;
  const newClient = () => {
    const client = new FakeClient(`offer ${clients.length + 1}`, onAnswer[clients.length] ?? onAnswer.at(-1));
    clients.push(client);
    return client;
  };
  const first = new FakeClient('first offer');
  first.state('connected');
  const reconnector = createReconnector({
    session: 'session-1',
    client: first,
    newClient,
    ask: async ({ signalRequest, clientToken }) => {
      tokens.push(clientToken);
      const next = replies[asked.length] ?? answer();
      asked.push({ offer: signalRequest, atMs: clock.nowMs() - startMs });
      if (next === 'never') return new Promise(() => {});
      if (next instanceof Error) throw next;
      return next;
    },
    ...options,
    environment: {
      now: () => clock.nowMs(),
      setTimer: (delayMs, act) => clock.setTimer(delayMs, act),
      random: () => 1,
      isOnline: () => online,
      storage: {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, value) => kept.set(key, value),
        removeItem: (key) => kept.delete(key),
      },
      locks: undefined,
      listen(event, act) {
        const acts = listeners.get(event) ?? new Set();
        listeners.set(event, acts.add(act));
        return () => acts.delete(act);
      },
      report: (error) => reported.push(error),
      ...environment,
    },
  });
  onTestFinished(() => reconnector.stop());
  const states: State[] = [];
  reconnector.on('change', (state) => states.push(state));
  await clock.idle();
  return {
    reconnector,
    clock,
    first,
    clients,
    asked,
    /** The token of each request in `asked`. */
    tokens,
    states,
    reported,
    kept,
    names: () => states.map(({ name }) => name),
    /** Lets the network fail for good. */
    lose: async () => {
      (clients.at(-1) ?? first).state('failed');
      await clock.idle();
    },
    setOnline: async (isOnline: boolean) => {
      online = isOnline;
      if (isOnline) for (const act of listeners.get('online') ?? []) act();
      await clock.idle();
    },
    happens: async (event: PageEvent) => {
      for (const act of listeners.get(event) ?? []) act();
      await clock.idle();
    },
    listenerCount: () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0),
  };
}
