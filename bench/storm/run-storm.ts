import { seededRandom } from 'local-server-kit';
import { InProcessClock } from '../../local/simulation/in-process-clock.ts';
import { boundOf, fairTimes } from './bound.ts';
import type { Policy } from './policy.ts';
import { playersOf, type Scenario } from './scenario.ts';
import { onVirtualGlobals } from './sdk-policy.ts';
import { StormService } from './service.ts';

/** The service's published quota, and the stand-in's burst of one second. */
export const PER_SECOND = 20;
/** Windows are opened before. */
const PREPARATION_MS = 10_000;

/** An answer may come a little after the deadline that its call has met. */
const AFTERMATH_MS = 20_000;

export interface StormResult {
  readonly policy: string;
  readonly saved: number;
  readonly bound: number;
  readonly calls: number;
  readonly rejected: number;
  readonly foreignCalls: number;
  readonly foreignRejected: number;
  /** From the player's return to the answer. */
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  /** How much later than in the order of deadlines, for the latest hundredth of those whom both save. */
  readonly lateP99Seconds: number;
  readonly usage: Readonly<Record<string, number>>;
  /** For pictures: when each session was saved, in seconds from the drop, in order. */
  readonly savedAtSeconds: readonly number[];
}

export function runStorm(scenario: Scenario, policy: Policy, seed: number): Promise<StormResult> {
  const clock = new InProcessClock();
  const random = seededRandom(seed);
  const startMs = clock.nowMs() + PREPARATION_MS;
  // The same players for every policy.
  const players = playersOf(scenario, startMs, seededRandom(seed));
  const capacity = {
    perSecond: PER_SECOND,
    burst: PER_SECOND,
    foreignPerSecond: scenario.foreignPerSecond,
  };
  const service = new StormService({
    clock,
    random,
    ...scenario,
    deadlines: new Map(players.map(({ id, deadlineMs }) => [id, deadlineMs])),
  });
  return onVirtualGlobals({ clock, random }, async () => {
    const preparing = policy.prepare({ clock, random, service, players, perSecond: PER_SECOND });
    await clock.run(startMs);
    const save = await preparing;
    const savedAtMs = new Map<string, number>();
    const failures: unknown[] = [];
    for (const player of players) {
      clock.setTimer(player.backAtMs - clock.nowMs(), () => {
        save(player).then(
          (isSaved) => {
            if (isSaved) savedAtMs.set(player.id, clock.nowMs());
          },
          (error: unknown) => failures.push(error),
        );
      });
    }
    // Whoever still waits then is an SDK that does not know that its session has ended.
    await clock.run(Math.max(...players.map(({ deadlineMs }) => deadlineMs)) + AFTERMATH_MS);
    if (failures.length > 0) throw failures[0];
    const fair = fairTimes(players, capacity);
    const waits = players.flatMap(({ id, backAtMs }) => secondsBetween(backAtMs, savedAtMs.get(id)));
    const late = players.flatMap(({ id }) => secondsBetween(fair.get(id), savedAtMs.get(id)));
    return {
      policy: policy.name,
      saved: savedAtMs.size,
      bound: boundOf(players, capacity),
      calls: service.calls,
      rejected: service.throttled,
      foreignCalls: service.foreignCalls,
      foreignRejected: service.foreignThrottled,
      p50Seconds: quantile(waits, 0.5),
      p99Seconds: quantile(waits, 0.99),
      lateP99Seconds: Math.max(0, quantile(late, 0.99)),
      usage: policy.usage?.() ?? {},
      savedAtSeconds: [...savedAtMs.values()].map((atMs) => (atMs - startMs) / 1000).sort((a, b) => a - b),
    };
  });
}

function secondsBetween(fromMs: number | undefined, toMs: number | undefined): number[] {
  return fromMs === undefined || toMs === undefined ? [] : [(toMs - fromMs) / 1000];
}

/** The value that so large a share of all is below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
