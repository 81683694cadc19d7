import { CreateStreamSessionConnectionCommand, GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { beforeEach, describe, expect, it } from 'vitest';
import { createConnection } from '../../../functions/create-connection/create-connection.ts';
import { awaitTurn } from '../../../functions/request-connection/await-turn.ts';
import type { Turn } from '../../../functions/request-connection/decide-turn.ts';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { readLine } from '../../../functions/shared/quota/line.ts';
import { takePermit } from '../../../functions/shared/quota/permits.ts';
import { readPlace } from '../../../functions/shared/quota/places.ts';
import { openWindow } from '../../../functions/shared/window/open-window.ts';
import { updateWindow } from '../../../functions/shared/window/window-item.ts';
import { offerOf } from '../../../local/simulation/offers.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import { givenNoWaitingList } from '../../helpers/waiting-list.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const OPERATION = 'CreateStreamSessionConnection' as const;

beforeEach(() => {
  service.reset();
  service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: '{}' });
});

/** A quota that is used up, 20 a second, and a clock in an hour of its own: nobody else stands in line. */
async function prepare({ bookedMs = 0, random = () => 0.5, perSecond = 20 } = {}) {
  const { clock, log, metrics, gameLiftStreams } = serviceDependencies(table());
  const startMs = clock.nowMs();
  await bookPermits(table(), { operation: OPERATION, perSecond }, startMs + bookedMs);
  const settings = {
    CONNECTIONS_PER_SECOND: perSecond,
    READS_PER_SECOND: 20,
    LISTS_PER_SECOND: 20,
    DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
  };
  const dependencies = { table: table(), clock, random, settings, log, metrics, gameLiftStreams };
  let listedAtMs = 0;
  let listing: Promise<void> = Promise.resolve();
  /** The service's list is of no use here: it is never complete. */
  function keepListed(): Promise<void> {
    const nowMs = clock.nowMs();
    if (nowMs < listedAtMs + 5000) return listing;
    listedAtMs = nowMs;
    listing = givenNoWaitingList(table(), nowMs);
    return listing;
  }
  const ask = (session: SessionKey, offer = 'offer') =>
    clock.track(async () => {
      await keepListed();
      return awaitTurn(session, `${offer} of ${session.streamSessionId}`, dependencies);
    });
  /** Asks for many sessions at once; their numbers are in no particular order. */
  const askForMany = (count: number, make = newSession) =>
    Promise.all(Array.from({ length: count }, () => ask(make())));
  return {
    clock,
    startMs,
    dependencies,
    ask,
    askForMany,
    /** A session with an open window that ends in so many seconds. */
    async dropped(remainingSeconds?: number, session: SessionKey = newSession()): Promise<SessionKey> {
      await openWindow(
        table(),
        session,
        {
          disconnectedAtMs: clock.nowMs(),
          connectionTimeoutSeconds: remainingSeconds,
          sessionEndsAtMs: undefined,
        },
        {
          DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
          WINDOW_MARGIN_SECONDS: 2,
          TERMINATE_ABANDONED_SESSIONS: false,
        },
        async () => true,
      );
      return session;
    },
    async drawn(): Promise<number> {
      const line = await readLine(table(), OPERATION);
      return line.filter(({ endMs }) => endMs > startMs).reduce((sum, { drawn }) => sum + drawn, 0);
    },
  };
}

const kinds = (turns: readonly Turn[]) => turns.map(({ kind }) => kind);

