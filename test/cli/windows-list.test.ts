import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import type { ListArguments } from '../../cli/windows/arguments.ts';
import { documentOf, listWindows, tableOf } from '../../cli/windows/list-windows.ts';
import { run } from '../../cli/windows/run.ts';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { drawNumber } from '../../functions/shared/quota/line.ts';
import {
  markServed,
  noteLeaving,
  offersWith,
  readPlace,
  writePlace,
} from '../../functions/shared/quota/places.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import type { EndEarlyFor } from '../../functions/shared/window/window-item.ts';
import { MemoryTable } from '../../local/dynamodb/memory-table.ts';
import { newSession } from '../helpers/sessions.ts';
import { givenFailedWindow, givenOpenWindow, givenRunningWindow } from '../helpers/windows.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);
const OPERATION = 'CreateStreamSessionConnection';

type Filters = Partial<Pick<ListArguments, 'group' | 'state' | 'leftSeconds' | 'maxPages'>>;

function list(table: Table, { group, state, leftSeconds, maxPages = 10 }: Filters = {}) {
  return listWindows(
    table,
    { group, state, leftSeconds, maxPages },
    () => NOW_MS,
    () => {},
  );
}

function emptyTable(): Table {
  return new MemoryTable({ travel: async () => {} }).table;
}

/** The session's window waits, and is to end 30 s from now. */
async function givenEarlyEnd(table: Table, session: SessionKey, endEarlyFor: EndEarlyFor): Promise<void> {
  const endEarlyAtMs = NOW_MS + 30_000;
  if (endEarlyFor === 'LEFT') {
    await noteLeaving(table, session, 'first', { untilMs: endEarlyAtMs, nowMs: NOW_MS - 60_000 });
  }
  const early = { endEarlyAtMs, endEarlyFor };
  await givenRunningWindow(table, session, { disconnectedAtMs: NOW_MS - 10_000, early });
}

const inGroup = (streamGroupId: string): SessionKey => ({ ...newSession(), streamGroupId });
const namesOf = ({ windows }: Awaited<ReturnType<typeof list>>) => windows.map(({ session }) => session);

/** The session's player has asked and stands in line. */
async function givenPlace(table: Table, session: SessionKey, deadlineMs: number): Promise<void> {
  const { counter, number } = await drawNumber(table, OPERATION, {
    counter: `A${Math.floor(deadlineMs / 2000).toString(36)}`,
    seen: [],
    overBeforeMs: NOW_MS,
  });
  const before = await readPlace(table, session);
  await writePlace(table, session, before, {
    ...offersWith(before, 'offer'),
    askedAtMs: NOW_MS,
    deadlineMs,
    lineCounter: counter,
    lineNumber: number,
  });
}

