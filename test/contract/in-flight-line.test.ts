/**
 * The line's item and the places, as the code before 2026-11-28 reads and writes them: two counters for each two seconds of
 * deadlines. Both versions run on the same items while a deployment is half done.
 */
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createConnection } from '../../functions/create-connection/create-connection.ts';
import { awaitTurn } from '../../functions/request-connection/await-turn.ts';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { sessionPartition } from '../../functions/shared/contracts/table-keys.ts';
import { readLine } from '../../functions/shared/quota/line.ts';
import { offerIdOf, readPlace, writePlace } from '../../functions/shared/quota/places.ts';
import { bookPermits } from '../helpers/permits.ts';
import { serviceDependencies } from '../helpers/service-dependencies.ts';
import { newSession } from '../helpers/sessions.ts';
import { useTable } from '../helpers/table.ts';
import { givenNoWaitingList } from '../helpers/waiting-list.ts';
import { givenOpenWindow } from '../helpers/windows.ts';

const table = useTable();
const OPERATION = 'CreateStreamSessionConnection';
const LINE_KEY = { pk: `line#${OPERATION}`, sk: 'line' };
const record = z.record(z.string(), z.unknown());

const formerPlaceSchema = z.object({
  revision: z.int(),
  knownOffers: z.set(z.string()),
  latestOffer: z.string(),
  askedAtMs: z.number(),
  deadlineMs: z.number(),
  lineBucket: z.number().optional(),
  lineNumber: z.number().optional(),
  isServed: z.boolean().optional(),
});
type FormerPlace = z.infer<typeof formerPlaceSchema>;

