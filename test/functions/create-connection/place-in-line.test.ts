import { CreateStreamSessionConnectionCommand, GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { beforeEach, describe, expect, it } from 'vitest';
import { createConnection } from '../../../functions/create-connection/create-connection.ts';
import { drawNumber, readLine } from '../../../functions/shared/quota/line.ts';
import {
  markServed,
  offerIdOf,
  type Place,
  readPlace,
  writePlace,
} from '../../../functions/shared/quota/places.ts';
import { offerOf } from '../../../local/simulation/offers.ts';
import { delayNext, failNext } from '../../helpers/failing-table.ts';
import { narrowBucket } from '../../helpers/line.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const OPERATION = 'CreateStreamSessionConnection' as const;
const CLIENT_TOKEN = 'client-token-0123456789abcdef0123';
const OFFER = offerIdOf(CLIENT_TOKEN);
const NEWER_OFFER = offerIdOf('a newer offer');

beforeEach(() => {
  service.reset();
  service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: 'answer' });
});

function prepare() {
  const dependencies = {
    ...serviceDependencies(table()),
    settings: { CONNECTIONS_PER_SECOND: 20, READS_PER_SECOND: 20 },
  };
  const { clock } = dependencies;
  const startMs = clock.nowMs();
  const session = newSession();
  const { counter } = narrowBucket(startMs + 10_000);
  return {
    ...dependencies,
    startMs,
    session,
    counter,
    create: () =>
      clock.track(() =>
        createConnection(
          {
            ...session,
            executionName: `${session.streamSessionId}-request`,
            signalRequest: offerOf('player'),
            clientToken: CLIENT_TOKEN,
            deadlineMs: startMs + 20_000,
            retryCount: 0,
          },
          dependencies,
        ),
      ),
    /** The session's place, with the first number of its counter. */
    async stands(overrides: Partial<Omit<Place, 'revision'>> = {}) {
      const { number } = await drawNumber(table(), OPERATION, { counter, seen: [], overBeforeMs: startMs });
      await writePlace(table(), session, undefined, {
        knownOffers: new Set([OFFER]),
        latestOffer: OFFER,
        askedAtMs: startMs,
        deadlineMs: startMs + 10_000,
        lineCounter: counter,
        lineNumber: number,
        ...overrides,
      });
    },
    async served() {
      const line = await readLine(table(), OPERATION);
      return line.find((other) => other.counter === counter)?.served;
    },
  };
}

describe('a place in line', () => {
  it('is left when the call goes out, so that the next turn comes nearer', async () => {
    const { create, stands, served, session } = prepare();
    await stands();

    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });

    expect((await readPlace(table(), session))?.isServed).toBe(true);
    expect(await served()).toBe(1);
  });

  it('is left once, however often the call is repeated, and a repeat does not even try', async () => {
    const { create, stands, served, log } = prepare();
    await stands();

    await create();
    // Its first write is the permit's; there is no second one that could fail.
    delayNext(table(), 'UpdateItemCommand', async () => failNext(table(), 'UpdateItemCommand', 'BEFORE'));
    await create();

    expect(service.calls()).toHaveLength(2);
    expect(await served()).toBe(1);
    expect(log.lines.map(({ event }) => event)).toEqual(['ConnectionCreated', 'ConnectionCreated']);
  });

  it('is left before the answer goes out: a Lambda that has answered does nothing more', async () => {
    const { create, stands, clock, startMs, served } = prepare();
    await stands();
    delayNext(table(), 'UpdateItemCommand', async () => {
      delayNext(table(), 'UpdateItemCommand', () => clock.sleep(700));
    });
    let answeredAtMs = 0;

    const creation = create().finally(() => {
      answeredAtMs = clock.nowMs();
    });
    await clock.advance(1000);
    await creation;

    expect(answeredAtMs - startMs).toBe(700);
    expect(await served()).toBe(1);
  });

  it('that cannot be left withholds no answer', async () => {
    const { create, stands, log } = prepare();
    await stands();
    delayNext(table(), 'UpdateItemCommand', async () => failNext(table(), 'UpdateItemCommand', 'BEFORE'));

    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });

    expect(log.lines).toContainEqual({
      event: 'PlaceNotLeft',
      fields: { errorName: 'DependencyUnavailableException' },
    });
  });

  it('without a number leaves no trace in the line', async () => {
    const { create, stands, session, served, log } = prepare();
    await stands({ lineCounter: undefined, lineNumber: undefined });

    await create();

    expect((await readPlace(table(), session))?.isServed).toBe(true);
    expect(await served()).toBe(0);
    expect(log.lines.map(({ event }) => event)).toEqual(['ConnectionCreated']);
  });
});

describe('an offer', () => {
  it('that a newer one has followed is not called, and no permit is taken', async () => {
    const { create, stands, log, metrics } = prepare();
    await stands({ knownOffers: new Set([OFFER, NEWER_OFFER]), latestOffer: NEWER_OFFER });

    expect(await create()).toEqual({ result: 'SUPERSEDED' });

    expect(service.calls()).toEqual([]);
    expect(metrics.values).toEqual([]);
    expect(log.lines).toEqual([{ event: 'ConnectionRefused', fields: { result: 'SUPERSEDED' } }]);
  });

  it('that the line has not heard of is called, and the place is left to the other', async () => {
    const { create, stands, session, served } = prepare();
    await stands({ knownOffers: new Set([NEWER_OFFER]), latestOffer: NEWER_OFFER });

    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });

    expect((await readPlace(table(), session))?.isServed).toBeUndefined();
    expect(await served()).toBe(0);
  });
});

describe('the deadline of a place', () => {
  it('lets nothing be called a millisecond later', async () => {
    const { create, stands, startMs, session } = prepare();
    await stands({ deadlineMs: startMs - 1 });

    expect(await create()).toEqual({ result: 'DEADLINE_PASSED' });

    expect(service.calls()).toEqual([]);
    expect((await readPlace(table(), session))?.isServed).toBeUndefined();
  });

  it('lets a call be made in its last millisecond', async () => {
    const { create, stands, startMs } = prepare();
    await stands({ deadlineMs: startMs });

    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });
  });

  it('lets no permit be waited for that comes later', async () => {
    const { create, stands, startMs, clock } = prepare();
    await stands({ deadlineMs: startMs + 1000 });
    await bookPermits(table(), { operation: OPERATION, perSecond: 20 }, startMs + 1001);

    await expect(create()).rejects.toMatchObject({ name: 'PermitNotAvailableException' });

    expect(clock.nowMs()).toBe(startMs);
    expect(service.calls()).toEqual([]);
  });

  it('lets no call go out later, however long the table takes to book its permit', async () => {
    const { create, stands, startMs, clock, session, served } = prepare();
    await stands({ deadlineMs: startMs + 100 });
    delayNext(table(), 'UpdateItemCommand', () => clock.sleep(101));

    const creation = create().catch((error: unknown) => error);
    await clock.advance(101);

    expect(await creation).toMatchObject({ name: 'PermitNotAvailableException' });
    expect(service.calls()).toEqual([]);
    expect((await readPlace(table(), session))?.isServed).toBeUndefined();
    expect(await served()).toBe(0);
    expect(await create()).toEqual({ result: 'DEADLINE_PASSED' });
  });

  it('means nothing once the call was made: its repeat has an answer coming', async () => {
    const { create, stands, startMs, session } = prepare();
    await stands({ deadlineMs: startMs - 1 });
    await markServed(table(), session, OFFER);

    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });
  });
});
