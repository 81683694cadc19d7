/** What becomes of a session's place when it is asked for again, and when others write it at the same moment. */
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { awaitTurn } from '../../../functions/request-connection/await-turn.ts';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { drawNumber, readLine } from '../../../functions/shared/quota/line.ts';
import {
  markServed,
  offerIdOf,
  type Place,
  readPlace,
  writePlace,
} from '../../../functions/shared/quota/places.ts';
import { beforeNext, failNext } from '../../helpers/failing-table.ts';
import { narrowBucket } from '../../helpers/line.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import { givenOpenWindow } from '../../helpers/windows.ts';

const table = useTable();
const OPERATION = 'CreateStreamSessionConnection' as const;
const LINE_KEY = { pk: `line#${OPERATION}`, sk: 'line' };

/** A session at an hour of its own; the next permit is free in `bookedMs`. */
async function prepare({ bookedMs = 8000 } = {}) {
  const dependencies = serviceDependencies(table());
  const { clock, log } = dependencies;
  const startMs = clock.nowMs();
  const session = newSession();
  await bookPermits(table(), { operation: OPERATION, perSecond: 20 }, startMs + bookedMs);
  const settings = {
    CONNECTIONS_PER_SECOND: 20,
    LISTS_PER_SECOND: 20,
    DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
  };
  return {
    clock,
    log,
    startMs,
    session,
    ask: (offer = 'offer') =>
      clock.track(() => awaitTurn(session, offer, { ...dependencies, random: () => 0.5, settings })),
    window: (connectionTimeoutSeconds: number) =>
      givenOpenWindow(table(), session, { disconnectedAtMs: startMs, connectionTimeoutSeconds }),
    async place(): Promise<Place> {
      const place = await readPlace(table(), session);
      if (place === undefined) throw new Error('The session has no place.');
      return place;
    },
    async drawn(): Promise<number> {
      const line = await readLine(table(), OPERATION);
      return line.filter(({ endMs }) => endMs > startMs).reduce((sum, { drawn }) => sum + drawn, 0);
    },
  };
}

/** Somebody else's offer for the session takes the place, without a number. */
async function rivalWrites(session: SessionKey, offer: string): Promise<void> {
  const seen = await readPlace(table(), session);
  await writePlace(table(), session, seen, {
    askedAtMs: 0,
    deadlineMs: seen?.deadlineMs ?? 0,
    lineCounter: seen?.lineCounter,
    lineNumber: seen?.lineNumber,
    knownOffers: new Set([offer]),
    latestOffer: offer,
  });
}

describe('the place of a session', () => {
  it('knows every offer by its name, and since when it stands in line', async () => {
    const { ask, place, clock, startMs } = await prepare();

    await ask('first');
    await clock.advance(1000);
    await ask('second');

    expect(await place()).toMatchObject({
      knownOffers: new Set([offerIdOf('first'), offerIdOf('second')]),
      latestOffer: offerIdOf('second'),
      askedAtMs: startMs,
    });
  });

  it('keeps the deadline that was guessed at first, however often it is asked for', async () => {
    const { ask, place, clock, startMs, drawn } = await prepare({ bookedMs: 8100 });
    await ask('first');

    await clock.advance(5000);
    await ask('second');

    expect((await place()).deadlineMs).toBe(startMs + 120_000);
    expect(await drawn()).toBe(1);
  });

  it('is over a millisecond after its deadline, and not with it', async () => {
    const { ask, place, clock, startMs, window } = await prepare({ bookedMs: 4000 });
    await window(5);
    await ask('first');
    const first = await place();

    await clock.advance(5000);
    await ask('second');
    expect(await place()).toMatchObject({ askedAtMs: startMs, lineNumber: first.lineNumber });

    await clock.advance(1);
    await ask('third');
    expect(await place()).toMatchObject({ askedAtMs: startMs + 5001, deadlineMs: startMs + 125_001 });
  });

  it('has the default for a deadline when that of its window has just come', async () => {
    const { ask, place, clock, startMs, window } = await prepare({ bookedMs: 8100 });
    await window(5);
    await clock.advance(5000);

    await ask();

    expect((await place()).deadlineMs).toBe(startMs + 125_000);
  });

  it('stays used up for the offer that had its call', async () => {
    const { ask, place, session, drawn } = await prepare({ bookedMs: 0 });
    await ask();
    await markServed(table(), session, offerIdOf('offer'));
    const served = await place();

    expect(await ask()).toEqual({ kind: 'NOW' });

    expect(await place()).toEqual(served);
    expect(await drawn()).toBe(1);
  });

  it('is another one for the next offer after that', async () => {
    const { ask, place, session, clock, startMs, drawn } = await prepare({ bookedMs: 0 });
    await ask('first');
    await markServed(table(), session, offerIdOf('first'));
    await clock.advance(1000);

    await ask('second');

    expect(await place()).toMatchObject({ latestOffer: offerIdOf('second'), askedAtMs: startMs + 1000 });
    expect(await place()).not.toHaveProperty('isServed');
    expect(await drawn()).toBe(2);
  });
});