describe('npm run windows -- list', () => {
  it('lists open windows by the time left, with place, attempts and what they wait for', async () => {
    const table = emptyTable();
    const [first, second, third, fourth] = [newSession(), newSession(), newSession(), newSession()];
    await givenRunningWindow(table, first, { disconnectedAtMs: NOW_MS - 30_000 });
    await givenRunningWindow(table, second, { disconnectedAtMs: NOW_MS - 20_000 });
    await givenRunningWindow(table, third, { disconnectedAtMs: NOW_MS - 10_000 });
    await givenOpenWindow(table, fourth, { disconnectedAtMs: NOW_MS });
    await givenPlace(table, first, NOW_MS + 90_000);
    await givenPlace(table, third, NOW_MS + 110_000);

    const lines = tableOf((await list(table)).windows);

    const [headings = '', ...rows] = lines.map((line) => line.replace(/ {2,}/g, '|'));
    expect(headings).toMatch(/^SESSION\|WINDOW\|PHASE\|LEFT\|PLACE\|ATTEMPTS\|WAITS FOR$/);
    const nameOf = (session: SessionKey) => `${session.streamGroupId}/${session.streamSessionId}`;
    expect(rows).toEqual([
      `${nameOf(first)}|1|AWAITING_RECONNECTION|90 s|1|0|the turn of its player`,
      `${nameOf(second)}|1|AWAITING_RECONNECTION|100 s|-|0|the player, or the service to notice the loss`,
      `${nameOf(third)}|1|AWAITING_RECONNECTION|110 s|2|0|the turn of its player`,
      `${nameOf(fourth)}|1|AWAITING_RECONNECTION|120 s|-|0|its execution to start`,
    ]);
  });

  it('takes a place of an earlier loss for none', async () => {
    const table = emptyTable();
    const session = newSession();
    await givenPlace(table, session, NOW_MS + 90_000);
    await givenRunningWindow(table, session, { disconnectedAtMs: NOW_MS + 60_000 });

    expect((await list(table)).windows).toMatchObject([{ place: { kind: 'NONE' } }]);
  });

  it.each([
    ['LEFT', 'until 2026-01-01T12:00:30.000Z (LEFT)'],
    ['GIVE_UP', 'until 2026-01-01T12:00:30.000Z (GIVE_UP)'],
    ['OPERATOR', 'until 2026-01-01T12:00:30.000Z (OPERATOR)'],
  ] as const)('tells of the early end of a window for %s', async (endEarlyFor, told) => {
    const table = emptyTable();
    await givenEarlyEnd(table, newSession(), endEarlyFor);

    expect((await list(table)).windows).toMatchObject([{ waitsFor: `the player, ${told}` }]);
  });

  it.each(['LEFT', 'GIVE_UP'] as const)(
    'does not tell of an end for %s that a request has lifted',
    async (endEarlyFor) => {
      const table = emptyTable();
      const session = newSession();
      await givenEarlyEnd(table, session, endEarlyFor);
      await givenPlace(table, session, NOW_MS + 90_000);
      await markServed(table, session, 'offer');

      expect((await list(table)).windows).toMatchObject([
        { place: { kind: 'NONE' }, waitsFor: 'the player, or the service to notice the loss' },
      ]);
    },
  );

  it('lists one stream group by its index', async () => {
    const table = emptyTable();
    const [one, other] = [inGroup('sg-one'), inGroup('sg-other')];
    await givenRunningWindow(table, one, { disconnectedAtMs: NOW_MS });
    await givenRunningWindow(table, other, { disconnectedAtMs: NOW_MS });

    expect(namesOf(await list(table, { group: 'sg-one' }))).toEqual([one]);
    expect(namesOf(await list(table, { group: 'sg-none' }))).toEqual([]);
  });

  it('lists those with little time left', async () => {
    const table = emptyTable();
    const soon = newSession();
    await givenRunningWindow(table, soon, { disconnectedAtMs: NOW_MS - 100_000 });
    await givenRunningWindow(table, newSession(), { disconnectedAtMs: NOW_MS });

    expect(namesOf(await list(table, { leftSeconds: 20 }))).toEqual([soon]);
  });

  it('lists failed windows only when asked for', async () => {
    const table = emptyTable();
    const session = newSession();
    await givenFailedWindow(table, session, { disconnectedAtMs: NOW_MS, error: 'UnexpectedError' });

    expect((await list(table)).windows).toEqual([]);
    expect((await list(table, { state: 'FAILED' })).windows).toMatchObject([
      { session, waitsFor: 'a retry: it failed with UnexpectedError' },
    ]);
  });

  it('prints with --json what a program needs', async () => {
    const table = emptyTable();
    const session = newSession();
    await givenRunningWindow(table, session, { disconnectedAtMs: NOW_MS - 30_000 });

    const document = documentOf(await list(table), NOW_MS);

    expect(document).toEqual({
      at: '2026-01-01T12:00:00.000Z',
      isComplete: true,
      windows: [
        {
          ...session,
          generation: 1,
          executionName: `${session.streamSessionId}-1`,
          phase: 'AWAITING_RECONNECTION',
          disconnectedAt: '2026-01-01T11:59:30.000Z',
          deadline: '2026-01-01T12:01:30.000Z',
          leftSeconds: 90,
          placeInLine: null,
          isTooLateInLine: false,
          connectionAttempts: 0,
          waitsFor: 'the player, or the service to notice the loss',
          failure: null,
        },
      ],
    });
  });
});

describe('npm run windows', () => {
  const inTable = ['--table', 't'];
  const machine = ['--state-machine', 'arn:aws:states:us-west-2:123456789012:stateMachine:windows'];

  it.each([
    [['list', 'sg-1/a', ...inTable], 'list takes no session; show does.'],
    [['list', '--state', 'CLOSED', ...inTable], '--state takes one of: AWAITING_RECONNECTION'],
    [['list', '--left', 'soon', ...inTable], '--left takes a whole number from 0.'],
    [['list', '--json', '--watch', ...inTable], '--watch draws a list; leave out --json.'],
    [['list', '--watch', ...inTable, '--region', 'us-west-2'], '--watch draws on a terminal.'],
    [['list', '--group', 'a/b', ...inTable], '--group takes the id of a stream group.'],
    [['list', '--dry-run', ...inTable], 'list has no option --dry-run.'],
    [['drain', ...inTable, '--bus', 'b'], 'Name the id of the stream group to drain.'],
    [['drain', 'sg-1', ...inTable, '--bus', 'b'], '--within takes a whole number from 5.'],
    [
      ['drain', 'sg-1', '--within', '90000', ...inTable, '--bus', 'b'],
      '--within takes 86400 seconds at most.',
    ],
    [['end', 'sg-1/a', '--bus', 'b'], '--api takes the URL of the API.'],
    [
      ['end', 'abc', '--api', 'http://127.0.0.1:1', '--bus', 'b'],
      'Name the session to end with its stream group.',
    ],
    [['end', 'sg-1/a', '--api', 'http://127.0.0.1:1'], '--bus names the bus for the audit records.'],
    [['end', 'sg-1/a', '--api', 'x', '--bus', 'b', '--region', 'us-west-2'], '--endpoint takes a URL.'],
    [['retry', 'sg-1/a', ...inTable, ...machine], '--bus names the bus for the audit records.'],
    [['show', ...inTable, ...machine], 'Name the session to show.'],
    [['show', 'sg-1/a', ...inTable], '--state-machine takes the ARN'],
    [['show', 'sg-1/a', '--watch', ...inTable, ...machine], 'show has no option --watch.'],
  ])('says in one line what is wrong with %j', async (args, told) => {
    const lines: string[] = [];

    const code = await run(args, { clock: new VirtualClock(NOW_MS), tell: (text) => lines.push(text) });

    expect(code).toBe(2);
    expect(lines.join('')).toContain(told);
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(2);
  });
});
