/** Epoch milliseconds and waiting, passed in so that decisions can be tested without waiting. */
export interface Clock {
  nowMs(): number;
  sleep(delayMs: number): Promise<void>;
  /** Runs `callback` once, `delayMs` from now; the returned function cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Returns whether what was read at `readAtMs` is still younger than `lifetimeMs`. A clock that was set back makes the age
 * negative. That counts as too old, because otherwise the reading would be used until the clock had caught up.
 *
 * Why: docs/decisions/quota-and-line.md#a-negative-age-is-too-old
 */
export function isFresh(readAtMs: number, lifetimeMs: number, nowMs: number): boolean {
  const ageMs = nowMs - readAtMs;
  return ageMs >= 0 && ageMs < lifetimeMs;
}

/** Runs `work` with a signal that aborts after `timeoutMs` and leaves no timer behind. */
export async function withTimeout<Result>(
  clock: Clock,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const cancel = clock.setTimer(timeoutMs, () => controller.abort());
  try {
    return await work(controller.signal);
  } finally {
    cancel();
  }
}

/** Does `work` for every item, at most `limit` at a time. The first failure ends it, after what is under way. */
export async function inParallel<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async () => {
    // The iterator is shared: each item goes to the first worker that is free.
    for (const item of left) await work(item);
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
