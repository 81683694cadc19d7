import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { readLine } from '../../functions/shared/quota/line.ts';
import { readPermits, slowDown, takePermit } from '../../functions/shared/quota/permits.ts';
import { readPlace } from '../../functions/shared/quota/places.ts';
import { readSwitchItem } from '../../functions/shared/runtime/switch.ts';
import { readWindows } from '../../functions/shared/window/read-windows.ts';
import { readWindow } from '../../functions/shared/window/window-item.ts';
import { newSession } from '../helpers/sessions.ts';
import { useTable } from '../helpers/table.ts';
import { watchReads } from '../helpers/watch-reads.ts';

const table = useTable();
const OPERATION = 'GetStreamSession' as const;
const clock = new VirtualClock();
const request = { operation: OPERATION, perSecond: 20, latestMs: clock.nowMs() };

describe('a read that something is decided by', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a window', () => readWindow(table(), newSession())],
    ['many windows', () => readWindows(table(), [newSession()])],
    ['a place in line', () => readPlace(table(), newSession())],
    ['the switch', () => readSwitchItem(table())],
    ['the permits, to take one', () => takePermit(request, { table: table(), clock })],
    ['the permits, to slow down', () => slowDown(request, { table: table(), clock })],
  ])('has the latest state: %s', async (_, read) => {
    const reads = watchReads(table());

    await read();

    expect(reads.map(({ consistent }) => consistent)).toEqual([true]);
  });
});

describe('a look at the line, which is looked at again and again', () => {
  it('costs half, and may be a moment behind', async () => {
    const reads = watchReads(table());

    await readLine(table(), OPERATION);
    await readPermits(table(), OPERATION);

    expect(reads.map(({ consistent }) => consistent)).toEqual([false, false]);
  });
});
