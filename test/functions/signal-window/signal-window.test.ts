import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { signalConnection } from '../../../functions/signal-window/signal-window.ts';
import { memoryLog } from '../../helpers/log.ts';
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

const signal = (session: SessionKey, executionName: string, connectionAttempts = 1) =>
  signalConnection(
    {
      ...session,
      executionName,
      connectionCreatedAtMs: DISCONNECTED_AT_MS + 30_000,
      connectionAttempts,
    },
    { table: table(), stepFunctions: new SFNClient({ region: 'us-west-2' }), log: memoryLog() },
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
