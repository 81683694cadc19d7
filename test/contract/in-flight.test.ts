import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkSessionInputSchema } from '../../functions/check-session/check-session.ts';
import { createAdminShellInputSchema } from '../../functions/create-admin-shell/create-admin-shell.ts';
import { createConnectionInputSchema } from '../../functions/create-connection/create-connection.ts';
import { recordFailureInputSchema } from '../../functions/record-failure/record-failure.ts';
import { recordOutcomeInputSchema } from '../../functions/record-outcome/record-outcome.ts';
import { registerTaskTokenInputSchema } from '../../functions/register-task-token/register-task-token.ts';
import { replyOfExecution as shellReplyOf } from '../../functions/request-admin-shell/reply.ts';
import { bindClientToken } from '../../functions/request-connection/offer.ts';
import { replyOfExecution as connectionReplyOf } from '../../functions/request-connection/reply.ts';
import { readOwner } from '../../functions/shared/api/check-user-id.ts';
import { ITEM_BOUNDS, sessionOfPartition } from '../../functions/shared/contracts/table-keys.ts';
import { readLine } from '../../functions/shared/quota/line.ts';
import { readPermits } from '../../functions/shared/quota/permits.ts';
import { readPlace } from '../../functions/shared/quota/places.ts';
import { readSwitchItem } from '../../functions/shared/runtime/switch.ts';
import { type Table, wholeNumberSchema } from '../../functions/shared/runtime/table.ts';
import { tagMatchesSchema } from '../../functions/shared/service/read-session.ts';
import { readDrain } from '../../functions/shared/window/drain.ts';
import { readEndMark } from '../../functions/shared/window/end-mark.ts';
import { storedOutcomeSchema } from '../../functions/shared/window/publish-outcome.ts';
import { readWaitingList } from '../../functions/shared/window/waiting-sessions.ts';
import { readWindow, windowItemSchema } from '../../functions/shared/window/window-item.ts';
import { signalWindowInputSchema } from '../../functions/signal-window/signal-window.ts';
import { terminateSessionInputSchema } from '../../functions/terminate-session/terminate-session.ts';
import { readStreamGroups } from '../../functions/watch-sessions/stream-groups.ts';
import { MemoryTable } from '../../local/dynamodb/memory-table.ts';
import { startMachines } from '../helpers/machines.ts';
import {
  type InFlight,
  inFlightSamples,
  inFlightSchema,
  todaysInFlight,
  writeInFlightSample,
} from './in-flight.ts';

const SECOND = 1000;

const taskSchemas: Readonly<Record<string, z.ZodType>> = {
  registerTaskToken: registerTaskTokenInputSchema,
  checkSession: checkSessionInputSchema,
  terminateSession: terminateSessionInputSchema,
  recordOutcome: recordOutcomeInputSchema,
  recordFailure: recordFailureInputSchema,
  createConnection: createConnectionInputSchema,
  signalWindow: signalWindowInputSchema,
  createAdminShell: createAdminShellInputSchema,
};

type Item = InFlight['items'][string];

