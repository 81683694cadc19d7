import { describe, expect, it } from 'vitest';
import { fillSecond, type QuotaOperation, takePermit } from '../../functions/shared/table/permits.ts';
import { VirtualClock } from '../../local/shared/virtual-clock.ts';
import { useTable } from '../helpers/table.ts';

const table = useTable();
let nextStartMs = Date.UTC(2026, 0, 1);

/** A clock in seconds that no other test has used, and permits for it. */
function prepare(options: { perSecond?: number; random?: () => number } = {}) {
  nextStartMs += 3_600_000;
  const clock = new VirtualClock(nextStartMs);
  const dependencies = { table: table(), clock, random: options.random ?? (() => 0) };
  const take = (latestMs: number, operation: QuotaOperation = 'GetStreamSession') =>
    clock.track(() => takePermit({ operation, perSecond: options.perSecond ?? 2, latestMs }, dependencies));
  return { clock, dependencies, take };
}

describe('a permit', () => {
  it('is given to no more callers in a second than the quota has calls', async () => {
    const { clock, take } = prepare({ perSecond: 5 });
    const nowMs = clock.nowMs();

    const granted = await Promise.all(Array.from({ length: 20 }, () => take(nowMs)));

    expect(granted.filter(Boolean)).toHaveLength(5);
  });

  it('is counted for each operation by itself', async () => {
    const { clock, take } = prepare({ perSecond: 1 });
    const nowMs = clock.nowMs();

    expect(await take(nowMs, 'GetStreamSession')).toBe(true);
    expect(await take(nowMs, 'CreateStreamSessionConnection')).toBe(true);
    expect(await take(nowMs, 'GetStreamSession')).toBe(false);
  });

  it('is waited for until the next second has one', async () => {
    const { clock, take } = prepare({ perSecond: 1, random: () => 0.5 });
    const startMs = clock.nowMs();
    await take(startMs);
    let takenAtMs = 0;

    const second = take(startMs + 3000).then((granted) => {
      takenAtMs = clock.nowMs();
      return granted;
    });
    await clock.advance(3000);

    expect(await second).toBe(true);
    expect(takenAtMs).toBe(startMs + 1250);
  });

  it('is refused at once when the next second comes too late for the caller', async () => {
    const { clock, take } = prepare({ perSecond: 1 });
    await take(clock.nowMs());

    expect(await take(clock.nowMs() + 999)).toBe(false);
  });

  it('is not given in a second that the service has called full', async () => {
    const { clock, dependencies, take } = prepare({ perSecond: 100 });

    await fillSecond({ operation: 'GetStreamSession', perSecond: 100 }, dependencies);

    expect(await take(clock.nowMs())).toBe(false);
  });
});
