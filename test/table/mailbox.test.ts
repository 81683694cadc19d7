import { SendTaskSuccessCommand, SFNClient, TaskTimedOut } from '@aws-sdk/client-sfn';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { windowKey } from '../../functions/shared/contracts/table-keys.ts';
import { MAX_SIGNAL_IDS, registerTaskToken, signalWindow } from '../../functions/shared/window/mailbox.ts';
import { openWindow } from '../../functions/shared/window/open-window.ts';
import { readWindow, updateWindow } from '../../functions/shared/window/window-item.ts';
import { attributesOf, itemBytes } from '../../local/dynamodb/attributes.ts';
import { beforeNext, failNext } from '../helpers/failing-table.ts';
import { memoryLog } from '../helpers/log.ts';
import { mockClient } from '../helpers/mock-client.ts';
import { newSession } from '../helpers/sessions.ts';
import { useTable } from '../helpers/table.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);

beforeEach(() => {
  stepFunctions.reset();
  stepFunctions.on(SendTaskSuccessCommand).resolves({});
});

function dependencies() {
  return { table: table(), stepFunctions: new SFNClient({ region: 'us-west-2' }), log: memoryLog() };
}

async function openedSession(): Promise<SessionKey> {
  const session = newSession();
  const disconnect = {
    disconnectedAtMs: 1000,
    connectionTimeoutSeconds: 120,
    sessionEndsAtMs: undefined,
  };
  const settings = {
    DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
    WINDOW_MARGIN_SECONDS: 2,
    TERMINATE_ABANDONED_SESSIONS: false,
  };
  await openWindow(table(), session, disconnect, settings, async () => true);
  return session;
}

function registration(overrides: Partial<Parameters<typeof registerTaskToken>[1]> = {}) {
  return {
    taskToken: 'token-1',
    generation: 1,
    phase: 'AWAITING_RECONNECTION' as const,
    deadlineMs: 121_000,
    pendingSinceMs: 1000,
    ackSeq: 0,
    waitNumber: 0,
    retryCount: 0,
    ...overrides,
  };
}

function sent(): { token: string | undefined; state: unknown }[] {
  return stepFunctions.commandCalls(SendTaskSuccessCommand).map(({ args: [{ input }] }) => ({
    token: input.taskToken,
    state: JSON.parse(input.output ?? 'null'),
  }));
}

