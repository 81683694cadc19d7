import type { Environment, Locks } from './environment.ts';

/** For a moment after a reload, the page's own lock of before the reload is still held. */
const FREE_WITHIN_MS = 1_000;

/** Holds a Web Lock for the session, so that only one tab of a browser plays it. */
export class LeadingTab {
  readonly #name: string;
  readonly #environment: Pick<Environment, 'locks' | 'setTimer'>;
  readonly #onStolen: () => void;
  #release: (() => void) | undefined;
  /** One request at a time: a second one would wait for the first one's lock. */
  #asked: Promise<boolean> | undefined;

  /** @param onStolen called when another tab takes the session. */
  constructor(name: string, environment: Pick<Environment, 'locks' | 'setTimer'>, onStolen: () => void) {
    this.#name = name;
    this.#environment = environment;
    this.#onStolen = onStolen;
  }

  /**
   * Returns whether this tab may play the session. Without Web Locks, or where the browser forbids them, every tab may:
   * then the API decides, because it lets the latest offer win.
   *
   * @param steal takes the session from the tab that has it.
   */
  take(steal: boolean): Promise<boolean> {
    const { locks } = this.#environment;
    if (locks === undefined || this.#release !== undefined) return Promise.resolve(true);
    this.#asked ??= this.#ask(locks, steal).finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  release(): void {
    this.#release?.();
    this.#release = undefined;
  }

  #ask(locks: Locks, steal: boolean): Promise<boolean> {
    const { setTimer } = this.#environment;
    return new Promise((resolve) => {
      const waiting = new AbortController();
      const cancel = setTimer(FREE_WITHIN_MS, () => {
        waiting.abort();
        resolve(steal);
      });
      let isHeld = false;
      const request = async () =>
        locks.request(this.#name, steal ? { steal } : { signal: waiting.signal }, () => {
          cancel();
          if (waiting.signal.aborted) return Promise.resolve();
          isHeld = true;
          return new Promise<void>((release) => {
            this.#release = release;
            resolve(true);
          });
        });
      request().catch(() => {
        cancel();
        if (isHeld && this.#release !== undefined) {
          this.#release = undefined;
          this.#onStolen();
        }
        resolve(!waiting.signal.aborted);
      });
    });
  }
}
