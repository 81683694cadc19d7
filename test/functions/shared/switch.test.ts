import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it, vi } from 'vitest';
import { SWITCH_KEY } from '../../../functions/shared/contracts/table-keys.ts';
import {
  measureSwitch,
  SWITCH_CACHE_MS,
  type SwitchState,
  switchReader,
  writeSwitchItem,
} from '../../../functions/shared/runtime/switch.ts';
import { delayNext, failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { useTable } from '../../helpers/table.ts';

const table = useTable();

const set = (state: SwitchState) => writeSwitchItem(table(), { state });

/** A process of its own, which reads the switch for the first time. */
function prepare() {
  const clock = new VirtualClock();
  const log = memoryLog();
  const reader = switchReader({ table: table(), clock });
  return { clock, log, reader, read: () => clock.track(() => reader(log)) };
}

describe('the switch', () => {
  it('is on when nobody has ever touched it', async () => {
    const { read, log } = prepare();

    expect(await read()).toBe('on');

    expect(log.lines).toEqual([]);
  });

  it('is heard of within five seconds, and read no more often than that', async () => {
    await set('on');
    const { clock, read, log } = prepare();
    await read();
    await set('refuse');

    await clock.advance(SWITCH_CACHE_MS - 1);
    expect(await read()).toBe('on');
    await clock.advance(1);
    expect(await read()).toBe('refuse');

    expect(log.lines).toEqual([{ event: 'SwitchChanged', fields: { from: 'on', to: 'refuse' } }]);
    await set('on');
    await clock.advance(SWITCH_CACHE_MS);
    expect(await read()).toBe('on');
  });

  it('is heard of when the clock is set back by an hour', async () => {
    await set('on');
    const { clock, read } = prepare();
    await read();
    await set('refuse');
    const nowMs = clock.nowMs.bind(clock);
    vi.spyOn(clock, 'nowMs').mockImplementation(() => nowMs() - 3_600_000);

    expect(await read()).toBe('refuse');

    await clock.advance(SWITCH_CACHE_MS - 1);
    await set('on');
    expect(await read()).toBe('refuse');
    await clock.advance(1);
    expect(await read()).toBe('on');
  });

  it('is read once for requests that come together', async () => {
    await set('passThrough');
    const { read, log } = prepare();
    // The second read would fail, if there were one.
    delayNext(table(), 'GetItemCommand', async () => failNext(table(), 'GetItemCommand', 'BEFORE'));

    expect(await Promise.all([read(), read()])).toEqual(['passThrough', 'passThrough']);

    expect(log.lines.map(({ event }) => event)).toEqual(['SwitchChanged']);
  });
});

describe('a switch that cannot be read', () => {
  it('is as it was last', async () => {
    await set('refuse');
    const { clock, read, log } = prepare();
    await read();
    await clock.advance(SWITCH_CACHE_MS);
    failNext(table(), 'GetItemCommand', 'BEFORE');

    expect(await read()).toBe('refuse');

    expect(log.lines.at(-1)).toMatchObject({
      event: 'SwitchUnreadable',
      fields: { state: 'refuse', errorName: 'DependencyUnavailableException' },
    });
  });

  it('is on before the first read has worked, and does not make every request wait', async () => {
    await set('refuse');
    const { clock, read } = prepare();
    failNext(table(), 'GetItemCommand', 'BEFORE');

    expect(await read()).toBe('on');
    expect(await read()).toBe('on');
    await clock.advance(SWITCH_CACHE_MS);
    expect(await read()).toBe('refuse');
  });

  it('holds nobody up for longer than half a second', async () => {
    await set('refuse');
    const { clock, log, reader } = prepare();
    let state: SwitchState | undefined;
    const hung = new Promise<void>((resolve) => {
      // A table that answers, and then never lets go.
      delayNext(table(), 'GetItemCommand', () => {
        resolve();
        return new Promise(() => {});
      });
    });

    const reading = reader(log).then((value) => {
      state = value;
    });
    await hung;
    await clock.advance(499);
    expect(state).toBeUndefined();
    await clock.advance(1);
    await reading;

    expect(state).toBe('on');
    expect(log.lines[0]).toMatchObject({ event: 'SwitchUnreadable' });
  });

  it('is as it was last, too, where somebody has written what it does not know', async () => {
    const { read, log } = prepare();
    const Item = { ...SWITCH_KEY, state: 'passthrough' };
    await table().documents.send(new PutCommand({ TableName: table().name, Item }));

    expect(await read()).toBe('on');

    expect(log.lines).toMatchObject([{ event: 'SwitchUnreadable', fields: { errorName: 'ZodError' } }]);
  });
});

describe('how long the switch has been off', () => {
  const NOW_MS = Date.parse('2026-11-28T12:00:00.000Z');
  const measured = (item: Parameters<typeof measureSwitch>[0]) => {
    const metrics = memoryMetrics();
    measureSwitch(item, NOW_MS, metrics);
    return metrics.values;
  };

  it.each([
    ['nobody has switched', undefined],
    ['it is on', { state: 'on', changedAt: '2026-11-28T10:00:00.000Z' } as const],
  ])('is not measured while %s', (_, item) => {
    expect(measured(item)).toEqual([]);
  });

  it.each(['passThrough', 'refuse'] as const)('is measured at %s', (state) => {
    expect(measured({ state, changedAt: '2026-11-28T11:59:00.000Z' })).toEqual([
      { name: 'SwitchedOffFor', value: 60_000 },
    ]);
  });

  it.each([undefined, 'yesterday'])('counts as an hour when it was set by hand: %s', (changedAt) => {
    expect(measured({ state: 'refuse', ...(changedAt && { changedAt }) })).toEqual([
      { name: 'SwitchedOffFor', value: 3_600_000 },
    ]);
  });
});