/** How today's code reads an item of each kind. */
const READERS: Readonly<Record<string, (table: Table, item: Item, sample: InFlight) => Promise<unknown>>> = {
  window: (table, item) => readWindow(table, sessionOf(item)),
  outcome: async (_, item) => storedOutcomeSchema.parse(item),
  place: (table, item) => readPlace(table, sessionOf(item)),
  // The item has hashes only. Its token is taken with the same offer, and with no other one.
  'client-token': async (table, item, { expressInputs }) => {
    const { clientToken, signalRequest } = requestSchema.parse(expressInputs['create-connection']);
    const bind = (offer: string) =>
      bindClientToken(table, sessionOf(item), { clientToken, signalRequest: offer, nowMs: 0 });
    return { other: await bind('other'), again: await bind(signalRequest) };
  },
  drain: async (table, { pk }) => ({ endsAtMs: await readDrain(table, String(pk).replace('drain#', '')) }),
  end: (table, item) => readEndMark(table, sessionOf(item)),
  owner: (table, { pk, readAtMs }) => {
    const [streamSessionId = '', streamGroupId = ''] = String(pk).replace('owner#', '').split('/');
    return readOwner(table, { streamGroupId, streamSessionId }, Number(readAtMs));
  },
  waiting: (table, { pk, listedAtMs }) =>
    readWaitingList(table, String(pk).replace('waiting#', ''), Number(listedAtMs)),
  permit: (table) => readPermits(table, 'CreateStreamSessionConnection'),
  line: (table) => readLine(table, 'CreateStreamSessionConnection'),
  switch: (table) => readSwitchItem(table),
  'stream-groups': async (table) => {
    const { seen: _, ...item } = await readStreamGroups(table, { key: 'reconnect', value: 'yes' });
    return item;
  },
  'tag-matches': async (_, item) => tagMatchesSchema.parse(item),
};

/** What each reader makes of the sample's item, in part. */
const READ: Readonly<Record<string, unknown>> = {
  window: { generation: 1, connectionTimeoutSeconds: expect.any(Number) },
  outcome: { generation: 1, outcome: 'RECONNECTED' },
  place: { lineCounter: 'G12345', lineNumber: 3, isServed: true, listedAtMs: expect.any(Number) },
  'client-token': { other: false, again: true },
  drain: { endsAtMs: expect.any(Number) },
  end: { endedBy: 'LEFT', markedAtMs: expect.any(Number) },
  owner: { ownerHash: expect.any(String) },
  waiting: { isComplete: true, names: expect.objectContaining({ size: 1 }) },
  permit: { bookedUntilMs: expect.any(Number), slowedToMilli: 18_000, earlyMicros: expect.any(Number) },
  line: [expect.objectContaining({ drawn: expect.any(Number) })],
  switch: { state: 'on', reason: 'drill' },
  'stream-groups': { watchedIds: ['sg-local0001'], foundAtMs: expect.any(Number) },
  'tag-matches': { matches: '-hyToUk3m' },
};

const requestSchema = z.object({ clientToken: z.string(), signalRequest: z.string() });

const sessionOf = ({ pk }: Item) => sessionOfPartition(String(pk));

/** What today's code reads where the table holds this item. */
async function readItemOf(kind: string, item: Item, sample: InFlight): Promise<unknown> {
  const { table } = new MemoryTable({ nowMs: () => 0, travel: async () => {}, integersOnly: false });
  await table.documents.send(new PutCommand({ TableName: table.name, Item: item }));
  return READERS[kind]?.(table, item, sample);
}

/**
 * Numbers that are read as they rest. Conditions of permits compare three of them in the table. The line ignores a
 * counter that is no whole number; an outcome's numbers are those of its event.
 */
const READ_AS_THEY_REST: Readonly<Record<string, readonly string[] | 'all'>> = {
  permit: ['bookedUntilMs', 'slowedTo', 'slowedAtMs'],
  line: 'all',
  outcome: 'all',
};

/** The item with each number lowered by three quarters, but for those of `READ_AS_THEY_REST`. */
function withFractions(kind: string, item: Item): Item {
  const kept = READ_AS_THEY_REST[kind] ?? [];
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => {
      if (kept === 'all' || kept.includes(name)) return [name, value];
      if (typeof value === 'number' && value > 0) return [name, value - 0.75];
      const nested = record.safeParse(value);
      return [name, nested.success && !(value instanceof Set) ? withFractions(kind, nested.data) : value];
    }),
  );
}

const record = z.record(z.string(), z.unknown());

let captured: InFlight | undefined;

/** Once for the tests of this file, by the first that asks: the stack that it runs on lives as long as its test. */
async function today(): Promise<InFlight> {
  captured ??= await todaysInFlight();
  return captured;
}

