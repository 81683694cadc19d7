/** Those who share a quota: each takes a permit and then makes its call, by a clock of its own. */

import { DEFAULT_QUOTAS, QuotaBuckets } from 'game-lift-streams-local';
import { z } from 'zod';
import * as realPermits from '../../functions/shared/quota/permits.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import type { Scenario } from './explore.ts';
import { gatedTable } from './gated-clients.ts';
import { SteppingClock } from './stepping-clock.ts';
import type { World } from './world.ts';

export type Code = Pick<typeof realPermits, 'takePermit' | 'slowDown'>;

export interface PermitsOptions {
  readonly code?: Code;
  readonly perSecond: number;
  readonly callers: readonly {
    /** By how much the caller's clock is ahead. */
    readonly skewMs?: number;
    readonly waitMs: number;
    readonly priority?: 'LOW';
  }[];
  /** Whether a call of somebody else's has been throttled meanwhile. */
  readonly throttled?: boolean;
  /** How often a step may be 300 ms late: a call that takes so long, or a process that stands still. */
  readonly delays?: number;
  /** How many calls went out just before. */
  readonly spent?: number;
  /** By how much the clock was ahead that has booked last. */
  readonly bookedAheadMs?: number;
}

const OPERATION = 'GetStreamSession';
const START_MS = 1_000_000;
const DELAY_MS = 300;
const permitSchema = z.object({ bookedUntilMs: z.number().default(0) });

export function permitsScenario(
  world: World,
  {
    code = realPermits,
    perSecond,
    callers,
    throttled = false,
    delays = 0,
    spent = 0,
    bookedAheadMs = 0,
  }: PermitsOptions,
): Scenario {
  const items = new MemoryItems();
  const clock = new SteppingClock(START_MS, { stepMs: DELAY_MS, steps: delays });
  /** When the calls went out, by the service's clock. */
  const callsMs: number[] = Array.from({ length: spent }, () => START_MS);
  const overQuotaMs: number[] = [];
  const buckets = new QuotaBuckets({ ...DEFAULT_QUOTAS, [OPERATION]: perSecond }, START_MS - 60_000);
  const counts = { booked: 0, refused: 0, dead: 0 };
  const skewMs = Math.max(0, ...callers.map((caller) => Math.abs(caller.skewMs ?? 0)));
  /** How far a call may be from its permit's time. */
  const awayMs = skewMs + delays * DELAY_MS;
  const key = { pk: `permit#${OPERATION}`, sk: 'permit' };
  if (spent > 0) {
    items.answer('PutCommand', { Item: { ...key, bookedUntilMs: START_MS + (spent * 1000) / perSecond } });
    for (const atMs of callsMs) buckets.take(OPERATION, atMs);
  }

  if (bookedAheadMs > 0) {
    items.answer('PutCommand', { Item: { ...key, bookedUntilMs: START_MS + bookedAheadMs } });
  }

  for (const [index, caller] of callers.entries()) {
    const own = clock.skewed(caller.skewMs ?? 0);
    const life = { hasBooked: false, isDone: false };
    world.start(
      `caller ${index}`,
      async (gate) => {
        const latestMs = own.nowMs() + caller.waitMs;
        const isGranted = await code.takePermit(
          {
            operation: OPERATION,
            perSecond,
            latestMs,
            onBooked: () => {
              counts.booked++;
              life.hasBooked = true;
            },
            ...(caller.priority === undefined ? {} : { priority: caller.priority }),
          },
          { table: gatedTable(items, gate), clock: own },
        );
        life.isDone = true;
        if (!isGranted) {
          counts.refused++;
          if (life.hasBooked) throw new Error('what was booked is refused');
          return;
        }
        if (own.nowMs() > latestMs + delays * DELAY_MS + 1)
          throw new Error(`called at ${own.nowMs()}, too late after ${latestMs}`);
        callsMs.push(clock.nowMs);
        if (!buckets.take(OPERATION, clock.nowMs)) overQuotaMs.push(clock.nowMs);
      },
      {
        onDeath: () => {
          if (!life.isDone) counts.dead++;
        },
      },
    );
  }
  if (throttled) {
    world.start('throttled', (gate) =>
      code.slowDown(
        { operation: OPERATION, perSecond },
        { table: gatedTable(items, gate), clock: clock.skewed(0) },
      ),
    );
  }

  const booked = () => permitSchema.parse(items.item(key) ?? {});

  return {
    events: () => clock.events(),
    state: () => [items.all(), clock.state(), callsMs, overQuotaMs, counts],
    always: () => {
      if (awayMs === 0 && overQuotaMs.length > 0) {
        throw new Error(`over the quota with calls at ${callsMs.join(', ')}`);
      }
      for (const fromMs of callsMs) {
        for (const toMs of callsMs) {
          const calls = callsMs.filter((atMs) => atMs >= fromMs && atMs <= toMs).length;
          const most = perSecond * ((toMs - fromMs + 2 * awayMs) / 1000 + 1);
          if (toMs >= fromMs && calls > most + 1e-6) {
            throw new Error(`${calls} calls from ${fromMs} to ${toMs}, where ${most} may be`);
          }
        }
      }
    },
    whenQuiet: () => {
      const { dead, refused, booked: permits } = counts;
      const calls = callsMs.length - spent;
      if (calls + refused + dead !== callers.length) throw new Error('a caller was forgotten');
      if (calls > permits) throw new Error(`${calls} calls with ${permits} permits`);
      if (bookedAheadMs > 0 && calls + dead === 0) throw new Error('nobody has outvoted the clock ahead');
      if (permits - calls > dead) throw new Error('a permit was lost, and nobody has died');
      // What is booked is what was given out: a call's worth for each, beginning when the first was booked.
      const worthMs = 1000 / perSecond;
      // A booking that is outvoted is replaced by that of an empty bucket.
      const emptyMs = bookedAheadMs > 0 ? 1000 : 0;
      const mostMs = clock.nowMs + skewMs + emptyMs + (spent + permits + dead) * worthMs;
      if (!throttled && booked().bookedUntilMs > mostMs) {
        throw new Error(`booked until ${booked().bookedUntilMs}, for ${permits} permits, at ${clock.nowMs}`);
      }
    },
  };
}
