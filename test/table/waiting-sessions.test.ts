/** The list of waiting sessions that all requests share. */
import { describe, expect, it } from 'vitest';
import {
  claimList,
  MAX_LISTED,
  readWaitingList,
  rememberGroup,
  waitingNameOf,
  writeWaitingList,
} from '../../functions/shared/window/waiting-sessions.ts';
import { itemBytes } from '../helpers/item-bytes.ts';
import { newSession } from '../helpers/sessions.ts';
import { allItems, useTable } from '../helpers/table.ts';

const table = useTable();
const NOW_MS = Date.UTC(2026, 0, 1);
let groups = 0;
const newGroup = () => `sg-waiting${++groups}`;

function listOf(sessions: number, listedAtMs = NOW_MS) {
  const names = Array.from({ length: sessions }, () => waitingNameOf(newSession().streamSessionId));
  return { listedAtMs, names: new Set(names), isComplete: true, nextAtMs: listedAtMs + 500 };
}

describe('the list of waiting sessions', () => {
  it('is read as it was written', async () => {
    const group = newGroup();
    const list = listOf(3);

    await writeWaitingList(table(), group, list);

    expect(await readWaitingList(table(), group, NOW_MS + 1000)).toMatchObject(list);
  });

  it('keeps 600 sessions at most, in an item below 4 KB', async () => {
    const group = newGroup();

    await writeWaitingList(table(), group, listOf(10_000));

    const { names } = await readWaitingList(table(), group, NOW_MS);
    expect(names.size).toBe(MAX_LISTED);
    const item = (await allItems(table())).find(({ pk }) => pk === `waiting#${group}`);
    expect(itemBytes(item ?? {})).toBeLessThan(4096);
  });

  it('is claimed by one caller until it is due again', async () => {
    const group = newGroup();

    expect(await claimList(table(), group, NOW_MS, 2000)).toBe(true);
    expect(await claimList(table(), group, NOW_MS + 1999, 2000)).toBe(false);
    expect(await claimList(table(), group, NOW_MS + 2000, 2000)).toBe(true);
  });

  it('is of a known group once it was made, and not by a claim', async () => {
    const group = newGroup();
    await claimList(table(), group, NOW_MS, 2000);
    expect(await readWaitingList(table(), group, NOW_MS)).toMatchObject({ isKnown: false });

    await writeWaitingList(table(), group, listOf(0));

    expect(await readWaitingList(table(), group, NOW_MS)).toMatchObject({ isKnown: true });
  });

  it('is claimed once for all unknown groups together', async () => {
    expect(await claimList(table(), undefined, NOW_MS, 500)).toBe(true);
    expect(await claimList(table(), undefined, NOW_MS + 499, 500)).toBe(false);
  });

  it('has what the watcher counted for half a minute, beside what it held', async () => {
    const group = newGroup();
    const list = listOf(3);
    await writeWaitingList(table(), group, list);

    await rememberGroup(table(), group, NOW_MS, 700);

    const read = (atMs: number) => readWaitingList(table(), group, NOW_MS + atMs);
    expect(await read(29_999)).toMatchObject({ ...list, isKnown: true, counted: 700 });
    expect(await read(30_000)).toMatchObject({ isKnown: true, counted: undefined });
  });

  it('is made anew where a clock that was ahead has written it', async () => {
    const group = newGroup();
    await writeWaitingList(table(), group, listOf(3, NOW_MS + 3_600_000));

    const { names, nextAtMs } = await readWaitingList(table(), group, NOW_MS);

    expect([names.size, nextAtMs]).toEqual([0, 0]);
    expect(await claimList(table(), group, NOW_MS, 2000)).toBe(true);
  });
});