describe('a turn', () => {
  it('is now when nobody is in line', async () => {
    const { ask, clock, startMs } = await prepare();

    expect(await ask(newSession())).toEqual({ kind: 'NOW' });
    expect(clock.nowMs()).toBe(startMs);
  });

  it('is waited for when it is near', async () => {
    const { ask, clock, startMs } = await prepare({ bookedMs: 2000 });
    let answeredAtMs = 0;

    const asking = ask(newSession()).finally(() => {
      answeredAtMs = clock.nowMs() - startMs;
    });
    await clock.advance(3000);

    expect(await asking).toEqual({ kind: 'NOW' });
    expect(answeredAtMs).toBeGreaterThan(1000);
    expect(answeredAtMs).toBeLessThanOrEqual(2000);
  });

  it('that is far comes with the time to be back a second before it, ten seconds at most', async () => {
    const { ask } = await prepare({ bookedMs: 5500 });
    expect(await ask(newSession())).toEqual({ kind: 'LATER', retryAfterSeconds: 4 });

    const later = await prepare({ bookedMs: 8000 });
    await later.askForMany(100);
    expect(await later.ask(newSession())).toEqual({ kind: 'LATER', retryAfterSeconds: 10 });
  });

  it('is spread over the line, twenty sessions a second', async () => {
    const { askForMany } = await prepare({ bookedMs: 3400 });

    const turns = await askForMany(100);

    const awaySeconds = turns.map((turn) => ('retryAfterSeconds' in turn ? turn.retryAfterSeconds : 0));
    for (const second of [2, 3, 4, 5, 6]) {
      const back = awaySeconds.filter((away) => away === second).length;
      expect(back).toBeGreaterThan(0);
      expect(back).toBeLessThanOrEqual(20);
    }
  });

  it('is not to be had in time behind more sessions than the quota can save', async () => {
    const { ask, askForMany, dropped, drawn } = await prepare({ bookedMs: 5000 });
    const session = await dropped(6);
    for (let batch = 0; batch < 3; batch++) {
      const sessions = await Promise.all(Array.from({ length: 10 }, () => dropped(6)));
      await Promise.all(sessions.map((other) => ask(other)));
    }
    const before = await drawn();

    expect(await ask(session)).toMatchObject({ kind: 'NOT_IN_TIME' });
    // It takes no number, so it is in nobody's way.
    expect(await drawn()).toBe(before);
    expect(kinds(await askForMany(1))).toEqual(['LATER']);
  });

  it('comes at once to whoever is there, when those before do not return', async () => {
    const { askForMany, ask, clock, startMs, dropped } = await prepare({ bookedMs: 4000 });
    await askForMany(200);
    const patient = await dropped(100);
    expect(await ask(patient)).toMatchObject({ kind: 'LATER' });

    await clock.advance(6000);

    expect(await ask(patient)).toEqual({ kind: 'NOW' });
    expect(clock.nowMs()).toBe(startMs + 6000);
  });

  // Three idle permits are more than two a second ever leave: a player was told to come back until her session was gone.
  it.each([1, 2, 3])(
    'comes within the wait when those before do not return, with a quota of %i a second',
    async (perSecond) => {
      const { ask, askForMany, clock } = await prepare({ perSecond });
      await Promise.all([askForMany(perSecond + 1), clock.advance(4000)]);

      const [turn] = await Promise.all([ask(newSession()), clock.advance(4000)]);

      expect(turn).toEqual({ kind: 'NOW' });
    },
  );
});

describe('a place', () => {
  it('is found again by the same request, however often and soon it comes', async () => {
    const { ask, drawn } = await prepare({ bookedMs: 8000 });
    const session = newSession();

    const first = await ask(session);
    for (let repeats = 0; repeats < 5; repeats++) expect(await ask(session)).toEqual(first);

    expect(await drawn()).toBe(1);
    // It is found by reads: nothing was written after the first.
    expect((await readPlace(table(), session))?.revision).toBe(1);
  });

  it('is one for all offers of a session; only the latest keeps it', async () => {
    const { ask, drawn } = await prepare({ bookedMs: 8000 });
    const session = newSession();

    for (const press of [1, 2, 3, 4, 5]) {
      expect(await ask(session, `offer ${press}`)).toMatchObject({ kind: 'LATER' });
    }

    expect(await ask(session, 'offer 1')).toEqual({ kind: 'SUPERSEDED' });
    expect(await ask(session, 'offer 4')).toEqual({ kind: 'SUPERSEDED' });
    expect(await ask(session, 'offer 5')).toMatchObject({ kind: 'LATER' });
    expect(await drawn()).toBe(1);
  });

  it('is lost, while its turn is waited for, to a newer offer', async () => {
    const { ask, clock } = await prepare({ bookedMs: 2900 });
    const session = newSession();

    const first = ask(session, 'first');
    await clock.advance(1000);
    const second = ask(session, 'second');
    await clock.advance(3000);

    expect(await first).toEqual({ kind: 'SUPERSEDED' });
    expect(await second).toEqual({ kind: 'NOW' });
  });

  it('is one for two tabs that ask at the same moment', async () => {
    const { ask } = await prepare({ bookedMs: 8000 });
    const session = newSession();

    const turns = await Promise.all([ask(session, 'tab 1'), ask(session, 'tab 2')]);

    expect(kinds(turns)).toEqual(['LATER', 'LATER']);
    const place = await readPlace(table(), session);
    const repeats = [await ask(session, 'tab 1'), await ask(session, 'tab 2')];
    expect(kinds(repeats).toSorted()).toEqual(['LATER', 'SUPERSEDED']);
    expect((await readPlace(table(), session))?.lineNumber).toBe(place?.lineNumber);
  });

  it('is changed for one with less time when the window tells that there is less', async () => {
    const { ask, dropped, startMs } = await prepare({ bookedMs: 8000 });
    const session = newSession();
    await ask(session);
    const guessed = await readPlace(table(), session);
    await dropped(20, session);

    await ask(session);

    const changed = await readPlace(table(), session);
    expect(changed?.deadlineMs).toBe(startMs + 20_000);
    expect(changed?.lineCounter).not.toBe(guessed?.lineCounter);
  });

  it('keeps neither an offer nor a token', async () => {
    const { ask } = await prepare();
    const session = newSession();

    await ask(session, 'the-secret-token');

    const place = await readPlace(table(), session);
    expect(JSON.stringify([place, ...(place?.knownOffers ?? [])])).not.toContain('secret');
  });
});