/** The execution's input is text within the window's item. */
function executionInput(item: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(String(item['executionInput'])));
}

/** The paths of members that `then` has and `now` has not, or has as another type. */
function lost(then: unknown, now: unknown, path = ''): string[] {
  if (typeof then !== 'object' || then === null || Array.isArray(then)) {
    return then === null || typeof then === typeof now ? [] : [path];
  }
  if (typeof now !== 'object' || now === null) return [path];
  const members = new Map<string, unknown>(Object.entries(now));
  return Object.entries(then).flatMap(([key, value]) => lost(value, members.get(key), `${path}/${key}`));
}

it('a window, its signals and the requests are caught in flight', async () => {
  // Act
  const inFlight = await today();

  // Assess
  expect(Object.keys(inFlight.windowItems)).toEqual(['AWAITING_RECONNECTION', 'AWAITING_CLIENT', 'CLOSED']);
  expect(Object.keys(inFlight.signals).sort()).toEqual(['connection created', 'deadline corrected']);
  expect(Object.keys(inFlight.items).sort()).toEqual(Object.keys(ITEM_BOUNDS).sort());
  // Taken before a release: docs/safe-change.md.
  const name = process.env['TAKE_IN_FLIGHT_SAMPLE'];
  if (name !== undefined) writeInFlightSample(name, inFlight);
  expect(inFlightSamples().length).toBeGreaterThan(0);
});

const latest = inFlightSamples().at(-1)?.inFlight ?? inFlightSchema.parse({});

it('the latest sample has an item of each kind that the table can hold', () => {
  expect(Object.keys(latest.items).sort()).toEqual(Object.keys(ITEM_BOUNDS).sort());
});

describe('a number of an item', () => {
  it.each(Object.entries(latest.items))(
    'that other code left as a fraction reads as rounded up: %s',
    async (kind, item) => {
      const read = await readItemOf(kind, withFractions(kind, item), latest);

      expect(read).toEqual(await readItemOf(kind, item, latest));
    },
  );

  it('that is a fraction reads as the next whole one', () => {
    expect(wholeNumberSchema.parse(123.25)).toBe(124);
  });

  it('goes through wholeNumberSchema, but for three of a permit that conditions compare as they rest', () => {
    const functions = join(import.meta.dirname, '../../functions');
    const readers = globSync('**/*.ts', { cwd: functions })
      .map((path) => readFileSync(join(functions, path), 'utf8'))
      .filter((text) => /import \{[^}]*\b(readItem|updateIf)\b[^}]*\} from '[^']*\/table\.ts'/.test(text));
    const bare = readers.flatMap((text) => [...text.matchAll(/(\w+): z\s*\.(?:number|int)\(/g)]);

    expect(readers.length).toBeGreaterThan(5);
    expect(bare.map(([, name]) => name).sort()).toEqual(['bookedUntilMs', 'slowedAtMs', 'slowedTo']);
  });
});