describe('a number in line', () => {
  it('is drawn for a turn that comes with the deadline, and for none that comes later', async () => {
    const inTime = await prepare({ bookedMs: 6000 });
    await inTime.window(6);
    expect(await inTime.ask()).toEqual({ kind: 'LATER', retryAfterSeconds: 5 });
    expect(await inTime.drawn()).toBe(1);

    const late = await prepare({ bookedMs: 6001 });
    await late.window(6);
    expect(await late.ask()).toMatchObject({ kind: 'NOT_IN_TIME' });
    expect(await late.drawn()).toBe(0);
    expect(await late.place()).not.toHaveProperty('lineNumber');
  });

  it('is drawn for a turn that is now, though the deadline is even nearer', async () => {
    const { ask, drawn, clock, window } = await prepare({ bookedMs: 2200 });
    await window(2);
    await clock.advance(1900);

    expect(await ask()).toEqual({ kind: 'NOW' });

    expect(await drawn()).toBe(1);
  });

  it('is left for the next time when the line takes no more writes', async () => {
    const { ask, place } = await prepare();
    failNext(table(), 'UpdateItemCommand', 'BEFORE');

    expect(await ask()).toEqual({ kind: 'NOT_IN_TIME', retryAfterSeconds: 10 });

    expect(await place()).not.toHaveProperty('lineNumber');
    expect(await ask()).toMatchObject({ kind: 'LATER' });
    expect(await place()).toHaveProperty('lineNumber');
  });

  it('is asked for again with half of the time left where the line takes no more writes', async () => {
    const { ask, window } = await prepare();
    await window(10);
    failNext(table(), 'UpdateItemCommand', 'BEFORE');

    expect(await ask()).toEqual({ kind: 'NOT_IN_TIME', retryAfterSeconds: 5 });
  });

  const denied = () =>
    Object.assign(new Error('denied'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });

  it('that cannot be drawn for a reason nobody knows leaves the turn as the line was read', async () => {
    const { ask, place, log } = await prepare({ bookedMs: 5500 });
    await table().documents.send(new DeleteCommand({ TableName: table().name, Key: LINE_KEY }));
    failNext(table(), 'UpdateItemCommand', 'BEFORE', denied());

    expect(await ask()).toEqual({ kind: 'LATER', retryAfterSeconds: 4 });

    expect(await place()).not.toHaveProperty('lineNumber');
    expect(log.lines).toEqual([{ event: 'NumberNotDrawn', fields: { errorName: 'UnexpectedError' } }]);
  });

  it('that cannot be drawn stops nobody at a quiet time', async () => {
    const { ask } = await prepare({ bookedMs: 0 });
    failNext(table(), 'UpdateItemCommand', 'BEFORE', denied());

    expect(await ask()).toEqual({ kind: 'NOW' });
  });

  it('is drawn without pruning when the pruning is what fails', async () => {
    const { ask, place, startMs } = await prepare();
    await drawNumber(table(), OPERATION, {
      counter: narrowBucket(startMs - 70_000).counter,
      seen: [],
      overBeforeMs: 0,
    });
    failNext(table(), 'UpdateItemCommand', 'BEFORE', denied());

    expect(await ask()).toMatchObject({ kind: 'LATER' });

    expect(await place()).toHaveProperty('lineNumber');
  });

  it('is drawn again when its counter was pruned by a clock that was ahead', async () => {
    const { ask, place, drawn } = await prepare();
    await ask();
    const { lineCounter = '' } = await place();
    await table().documents.send(
      new UpdateCommand({
        TableName: table().name,
        Key: LINE_KEY,
        UpdateExpression: 'REMOVE #counter',
        ExpressionAttributeNames: { '#counter': lineCounter },
      }),
    );

    expect(await ask()).toMatchObject({ kind: 'LATER' });

    expect(await drawn()).toBe(1);
    expect(await place()).toMatchObject({ lineCounter, lineNumber: 0 });
  });
});

describe('a place that a clock ten minutes ahead has written', () => {
  it('has a deadline no later than a guess of now', async () => {
    const { ask, place, session, startMs } = await prepare();
    await ask();
    const seen = await place();
    await writePlace(table(), session, seen, { ...seen, deadlineMs: startMs + 720_000 });

    await ask('second');

    expect(await place()).toMatchObject({ deadlineMs: startMs + 120_000 });
  });
});

describe('a place that others write at the same moment', () => {
  /** Before each of the next writes of the line or the place; the first writes are the number's and the place's. */
  const race = (session: SessionKey, times: number) => {
    let writes = 0;
    const write = async () => {
      await rivalWrites(session, `rival ${++writes}`);
      if (writes < times) beforeNext(table(), 'UpdateItemCommand', write);
    };
    beforeNext(table(), 'UpdateItemCommand', write);
    return () => writes;
  };

  it('is written at the next try', async () => {
    const { ask, place, session } = await prepare();
    race(session, 2);

    expect(await ask()).toMatchObject({ kind: 'LATER' });

    expect((await place()).latestOffer).toBe(offerIdOf('offer'));
  });

  it('is a retryable failure after six tries', async () => {
    const { ask, session } = await prepare();
    await rivalWrites(session, 'rival 0');
    const writes = race(session, 20);

    await expect(ask()).rejects.toMatchObject({ name: 'ContentionException' });

    // Six of the place, and the number at each try, for the rivals have none.
    expect(writes()).toBe(12);
  });
});
