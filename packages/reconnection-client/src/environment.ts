/** What the reconnector needs of the page that it runs in. All of it can be passed in, so tests run in virtual time. */
export interface Environment {
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `act` once. Returns a function that cancels it. */
  setTimer(delayMs: number, act: () => void): () => void;
  /** 0 ≤ random() < 1. */
  random(): number;
  isOnline(): boolean;
  /** Keeps the session over a reload. Undefined where the browser forbids storage. */
  readonly storage: KeyValueStorage | undefined;
  /** Chooses one tab. Undefined in a browser without Web Locks. */
  readonly locks: Locks | undefined;
  /** Calls `act` at each event. Returns a function that ends it. */
  listen(event: PageEvent, act: () => void): () => void;
  /** Tells of an error that a listener of the game has thrown. */
  report(error: unknown): void;
}

/**
 * - `online`: the network is back
 * - `shown`: the page can be seen again
 * - `restored`: the page has come back from the back/forward cache, which closes connections
 * - `hidden`: the page goes away, perhaps for good
 */
export type PageEvent = 'online' | 'shown' | 'restored' | 'hidden';

export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request(
    name: string,
    options: { readonly steal?: boolean; readonly signal?: AbortSignal },
    held: () => Promise<void>,
  ): Promise<unknown>;
}

interface PageTarget {
  addEventListener(type: string, listener: (event: { readonly persisted?: boolean }) => void): void;
  removeEventListener(type: string, listener: (event: { readonly persisted?: boolean }) => void): void;
}

/* The browser's globals, as far as they are used. Each may be missing: in a worker, a test or an old browser. */
declare const window: (PageTarget & { readonly sessionStorage: KeyValueStorage }) | undefined;
declare const document: (PageTarget & { readonly visibilityState: string }) | undefined;
declare const navigator: { readonly onLine?: boolean; readonly locks?: Locks } | undefined;
declare const reportError: ((error: unknown) => void) | undefined;

/** Returns the browser's own clock, storage, locks and events. */
export function browserEnvironment(): Environment {
  const nav = typeof navigator === 'undefined' ? undefined : navigator;
  return {
    now: () => Date.now(),
    setTimer(delayMs, act) {
      const timer = setTimeout(act, delayMs);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
    isOnline: () => nav?.onLine !== false,
    storage: attempt(() => (typeof window === 'undefined' ? undefined : window.sessionStorage)),
    locks: nav?.locks,
    listen,
    report(error) {
      if (typeof reportError === 'function') reportError(error);
    },
  };
}

/** Returns undefined when `act` throws, as every use of a forbidden storage does. */
export function attempt<Value>(act: () => Value): Value | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function listen(event: PageEvent, act: () => void): () => void {
  const page = typeof window === 'undefined' ? undefined : window;
  switch (event) {
    case 'online':
      return on(page, 'online', act);
    case 'hidden':
      return on(page, 'pagehide', act);
    case 'restored':
      return on(page, 'pageshow', ({ persisted }) => persisted === true && act());
    case 'shown': {
      const shown = typeof document === 'undefined' ? undefined : document;
      const stops = [
        on(page, 'pageshow', act),
        on(shown, 'visibilitychange', () => shown?.visibilityState === 'visible' && act()),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    }
  }
}

function on(
  target: PageTarget | undefined,
  type: string,
  listener: (event: { readonly persisted?: boolean }) => void,
): () => void {
  target?.addEventListener(type, listener);
  return () => target?.removeEventListener(type, listener);
}
