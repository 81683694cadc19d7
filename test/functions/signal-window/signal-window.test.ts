import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { signalConnection } from '../../../functions/signal-window/signal-window.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { memoryLog } from '../../helpers/log.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems, useTable } from '../../helpers/table.ts';
import { givenFailedWindow, givenRunningWindow, windowOf } from '../../helpers/windows.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
const DISCONNECTED_AT_MS = Date.UTC(2026, 0, 1, 12);

beforeEach(() => {
  stepFunctions.reset();
  stepFunctions.on(SendTaskSuccessCommand).resolves({});
});

const clock = new VirtualClock(DISCONNECTED_AT_MS);
const log = memoryLog();

const signal = (session: SessionKey, executionName: string, connectionAttempts = 1) =>
  signalConnection(
    {
      ...session,
      executionName,
      connectionCreatedAtMs: DISCONNECTED_AT_MS + 30_000,
      connectionAttempts,
    },
    { table: table(), stepFunctions: new SFNClient({ region: 'us-west-2' }), log, clock },
  );

const sent = () =>
  stepFunctions
    .commandCalls(SendTaskSuccessCommand)
    .map(({ args: [{ input }] }): unknown => JSON.parse(input.output ?? 'null'));

describe('a created connection', () => {
  it('is told to the open window, with its time and its attempts', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    expect(await signal(session, 'request-1', 3)).toEqual({ signalled: true });

    const state = { seq: 1, connectionCreatedAtMs: DISCONNECTED_AT_MS + 30_000, connectionAttempts: 3 };
    expect(sent()).toEqual([state]);
    expect(await windowOf(table(), session)).toMatchObject(state);
  });

  it('makes its stream group known, with one write however many follow', async () => {
    const session = { ...newSession(), streamGroupId: 'sg-new' };
    const item = async () => (await allItems(table())).find(({ pk }) => pk === 'waiting#sg-new');

    await signal(session, 'request-1');
    const first = await item();
    await clock.advance(1000);
    await signal(session, 'request-2');

    expect(first).toMatchObject({ knownAtMs: DISCONNECTED_AT_MS });
    expect(await item()).toEqual(first);
  });

  it('counts all the same when its stream group cannot be made known', async () => {
    const session = { ...newSession(), streamGroupId: 'sg-unwritten' };
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });
    failNext(table(), 'GetItemCommand', 'BEFORE');

    expect(await signal(session, 'request-1')).toEqual({ signalled: true });

    expect(log.lines.map(({ event }) => event)).toContain('GroupNotKept');
    expect(await windowOf(table(), session)).toMatchObject({ seq: 1 });
  });

  it('counts once for one execution, and again for the next', async () => {
    const session = newSession();
    await givenRunningWindow(table(), session, { disconnectedAtMs: DISCONNECTED_AT_MS });

    for (const executionName of ['request-1', 'request-1', 'request-2'])
      await signal(session, executionName, 2);

    expect(sent()).toMatchObject([
      { seq: 1, connectionAttempts: 2 },
      { seq: 1, connectionAttempts: 2 },
      { seq: 2, connectionAttempts: 4 },
    ]);
  });

  it('works without a window, and makes none', async () => {
    const [unknown, failed] = [newSession(), newSession()];
    const window = await givenFailedWindow(table(), failed, { disconnectedAtMs: DISCONNECTED_AT_MS });

    expect(await signal(unknown, 'request-1')).toEqual({ signalled: false });
    expect(await signal(failed, 'request-1')).toEqual({ signalled: false });

    expect(sent()).toEqual([]);
    expect(await windowOf(table(), failed)).toEqual(window);
    const items = await allItems(table());
    expect(items.some(({ pk }) => String(pk).endsWith(unknown.streamSessionId))).toBe(false);
  });
});
