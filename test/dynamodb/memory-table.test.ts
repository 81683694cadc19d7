import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { recordOutcome } from '../../functions/record-outcome/record-outcome.ts';
import { bindClientToken } from '../../functions/request-connection/offer.ts';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { sessionPartition } from '../../functions/shared/contracts/table-keys.ts';
import { drawNumber } from '../../functions/shared/quota/line.ts';
import { markServed, readPlace, writePlace } from '../../functions/shared/quota/places.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { failWindow } from '../../functions/shared/window/close-window.ts';
import { correctDeadline } from '../../functions/shared/window/correct-deadline.ts';
import { registerTaskToken, signalWindow } from '../../functions/shared/window/mailbox.ts';
import { openWindow, replaceWindow } from '../../functions/shared/window/open-window.ts';
import { listOpenWindows, readWindows } from '../../functions/shared/window/read-windows.ts';
import { readWindow } from '../../functions/shared/window/window-item.ts';
import { MemoryTable } from '../../local/dynamodb/memory-table.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import { newSession } from '../helpers/sessions.ts';
import { allItems, useDynalite } from '../helpers/table.ts';
import { BUS_SETTINGS, OUTCOME_RETENTION_DAYS, WINDOW_SETTINGS } from '../helpers/windows.ts';

const dynalite = useDynalite();
let nextKey = 0;

const memoryTable = () => new MemoryTable({ nowMs: () => 0, travel: async () => {}, integersOnly: false });

type Step = (key: { pk: string; sk: string }) => GetCommand | PutCommand | UpdateCommand;
const TableName = 'Table';
const get: Step = (Key) => new GetCommand({ TableName, Key });
const put =
  (members: object, condition?: string, values?: Record<string, unknown>): Step =>
  (key) =>
    new PutCommand({
      TableName,
      Item: { ...key, ...members },
      ConditionExpression: condition,
      ExpressionAttributeValues: values,
    });
const update =
  (
    expression: string,
    values: Record<string, unknown>,
    options: { condition?: string; names?: Record<string, string> } = {},
  ): Step =>
  (Key) =>
    new UpdateCommand({
      TableName,
      Key,
      UpdateExpression: expression,
      ConditionExpression: options.condition,
      ExpressionAttributeNames: options.names,
      ExpressionAttributeValues: Object.keys(values).length > 0 ? values : undefined,
      ReturnValues: 'ALL_NEW',
    });

/** What each step answers: the item, the attributes, or the error's name. */
async function run(table: Table, steps: readonly Step[]): Promise<unknown[]> {
  const key = { pk: `item-${nextKey++}`, sk: 'item' };
  const answers: unknown[] = [];
  for (const step of steps) {
    const command = step(key);
    try {
      const reply =
        command instanceof GetCommand
          ? (await table.documents.send(command)).Item
          : command instanceof PutCommand
            ? (await table.documents.send(command)).Attributes
            : (await table.documents.send(command)).Attributes;
      const { pk: _pk, ...members } = reply ?? {};
      answers.push(members);
    } catch (error) {
      answers.push(error instanceof Error ? error.name : error);
    }
  }
  return answers;
}

type Use = (table: Table, session: SessionKey) => Promise<unknown>;

const yes = async () => true;
const eventBridge = new EventBridgeClient({ region: 'us-west-2' });
const mailbox = (table: Table) => ({
  table,
  stepFunctions: sendThrough(new SFNClient({ region: 'us-west-2' }), async () => ({})),
  log: memoryLog(),
  metrics: memoryMetrics(),
});
const disconnectAt = (disconnectedAtMs: number) => ({
  disconnectedAtMs,
  connectionTimeoutSeconds: undefined,
  sessionEndsAtMs: undefined,
});
const outcomeOf = (session: SessionKey, generation: number, ackSeq: number) => ({
  ...session,
  executionName: 'execution',
  generation,
  ackSeq,
  outcome: 'RECONNECTED' as const,
  statusReason: null,
  disconnectedAtMs: 1,
  endedAtMs: 2,
  connectionAttempts: 0,
});