/** What the former code does with both items. */
const former = {
  bucketOf: (deadlineMs: number) => Math.floor(deadlineMs / 2000),
  async draw(bucket: number): Promise<number> {
    const { Attributes } = await table().documents.send(
      new UpdateCommand({
        TableName: table().name,
        Key: LINE_KEY,
        UpdateExpression: 'ADD #drawn :one',
        ExpressionAttributeNames: { '#drawn': `drawn${bucket}` },
        ExpressionAttributeValues: { ':one': 1 },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Number(Attributes?.[`drawn${bucket}`]) - 1;
  },
  /** Each bucket's counters, and nothing of what else may be in the item. */
  async line(): Promise<Record<string, { drawn: number; served: number }>> {
    const buckets: Record<string, { drawn: number; served: number }> = {};
    for (const [name, value] of Object.entries(await lineItem())) {
      const [, counter, digits = ''] = /^(drawn|served)(\d+)$/.exec(name) ?? [];
      if (counter === undefined || typeof value !== 'number') continue;
      const counts = buckets[digits] ?? { drawn: 0, served: 0 };
      buckets[digits] = { ...counts, [counter]: value };
    }
    return buckets;
  },
  async readPlace(session: SessionKey): Promise<FormerPlace> {
    const { Item } = await table().documents.send(
      new GetCommand({ TableName: table().name, Key: placeKey(session), ConsistentRead: true }),
    );
    return formerPlaceSchema.parse(Item);
  },
  async writePlace(session: SessionKey, place: FormerPlace): Promise<void> {
    await table().documents.send(
      new UpdateCommand({
        TableName: table().name,
        Key: placeKey(session),
        UpdateExpression:
          'SET revision = :next, knownOffers = :offers, latestOffer = :offer, askedAtMs = :asked, deadlineMs = :deadline, lineBucket = :bucket, lineNumber = :number REMOVE isServed',
        ExpressionAttributeValues: {
          ':next': place.revision + 1,
          ':offers': place.knownOffers,
          ':offer': place.latestOffer,
          ':asked': place.askedAtMs,
          ':deadline': place.deadlineMs,
          ':bucket': place.lineBucket,
          ':number': place.lineNumber,
        },
      }),
    );
  },
};

const placeKey = (session: SessionKey) => ({ pk: sessionPartition(session), sk: 'place' });

async function lineItem(): Promise<Record<string, unknown>> {
  const { Item } = await table().documents.send(
    new GetCommand({ TableName: table().name, Key: LINE_KEY, ConsistentRead: true }),
  );
  return record.parse(Item ?? {});
}

async function givenLine(counters: Readonly<Record<string, number>>): Promise<void> {
  await table().documents.send(
    new PutCommand({ TableName: table().name, Item: { ...LINE_KEY, ...counters } }),
  );
}

/** Two counters for each of so many buckets, from the one of `firstMs`. */
function formerCounters(firstMs: number, buckets: number, counts = { drawn: 1, served: 1 }) {
  return Object.fromEntries(
    Array.from({ length: buckets }, (_, index) => former.bucketOf(firstMs) + index).flatMap((bucket) => [
      [`drawn${bucket}`, counts.drawn],
      [`served${bucket}`, counts.served],
    ]),
  );
}

async function prepare({ bookedMs = 0 } = {}) {
  const dependencies = {
    ...serviceDependencies(table()),
    random: () => 0.5,
    settings: {
      CONNECTIONS_PER_SECOND: 20,
      READS_PER_SECOND: 20,
      LISTS_PER_SECOND: 20,
      DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
    },
  };
  const { clock } = dependencies;
  const startMs = clock.nowMs();
  await bookPermits(table(), { operation: OPERATION, perSecond: 20 }, startMs + bookedMs);
  await givenNoWaitingList(table(), startMs);
  return {
    clock,
    dependencies,
    startMs,
    ask: (session: SessionKey, offer = 'offer') => clock.track(() => awaitTurn(session, offer, dependencies)),
    dropped: async (connectionTimeoutSeconds: number) => {
      const session = newSession();
      await givenOpenWindow(table(), session, { disconnectedAtMs: startMs, connectionTimeoutSeconds });
      return session;
    },
  };
}

beforeEach(() => givenLine({}));

describe('former counters that are over', () => {
  it.each([210, 600])('are pruned bit by bit and stop nobody: %i buckets', async (buckets) => {
    const { ask, startMs } = await prepare({ bookedMs: 8000 });
    await givenLine(formerCounters(startMs - 3_700_000, buckets));
    const sizes: number[] = [];

    for (let player = 0; player < Math.ceil(buckets / 16) + 1; player++) {
      expect(await ask(newSession())).toMatchObject({ kind: 'LATER' });
      sizes.push(Object.keys(await former.line()).length);
    }

    expect(sizes.slice(0, 2)).toEqual([buckets - 16, buckets - 32]);
    expect(sizes.at(-1)).toBe(0);
  });
});

describe('former counters that are not over', () => {
  it('stand before a session with a later deadline', async () => {
    const { ask, startMs, dropped } = await prepare({ bookedMs: 3400 });
    await givenLine(formerCounters(startMs + 10_000, 1, { drawn: 60, served: 0 }));

    // 60 calls at 20 a second, and the second before its turn.
    expect(await ask(await dropped(120))).toEqual({ kind: 'LATER', retryAfterSeconds: 5 });
  });

  it('do not stand before a session with an earlier deadline', async () => {
    const { ask, startMs, dropped } = await prepare({ bookedMs: 3400 });
    await givenLine(formerCounters(startMs + 120_000, 1, { drawn: 600, served: 0 }));

    expect(await ask(await dropped(10))).toEqual({ kind: 'LATER', retryAfterSeconds: 2 });
  });
});

describe('a place that the former code has written', () => {
  it('keeps its number, and its call is counted where the former code counts', async () => {
    const { ask, startMs, dropped, dependencies, clock } = await prepare();
    const session = await dropped(120);
    const bucket = former.bucketOf(startMs + 120_000);
    const number = await former.draw(bucket);
    await former.writePlace(session, {
      revision: 0,
      knownOffers: new Set([offerIdOf('offer')]),
      latestOffer: offerIdOf('offer'),
      askedAtMs: startMs,
      deadlineMs: startMs + 120_000,
      lineBucket: bucket,
      lineNumber: number,
    });

    expect(await ask(session)).toEqual({ kind: 'NOW' });
    const input = {
      ...session,
      executionName: 'execution',
      signalRequest: 'offer',
      clientToken: 'offer',
      deadlineMs: startMs + 20_000,
      retryCount: 0,
    };
    await clock.track(() => createConnection(input, dependencies)).catch(() => {});

    expect(await former.line()).toEqual({ [bucket]: { drawn: 1, served: 1 } });
    expect((await readLine(table(), OPERATION)).map(({ drawn, served }) => [drawn, served])).toEqual([
      [1, 1],
    ]);
  });

  it('keeps its number with a newer offer, in the attributes that the former code reads', async () => {
    const { ask, startMs, dropped } = await prepare({ bookedMs: 8000 });
    const session = await dropped(120);
    const bucket = former.bucketOf(startMs + 120_000);
    await former.writePlace(session, {
      revision: 0,
      knownOffers: new Set([offerIdOf('offer')]),
      latestOffer: offerIdOf('offer'),
      askedAtMs: startMs,
      deadlineMs: startMs + 120_000,
      lineBucket: bucket,
      lineNumber: await former.draw(bucket),
    });

    await ask(session, 'newer');

    expect(await former.readPlace(session)).toMatchObject({
      latestOffer: offerIdOf('newer'),
      knownOffers: new Set([offerIdOf('offer'), offerIdOf('newer')]),
      lineBucket: bucket,
      lineNumber: 0,
    });
    expect(await former.line()).toEqual({ [bucket]: { drawn: 1, served: 0 } });
  });
});

describe('what this code writes', () => {
  it('is nothing to the former code: a place without a number, and no counters of its own', async () => {
    const { ask, dropped, startMs } = await prepare({ bookedMs: 8000 });
    const session = await dropped(120);

    await ask(session);

    expect(await former.line()).toEqual({});
    const place = await former.readPlace(session);
    expect(place).toMatchObject({ latestOffer: offerIdOf('offer'), deadlineMs: startMs + 120_000 });
    expect(place).not.toHaveProperty('lineBucket');
  });

  it('gives way to a number that the former code has drawn for the place since', async () => {
    const { ask, dropped, startMs } = await prepare({ bookedMs: 8000 });
    const session = await dropped(120);
    await ask(session);
    const bucket = former.bucketOf(startMs + 120_000);

    const place = await former.readPlace(session);
    await former.writePlace(session, { ...place, lineBucket: bucket, lineNumber: await former.draw(bucket) });

    expect(await readPlace(table(), session)).toMatchObject({
      revision: 2,
      lineCounter: `drawn${bucket}`,
      lineNumber: 0,
    });
  });

  it('leaves one of the two kinds of numbers in a place', async () => {
    const session = newSession();
    const place = {
      knownOffers: new Set(['offer']),
      latestOffer: 'offer',
      askedAtMs: 0,
      deadlineMs: 0,
      lineNumber: 3,
    };

    await writePlace(table(), session, undefined, { ...place, lineCounter: 'drawn7' });
    expect(await former.readPlace(session)).toMatchObject({ lineBucket: 7, lineNumber: 3 });
    const seen = await readPlace(table(), session);
    await writePlace(table(), session, seen, { ...place, lineCounter: 'A7' });

    expect(await former.readPlace(session)).not.toHaveProperty('lineBucket');
    expect(await readPlace(table(), session)).toMatchObject({ lineCounter: 'A7', lineNumber: 3 });
  });
});
