import type { Player } from './scenario.ts';

export interface Capacity {
  readonly perSecond: number;
  /** Tokens in the service's bucket when the first player is back: it has been idle. */
  readonly burst: number;
  /** What somebody else takes, if everything that they ask for is granted. */
  readonly foreignPerSecond: number;
}

/**
 * How many sessions any policy can save. The bucket is full until the first player is back, whatever the policy, so
 * by a moment t it has given burst + (rate − foreign) × t calls at most. A session needs one of them between the
 * player's return and its deadline. Sessions are granted in the order of deadlines, each if a call is left by
 * then; that a token is lost when the bucket overflows is left out, which can only make the bound too high.
 */
export function boundOf(
  players: readonly Player[],
  { perSecond, burst, foreignPerSecond }: Capacity,
): number {
  const startMs = Math.min(...players.map(({ backAtMs }) => backAtMs));
  let saved = 0;
  for (const { deadlineMs } of players.toSorted((a, b) => a.deadlineMs - b.deadlineMs)) {
    const calls = Math.floor(burst + ((perSecond - foreignPerSecond) * (deadlineMs - startMs)) / 1000 + 1e-9);
    if (saved < calls) saved++;
  }
  return saved;
}

/**
 * When each session would have its call, deadlines first, each token as soon as there is one: what "unfairly late"
 * is measured against.
 */
export function fairTimes(players: readonly Player[], capacity: Capacity): ReadonlyMap<string, number> {
  const { perSecond, burst, foreignPerSecond } = capacity;
  const intervalMs = 1000 / (perSecond - foreignPerSecond);
  const byReturn = players.toSorted((a, b) => a.backAtMs - b.backAtMs);
  const times = new Map<string, number>();
  // A bucket that holds one second's worth, as the time at which it will be full again.
  let fullAtMs = 0;
  const present = new DeadlineHeap();
  let next = 0;
  let nowMs = byReturn[0]?.backAtMs ?? 0;
  for (;;) {
    for (
      let player = byReturn[next];
      player !== undefined && player.backAtMs <= nowMs;
      player = byReturn[next]
    ) {
      present.push(player);
      next++;
    }
    const player = present.pop();
    if (player === undefined) {
      const later = byReturn[next];
      if (later === undefined) return times;
      nowMs = later.backAtMs;
      continue;
    }
    if (player.deadlineMs < nowMs) continue;
    times.set(player.id, nowMs);
    fullAtMs = Math.max(fullAtMs, nowMs) + intervalMs;
    nowMs = Math.max(nowMs, fullAtMs - (burst - 1) * intervalMs);
  }
}

/** Deadlines are few and players many: one queue for each deadline, in the order of return. */
class DeadlineHeap {
  readonly #queues = new Map<number, { players: Player[]; next: number }>();

  push(player: Player): void {
    const queue = this.#queues.get(player.deadlineMs);
    if (queue === undefined) this.#queues.set(player.deadlineMs, { players: [player], next: 0 });
    else queue.players.push(player);
  }

  pop(): Player | undefined {
    let first: { players: Player[]; next: number } | undefined;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const [deadlineMs, queue] of this.#queues) {
      if (queue.next < queue.players.length && deadlineMs < firstMs) {
        first = queue;
        firstMs = deadlineMs;
      }
    }
    return first?.players[first.next++];
  }
}