/** What it comes to: a result, or an error's name. */
async function resultOf(use: Use, table: Table, session: SessionKey): Promise<unknown> {
  try {
    return comparable(await use(table, session));
  } catch (error) {
    return error instanceof Error ? error.name : error;
  }
}

function comparable(value: unknown): unknown {
  const plain = value instanceof Map ? [...value] : value;
  return JSON.parse(
    JSON.stringify(plain ?? null, (_, member: unknown) =>
      member instanceof Set ? { set: [...member].sort() } : member,
    ),
  );
}

async function itemsOf(table: Table, session: SessionKey): Promise<unknown> {
  const items = (await allItems(table)).filter(({ pk }) => pk === sessionPartition(session));
  return comparable(items.sort((one, other) => (String(one['sk']) < String(other['sk']) ? -1 : 1)));
}

const BOOK = 'bookedUntilMs >= :now AND bookedUntilMs <= :last';
const IDLE = 'attribute_not_exists(bookedUntilMs) OR bookedUntilMs < :now';

describe('the table in memory', () => {
  it.each<[string, Step[]]>([
    ['an item that is not there', [get]],
    ['a put and a get', [put({ a: 1, b: 'two', c: new Set(['x']) }), get]],
    [
      'a put on a condition',
      [
        put({ a: 'x' }, 'attribute_not_exists(pk) OR a = :a', { ':a': 'x' }),
        put({ a: 'x', b: 1 }, 'attribute_not_exists(pk) OR a = :a', { ':a': 'x' }),
        put({ a: 'y' }, 'attribute_not_exists(pk) OR a = :a', { ':a': 'y' }),
        get,
      ],
    ],
    [
      'sums, removals and counters in one update',
      [
        update(
          'SET revision = :one, flag = :true ADD #c :two',
          { ':one': 1, ':true': true, ':two': 2 },
          { names: { '#c': 'counter' } },
        ),
        update(
          'SET revision = revision + :one REMOVE flag ADD #c :two',
          { ':one': 1, ':two': 2 },
          { names: { '#c': 'counter' } },
        ),
        update('REMOVE #c, revision', {}, { names: { '#c': 'counter' } }),
      ],
    ],
    [
      'a condition with an attribute that is not there',
      [
        update('SET a = :one', { ':one': 1 }, { condition: 'otherOne < :one' }),
        update('SET a = :one', { ':one': 1 }, { condition: 'NOT otherOne < :one' }),
        update('SET a = :one', { ':one': 2 }, { condition: 'attribute_exists(a) AND a < :one' }),
        get,
      ],
    ],
  ])('answers as dynalite does: %s', async (_, steps) => {
    expect(await run(memoryTable().table, steps)).toEqual(await run(dynalite(), steps));
  });

  it('books permits as dynalite does, whatever the order', async () => {
    const step = fc.oneof(
      fc
        .integer({ min: 0, max: 50 })
        .map((nowMs) =>
          update('SET bookedUntilMs = :next', { ':next': nowMs + 5, ':now': nowMs }, { condition: IDLE }),
        ),
      fc
        .integer({ min: 0, max: 50 })
        .map((nowMs) =>
          update(
            'SET bookedUntilMs = bookedUntilMs + :interval',
            { ':interval': 5, ':now': nowMs, ':last': nowMs + 12 },
            { condition: BOOK },
          ),
        ),
      fc.constant(get),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        expect(await run(memoryTable().table, steps)).toEqual(await run(dynalite(), steps));
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  it('answers every call of the functions as dynalite does, whatever the order', async () => {
    const when = fc.integer({ min: 0, max: 20_000 });
    const id = fc.constantFrom('a', 'b');
    const phase = fc.constantFrom('AWAITING_RECONNECTION' as const, 'AWAITING_CLIENT' as const);
    const small = fc.integer({ min: 0, max: 3 });
    const use = fc.oneof<fc.Arbitrary<Use>[]>(
      when.map(
        (atMs) => (table, session) => openWindow(table, session, disconnectAt(atMs), WINDOW_SETTINGS, yes),
      ),
      fc.tuple(id, when).map(
        ([signal, createdAtMs]) =>
          (table, session) =>
            signalWindow(session, { id: signal, connection: { createdAtMs, attempts: 1 } }, mailbox(table)),
      ),
      id.map((signal) => (table, session) => signalWindow(session, { id: signal }, mailbox(table))),
      fc.tuple(phase, small, small, small).map(
        ([inPhase, waitNumber, ackSeq, retryCount]) =>
          (table, session) =>
            registerTaskToken(
              session,
              {
                ...{ taskToken: 'token', generation: 1, phase: inPhase, deadlineMs: 1, pendingSinceMs: 1 },
                ...{ ackSeq, waitNumber, retryCount },
              },
              mailbox(table),
            ),
      ),
      fc.tuple(small, small).map(
        ([generation, ackSeq]) =>
          (table, session) =>
            recordOutcome(outcomeOf(session, generation + 1, ackSeq), {
              ...mailbox(table),
              eventBridge: sendThrough(eventBridge, async () => ({ FailedEntryCount: 0 })),
              clock: new VirtualClock(9000),
              settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS },
            }),
      ),
      small.map(
        (generation) => (table, session) =>
          failWindow(table, session, {
            generation,
            error: 'SessionNotFound',
            nowMs: 9000,
            retentionDays: OUTCOME_RETENTION_DAYS,
          }),
      ),
      fc.constant<Use>(async (table, session) => {
        const window = await readWindow(table, session);
        if (window === undefined) return undefined;
        const correction = { deadlineMs: 5000, connectionTimeoutSeconds: 5 };
        return correctDeadline(session, window, correction, mailbox(table));
      }),
      fc.constant<Use>(async (table, session) => {
        const window = await readWindow(table, session);
        return window && replaceWindow(table, session, window, WINDOW_SETTINGS, 0);
      }),
      fc.constant<Use>((table, session) => readWindows(table, [session])),
      fc.constant<Use>(async (table, session) =>
        (await listOpenWindows(table, session.streamGroupId)).filter(
          (window) => window.session.streamSessionId === session.streamSessionId,
        ),
      ),
      id.map(
        (clientToken) => (table, session) =>
          bindClientToken(table, session, { clientToken, signalRequest: 'offer', nowMs: 0 }),
      ),
      fc.tuple(id, when).map(([offer, deadlineMs]) => async (table, session) => {
        const place = { knownOffers: new Set([offer]), latestOffer: offer, askedAtMs: 0, deadlineMs };
        return writePlace(table, session, await readPlace(table, session), place);
      }),
      id.map((offer) => (table, session) => markServed(table, session, offer)),
      fc.constant<Use>((table) =>
        drawNumber(table, 'GetStreamSession', { counter: 'A1', seen: [], overBeforeMs: 0 }).then(
          () => undefined,
        ),
      ),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(use, { minLength: 1, maxLength: 12 }), async (uses) => {
        const session = newSession();
        const { table } = memoryTable();
        for (const one of uses) {
          expect(await resultOf(one, table, session)).toEqual(await resultOf(one, dynalite(), session));
        }
        expect(await itemsOf(table, session)).toEqual(await itemsOf(dynalite(), session));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses an expression that it does not know', async () => {
    const [answer] = await run(memoryTable().table, [
      update('SET a = list_append(a, :one)', { ':one': [1] }),
    ]);

    expect(answer).toBe('Error');
  });

  it('counts the most write units that a key has used in a second, and what it refused', async () => {
    const table = memoryTable();
    const add = update('ADD a :one', { ':one': 1 });

    await run(
      table.table,
      Array.from({ length: 1002 }, () => add),
    );

    expect(table).toMatchObject({ mostWriteUnitsPerSecond: 1000, refusedWrites: 2 });
  });
});
