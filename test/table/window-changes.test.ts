/** What changes an open window from outside its execution: a better deadline, and a red end. */
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { failWindow } from '../../functions/shared/window/close-window.ts';
import { correctDeadline } from '../../functions/shared/window/correct-deadline.ts';
import { wakeWindow } from '../../functions/shared/window/mailbox.ts';
import { listOpenWindows } from '../../functions/shared/window/read-windows.ts';
import { updateWindow } from '../../functions/shared/window/window-item.ts';
import { memoryLog } from '../helpers/log.ts';
import { mockClient } from '../helpers/mock-client.ts';
import { newSession } from '../helpers/sessions.ts';
import { allItems, useTable } from '../helpers/table.ts';
import { givenOpenWindow, givenRunningWindow, windowOf } from '../helpers/windows.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
const DROPPED_AT_MS = Date.UTC(2026, 0, 1);
const CORRECTION = { deadlineMs: DROPPED_AT_MS + 10_000, connectionTimeoutSeconds: 10 };

beforeEach(() => {
  stepFunctions.reset();
  stepFunctions.on(SendTaskSuccessCommand).resolves({});
});

const dependencies = () => ({
  table: table(),
  stepFunctions: new SFNClient({ region: 'us-west-2' }),
  log: memoryLog(),
});
const running = (session: SessionKey) =>
  givenRunningWindow(table(), session, { disconnectedAtMs: DROPPED_AT_MS });
const sent = () =>
  stepFunctions
    .commandCalls(SendTaskSuccessCommand)
    .map(({ args: [{ input }] }) => JSON.parse(input.output ?? 'null'));

describe('a corrected deadline', () => {
  it('is a signal that carries it, to whoever waits', async () => {
    const session = newSession();
    const window = await running(session);

    expect(await correctDeadline(session, window, CORRECTION, dependencies())).toBe(true);

    const correction = { seq: 1, ...CORRECTION };
    expect(await windowOf(table(), session)).toEqual({
      ...window,
      ...CORRECTION,
      seq: 1,
      correction,
      isDefaultTimeout: false,
    });
    expect(sent()).toEqual([{ seq: 1, connectionCreatedAtMs: 0, connectionAttempts: 0, correction }]);
  });

  it('does not bring back a time to give up that is over, because the player had come back', async () => {
    const session = newSession();
    await running(session);
    const window = await updateWindow(table(), session, {
      UpdateExpression: 'SET endEarlyAtMs = :at, endEarlyFor = :for, connectionCreatedAtMs = :at',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':at': DROPPED_AT_MS + 5000, ':for': 'GIVE_UP' },
    });
    if (window === undefined) throw new Error('The window is open.');

    await correctDeadline(session, window, CORRECTION, dependencies());

    expect(sent()).toEqual([expect.not.objectContaining({ endEarlyFor: 'GIVE_UP' })]);
    expect(await windowOf(table(), session)).not.toHaveProperty('endEarlyAtMs');
  });

  it.each([{ generation: 2 }, { phase: 'AWAITING_CLIENT' as const }, { seq: 1 }, { deadlineMs: 1 }])(
    'is none where the window is no longer as it was read: %j',
    async (other) => {
      const session = newSession();
      const window = await running(session);

      expect(await correctDeadline(session, { ...window, ...other }, CORRECTION, dependencies())).toBe(false);

      expect(await windowOf(table(), session)).toEqual(window);
      expect(sent()).toEqual([]);
    },
  );
});

describe('a wake', () => {
  it('tells whether somebody was waiting', async () => {
    const [waiting, starting] = [newSession(), newSession()];
    const waited = await running(waiting);
    const started = await givenOpenWindow(table(), starting, { disconnectedAtMs: DROPPED_AT_MS });

    expect(await wakeWindow(waited, dependencies())).toBe(true);
    expect(await wakeWindow(started, dependencies())).toBe(false);

    expect(sent()).toEqual([{ seq: 0, connectionCreatedAtMs: 0, connectionAttempts: 0 }]);
  });

  it.each(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'])(
    'tells that nobody was waiting when the task is over: %s',
    async (name) => {
      const window = await running(newSession());
      stepFunctions.on(SendTaskSuccessCommand).rejects(Object.assign(new Error('over'), { name }));
      const { log, ...others } = dependencies();

      expect(await wakeWindow(window, { log, ...others })).toBe(false);

      expect(log.lines).toEqual([{ event: 'SignalPending', fields: { generation: 1, seq: 0 } }]);
    },
  );

  it('fails where Step Functions cannot be reached: nobody knows whether it was heard', async () => {
    const window = await running(newSession());
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    stepFunctions.on(SendTaskSuccessCommand).rejects(reset);

    await expect(wakeWindow(window, dependencies())).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });
  });
});

describe('a red end', () => {
  const failure = { generation: 1, error: 'SessionNotFound', nowMs: DROPPED_AT_MS + 5000, retentionDays: 30 };

  it('closes the window, takes it out of the index, and lets it rest for the time of outcomes', async () => {
    const session = { ...newSession(), streamGroupId: 'sg-redend' };
    const { taskToken: _, ...window } = await running(session);

    const failed = await failWindow(table(), session, failure);

    expect(failed).toEqual({
      ...window,
      phase: 'FAILED',
      failure: 'SessionNotFound',
      closedAtMs: DROPPED_AT_MS + 5000,
    });
    const item = (await allItems(table())).find(({ pk }) => String(pk).endsWith(session.streamSessionId));
    expect(item).toMatchObject({ expiresAt: (DROPPED_AT_MS + 5000) / 1000 + 30 * 24 * 3600 });
    expect(await listOpenWindows(table(), 'sg-redend')).toEqual([]);
  });

  it.each([{ generation: 2 }, { generation: 0 }])('is not for another window: %j', async (other) => {
    const session = newSession();
    const window = await running(session);

    expect(await failWindow(table(), session, { ...failure, ...other })).toBeUndefined();

    expect(await windowOf(table(), session)).toEqual(window);
  });

  it('is the first one for good', async () => {
    const session = newSession();
    await running(session);
    const failed = await failWindow(table(), session, failure);

    expect(await failWindow(table(), session, { ...failure, error: 'Another' })).toBeUndefined();

    expect(await windowOf(table(), session)).toEqual(failed);
  });
});