describe('deadlines', () => {
  it('put a session with ten seconds left before all that have two minutes', async () => {
    const { ask, askForMany, dropped } = await prepare({ bookedMs: 3400 });
    await askForMany(300);

    const tight = await ask(await dropped(10));

    expect(tight).toEqual({ kind: 'LATER', retryAfterSeconds: 2 });
  });

  it('make those with two minutes wait until those with ten seconds are through, or lost', async () => {
    const { ask, dropped } = await prepare({ bookedMs: 3400 });
    const tight = await Promise.all(Array.from({ length: 60 }, () => dropped(10)));
    await Promise.all(tight.map((session) => ask(session)));

    const loose = await ask(await dropped(120));

    // 60 calls at 20 a second, and the second before its turn.
    expect(loose).toEqual({ kind: 'LATER', retryAfterSeconds: 5 });
  });
});

describe('a session whose deadline has passed while it stood in line', () => {
  it('goes behind all that can be saved, and no call is made for its old place', async () => {
    const { ask, dropped, dependencies, clock } = await prepare({ bookedMs: 4000 });
    const session = await dropped(5);
    await ask(session);
    const first = await readPlace(table(), session);
    await clock.advance(6000);
    const input = {
      ...session,
      executionName: 'execution',
      signalRequest: offerOf('player'),
      clientToken: `offer of ${session.streamSessionId}`,
      deadlineMs: clock.nowMs() + 20_000,
      retryCount: 0,
    };

    expect(await clock.track(() => createConnection(input, dependencies))).toEqual({
      result: 'DEADLINE_PASSED',
    });
    expect(service.calls()).toHaveLength(0);
    await ask(session);
    expect((await readPlace(table(), session))?.deadlineMs).toBe(clock.nowMs() + 120_000);
    expect(first?.deadlineMs).toBe(clock.nowMs() - 1000);
  });

  it.each([
    ['looked at before its call when its timeout is known', 5, 5],
    ['called as it is when the deadline is that of the default timeout', undefined, undefined],
  ])('is %s', async (_, timeoutSeconds, endedAfterSeconds) => {
    const { ask, dropped, clock, startMs } = await prepare();
    const session = await dropped(timeoutSeconds);
    await clock.advance(120_012);

    await ask(session);

    const endedAtMs = endedAfterSeconds === undefined ? undefined : startMs + endedAfterSeconds * 1000;
    expect((await readPlace(table(), session))?.windowEndedAtMs).toBe(endedAtMs);
  });

  it('is looked at no more once its window has another deadline', async () => {
    const { ask, dropped, clock } = await prepare();
    const session = await dropped(5);
    await clock.advance(5012);
    await ask(session);
    await updateWindow(table(), session, {
      UpdateExpression: 'SET deadlineMs = :deadline',
      ExpressionAttributeValues: { ':deadline': clock.nowMs() + 60_000 },
    });

    await ask(session, 'next');

    expect(await readPlace(table(), session)).not.toHaveProperty('windowEndedAtMs');
  });
});

describe('a call', () => {
  it('leaves the line, so that the next turn comes nearer', async () => {
    const { ask, dependencies, clock, drawn } = await prepare();
    const session = newSession();
    await ask(session);
    const place = await readPlace(table(), session);
    const input = {
      ...session,
      executionName: 'execution',
      signalRequest: offerOf('player'),
      clientToken: `offer of ${session.streamSessionId}`,
      deadlineMs: clock.nowMs() + 20_000,
      retryCount: 0,
    };

    await clock.track(() => createConnection(input, dependencies));

    const line = await readLine(table(), OPERATION);
    expect(await drawn()).toBe(1);
    expect(line.find(({ counter }) => counter === place?.lineCounter)).toMatchObject({ drawn: 1, served: 1 });
    expect((await readPlace(table(), session))?.isServed).toBe(true);
  });

  it('is not made for an offer that a newer one has followed, and no permit is taken', async () => {
    const { ask, dependencies, clock, startMs } = await prepare();
    const session = newSession();
    await ask(session, 'first');
    await ask(session, 'second');
    const input = {
      ...session,
      executionName: 'execution',
      signalRequest: offerOf('player'),
      clientToken: `first of ${session.streamSessionId}`,
      deadlineMs: clock.nowMs() + 20_000,
      retryCount: 0,
    };

    expect(await clock.track(() => createConnection(input, dependencies))).toEqual({ result: 'SUPERSEDED' });

    expect(service.calls()).toHaveLength(0);
    const request = { operation: OPERATION, perSecond: 20, latestMs: startMs };
    expect(await takePermit(request, dependencies)).toBe(true);
  });
});