describe('the mailbox', () => {
  it('delivers a signal to the token that was registered before it', async () => {
    const session = await openedSession();
    await registerTaskToken(session, registration(), dependencies());

    await signalWindow(session, { id: 'a', connection: { createdAtMs: 5000, attempts: 3 } }, dependencies());

    expect(sent()).toEqual([
      { token: 'token-1', state: { seq: 1, connectionCreatedAtMs: 5000, connectionAttempts: 3 } },
    ]);
  });

  it('delivers a signal to the token that is registered after it', async () => {
    const session = await openedSession();
    await signalWindow(session, { id: 'a' }, dependencies());
    expect(sent()).toEqual([]);

    await registerTaskToken(session, registration(), dependencies());

    expect(sent()).toEqual([
      { token: 'token-1', state: { seq: 1, connectionCreatedAtMs: 0, connectionAttempts: 0 } },
    ]);
  });

  it('delivers a signal whose sender died between its write and its send to the next token', async () => {
    const session = await openedSession();
    await registerTaskToken(session, registration(), dependencies());
    stepFunctions.on(SendTaskSuccessCommand).rejectsOnce(new Error('the process died here')).resolves({});
    await expect(signalWindow(session, { id: 'a' }, dependencies())).rejects.toThrow();

    await registerTaskToken(session, registration({ taskToken: 'token-2', waitNumber: 1 }), dependencies());

    expect(sent().at(-1)).toMatchObject({ token: 'token-2', state: { seq: 1 } });
    expect(sent()).toHaveLength(2);
  });

  it('sends a repeated signal again and counts it once', async () => {
    const session = await openedSession();
    await registerTaskToken(session, registration(), dependencies());
    const signal = { id: 'a', connection: { createdAtMs: 5000, attempts: 2 } };

    await signalWindow(session, signal, dependencies());
    await signalWindow(session, { id: 'b' }, dependencies());
    await signalWindow(session, signal, dependencies());

    expect(sent().map(({ state }) => state)).toEqual([
      { seq: 1, connectionCreatedAtMs: 5000, connectionAttempts: 2 },
      { seq: 2, connectionCreatedAtMs: 5000, connectionAttempts: 2 },
      { seq: 2, connectionCreatedAtMs: 5000, connectionAttempts: 2 },
    ]);
  });

  it('does not deliver again what the execution has acknowledged', async () => {
    const session = await openedSession();
    await signalWindow(session, { id: 'a' }, dependencies());

    await registerTaskToken(session, registration({ ackSeq: 1 }), dependencies());

    expect(sent()).toEqual([]);
  });

  it('keeps a signal whose task has timed out, for the next registration', async () => {
    const session = await openedSession();
    await registerTaskToken(session, registration(), dependencies());
    stepFunctions
      .on(SendTaskSuccessCommand)
      .rejectsOnce(new TaskTimedOut({ message: 'Task Timed Out', $metadata: {} }))
      .resolves({});

    await signalWindow(session, { id: 'a' }, dependencies());
    await registerTaskToken(session, registration({ taskToken: 'token-2', waitNumber: 1 }), dependencies());

    expect(sent()).toMatchObject([{ token: 'token-1' }, { token: 'token-2', state: { seq: 1 } }]);
  });

  it('lets no late registration replace a newer one', async () => {
    const session = await openedSession();
    await registerTaskToken(session, registration({ taskToken: 'newer', retryCount: 1 }), dependencies());

    await registerTaskToken(session, registration({ taskToken: 'older', retryCount: 0 }), dependencies());

    expect((await readWindow(table(), session))?.taskToken).toBe('newer');
  });

  it('lets a later wait replace an earlier one, however often that was tried', async () => {
    const session = await openedSession();
    await registerTaskToken(session, registration({ taskToken: 'earlier', retryCount: 5 }), dependencies());

    await registerTaskToken(session, registration({ taskToken: 'later', waitNumber: 1 }), dependencies());

    expect((await readWindow(table(), session))?.taskToken).toBe('later');
  });

  it('writes down what comes and goes, by generation and number, and never a token', async () => {
    const session = await openedSession();
    const { log, ...others } = dependencies();
    await registerTaskToken(session, registration({ waitNumber: 1 }), { log, ...others });
    await registerTaskToken(session, registration(), { log, ...others });

    await signalWindow(session, { id: 'a' }, { log, ...others });

    expect(log.lines).toEqual([
      { event: 'TaskTokenRegistered', fields: { generation: 1, phase: 'AWAITING_RECONNECTION' } },
      { event: 'TaskTokenSuperseded', fields: { generation: 1 } },
      { event: 'WindowSignalled', fields: { generation: 1, seq: 1 } },
      { event: 'SignalDelivered', fields: { generation: 1, seq: 1 } },
    ]);
  });

  it.each(['BEFORE', 'AFTER'] as const)(
    'fails when the table fails %s the write of a signal, whose repeat counts once',
    async (when) => {
      const session = await openedSession();
      failNext(table(), 'UpdateItemCommand', when);

      await expect(signalWindow(session, { id: 'a' }, dependencies())).rejects.toMatchObject({
        name: 'DependencyUnavailableException',
      });

      expect(await signalWindow(session, { id: 'a' }, dependencies())).toMatchObject({ seq: 1 });
    },
  );

  it('has nothing for a session that never had a window', async () => {
    const session = newSession();

    expect(await signalWindow(session, { id: 'a' }, dependencies())).toBeUndefined();
    await expect(registerTaskToken(session, registration(), dependencies())).rejects.toMatchObject({
      name: 'WindowNotOpenError',
    });
  });

  it('changes nothing when the window is closed', async () => {
    const session = await openedSession();
    await updateWindow(table(), session, {
      UpdateExpression: 'SET phase = :closed',
      ExpressionAttributeValues: { ':closed': 'CLOSED' },
    });

    expect(await signalWindow(session, { id: 'a' }, dependencies())).toBeUndefined();

    expect((await readWindow(table(), session))?.seq).toBe(0);
    expect(sent()).toEqual([]);
  });

  it('refuses to register a wait of a window that is closed', async () => {
    const session = await openedSession();
    await updateWindow(table(), session, {
      UpdateExpression: 'SET phase = :closed',
      ExpressionAttributeValues: { ':closed': 'CLOSED' },
    });

    await expect(registerTaskToken(session, registration(), dependencies())).rejects.toMatchObject({
      name: 'WindowNotOpenError',
    });
  });

  it('refuses to register a wait of another generation than the open one', async () => {
    const session = await openedSession();

    await expect(
      registerTaskToken(session, registration({ generation: 2 }), dependencies()),
    ).rejects.toMatchObject({ name: 'WindowNotOpenError' });
  });

  it('counts a repeat once, and keeps an item of 10 KB, however many signals come', async () => {
    const session = await openedSession();
    const idOf = (number: number) => `${session.streamSessionId}-${number}`.padEnd(80, '.');
    const connection = { createdAtMs: 5000, attempts: 1 };

    for (let number = 0; number < 300; number++) {
      await signalWindow(session, { id: idOf(number), connection }, dependencies());
      await signalWindow(session, { id: idOf(Math.max(0, number - 63)), connection }, dependencies());
    }

    expect(await readWindow(table(), session)).toMatchObject({ seq: 300, connectionAttempts: 300 });
    const { Item } = await table().documents.send(
      new GetCommand({ TableName: table().name, Key: windowKey(session) }),
    );
    expect(itemBytes(attributesOf(Item ?? {}))).toBeLessThan(12 * 1024);
  });

  it('takes a signal for a window whose ids have filled its item before they were bounded', async () => {
    const session = await openedSession();
    const ids = new Set(Array.from({ length: 5000 }, (_, number) => `${number}`.padEnd(78, '.')));
    await updateWindow(table(), session, {
      UpdateExpression: 'SET signalIds = :ids',
      ExpressionAttributeValues: { ':ids': ids },
    });

    await signalWindow(session, { id: 'next'.padEnd(200, '.') }, dependencies());

    const window = await readWindow(table(), session);
    expect(window).toMatchObject({ seq: 1 });
    expect(window?.signalIds?.size).toBe(1);
  });

  it('is a retryable failure when others fill its ids and empty them at every try', async () => {
    const session = await openedSession();
    const race = (ids: number) => async () => {
      await updateWindow(table(), session, {
        UpdateExpression: 'SET signalIds = :ids',
        ExpressionAttributeValues: { ':ids': new Set(Array.from({ length: ids }, (_, id) => `other ${id}`)) },
      });
      beforeNext(table(), 'UpdateItemCommand', race(ids === 1 ? MAX_SIGNAL_IDS : 1));
    };
    beforeNext(table(), 'UpdateItemCommand', race(MAX_SIGNAL_IDS));

    await expect(signalWindow(session, { id: 'a' }, dependencies())).rejects.toMatchObject({
      name: 'ContentionException',
    });
  });

  it('loses none of fifty signals that come at once', async () => {
    const session = await openedSession();

    await Promise.all(
      Array.from({ length: 50 }, (_, index) => signalWindow(session, { id: `s${index}` }, dependencies())),
    );

    expect((await readWindow(table(), session))?.seq).toBe(50);
  });
});