describe.each(inFlightSamples())('what the version of $name left', ({ inFlight }) => {
  it.each(Object.entries(inFlight.windowItems))('as a window that is %s is understood', (phase, item) => {
    expect(windowItemSchema.parse(item)).toMatchObject({ phase, generation: 1 });
  });

  it.each(Object.entries(inFlight.items))('as an item of the kind %s is read', async (kind, item) => {
    expect(await readItemOf(kind, item, inFlight)).toMatchObject(Object(READ[kind]));
  });

  it.each(Object.entries(inFlight.taskPayloads))('as a payload of %s is understood', (key, payload) => {
    expect(taskSchemas[key]?.safeParse(payload)).toMatchObject({ success: true });
  });

  it.each(Object.entries(inFlight.expressOutputs))('as an output of %s is answered', (title, output) => {
    // Prepare
    const execution = { status: 'SUCCEEDED', output: JSON.stringify(output) } as const;

    // Act
    const { reply } = title.startsWith('create-connection')
      ? connectionReplyOf(execution, () => 0)
      : shellReplyOf(execution, Date.now());

    // Assess
    expect(reply.statusCode).toBe(title.endsWith('_CREATED') ? 200 : 404);
  });

  it("as a window's input is run by the machine of today, with its signals, to the outcome", async () => {
    // Prepare
    const { 'deadline corrected': corrected, 'connection created': created } = inFlight.signals;
    const input = executionInput(inFlight.windowItems['AWAITING_RECONNECTION']);
    const machines = await startMachines({
      registerTaskToken: () => null,
      checkSession: ({ pendingSinceMs, connectionTimeoutSeconds }) => ({
        status: 'CONNECTED',
        statusReason: null,
        statusChangedAtMs: pendingSinceMs,
        pendingSinceMs,
        connectionTimeoutSeconds,
        deadlineMs: Number(pendingSinceMs) + Number(connectionTimeoutSeconds) * SECOND,
        beforeLoss: false,
        overdue: false,
      }),
      recordOutcome: ({ ackSeq, connectionAttempts }) => ({
        recorded: true,
        seq: ackSeq,
        connectionCreatedAtMs: 0,
        connectionAttempts,
      }),
    });
    const signalWaiting = async (state: unknown) => {
      const waiting = machines.invoked.findLast(({ functionKey }) => functionKey === 'registerTaskToken');
      await machines.signal(waiting?.payload['taskToken'], signalledState.parse(state));
      await machines.clock.idle();
    };

    // Act
    const execution = await machines.startWindow(input);
    await signalWaiting(corrected);
    await signalWaiting(created);
    await machines.clock.advance(3 * SECOND);

    // Assess
    const { status, output } = await machines.describe(execution);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output ?? '')).toMatchObject({ outcome: 'RECONNECTED', connectionAttempts: 1 });
  });

  it('as inputs of Express machines is run by those of today', async () => {
    // Prepare
    const { expressInputs, expressOutputs } = inFlight;
    const machines = await startMachines({
      createConnection: () => expressOutputs['create-connection CONNECTION_CREATED'],
      createAdminShell: () => expressOutputs['create-admin-shell ADMIN_SHELL_CREATED'],
      signalWindow: () => null,
    });
    const deadlineMs = machines.clock.nowMs() + 20 * SECOND;

    // Act
    const connection = await machines.connect({ ...expressInputs['create-connection'], deadlineMs });
    const shell = await machines.askForShell({ ...expressInputs['create-admin-shell'], deadlineMs });

    // Assess
    expect(JSON.parse(connection.output ?? '')).toEqual(
      expressOutputs['create-connection CONNECTION_CREATED'],
    );
    expect(JSON.parse(shell.output ?? '')).toEqual(expressOutputs['create-admin-shell ADMIN_SHELL_CREATED']);
  });

  // Its executions run on, with its own definition and functions, while today's code writes what they read.
  it.each(['windowItems', 'signals', 'expressInputs', 'expressOutputs'] as const)(
    'as %s has no member that today leaves out',
    async (kind) => {
      expect(lost(inFlight[kind], (await today())[kind])).toEqual([]);
    },
  );

  // The line's counters are named after deadlines: in-flight-line.test.ts compares them.
  it('as an item has no attribute that today leaves out', async () => {
    const { line: _, ...then } = inFlight.items;
    expect(lost(then, (await today()).items)).toEqual([]);
  });

  it("as a window's input has no member that today leaves out", async () => {
    const inputOf = ({ windowItems }: InFlight) => executionInput(windowItems['AWAITING_RECONNECTION']);
    expect(lost(inputOf(inFlight), inputOf(await today()))).toEqual([]);
  });
});

const signalledState = z.object({
  seq: z.number(),
  connectionCreatedAtMs: z.number(),
  connectionAttempts: z.number(),
  correction: z
    .object({ seq: z.number(), deadlineMs: z.number(), connectionTimeoutSeconds: z.number() })
    .exactOptional(),
});
