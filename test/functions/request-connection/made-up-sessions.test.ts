/** Callers who ask for sessions that do not exist, and what they cost those that do: on simulated time, as in a storm. */
import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  ListStreamSessionsCommand,
} from '@aws-sdk/client-gameliftstreams';
import { seededRandom } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { createConnection } from '../../../functions/create-connection/create-connection.ts';
import { awaitTurn } from '../../../functions/request-connection/await-turn.ts';
import { refuseStranger } from '../../../functions/shared/api/check-user-id.ts';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { readPlace } from '../../../functions/shared/quota/places.ts';
import type { Table } from '../../../functions/shared/runtime/table.ts';
import { rememberGroup } from '../../../functions/shared/window/waiting-sessions.ts';
import { updateWindow } from '../../../functions/shared/window/window-item.ts';
import { MemoryTable } from '../../../local/dynamodb/memory-table.ts';
import { InProcessClock } from '../../../local/simulation/in-process-clock.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { allItems } from '../../helpers/table.ts';
import { givenOpenWindow } from '../../helpers/windows.ts';

const SECOND = 1000;
const service = mockClient(GameLiftStreamsClient);

beforeEach(() => {
  service.reset();
});

const USER_ID = 'player-1';
/** What the API replies when the table takes no more reads of one item. */
const BUSY = { result: 'BUSY', reply: { headers: { 'retry-after': '1' } } };

function simulate({ checksUser = false } = {}) {
  const clock = new InProcessClock();
  const random = seededRandom(1);
  const { table } = new MemoryTable({ nowMs: () => clock.nowMs(), travel: () => clock.sleep(1 + random()) });
  /** The status of every session that there is. */
  const statuses = new Map<string, 'PENDING_CLIENT_RECONNECTION' | 'CONNECTED'>();
  service.on(CreateStreamSessionConnectionCommand).callsFake(async ({ StreamSessionIdentifier: id }) => {
    await clock.sleep(100);
    switch (statuses.get(id)) {
      case undefined:
        throw serviceErrors.resourceNotFound();
      case 'CONNECTED':
        throw serviceErrors.conflict();
      case 'PENDING_CLIENT_RECONNECTION':
        statuses.set(id, 'CONNECTED');
        return { SignalResponse: 'answer' };
    }
  });
  service.on(GetStreamSessionCommand).callsFake(async ({ StreamSessionIdentifier: id }) => {
    await clock.sleep(50);
    const Status = statuses.get(id);
    if (Status === undefined) throw serviceErrors.resourceNotFound();
    return { Status, UserId: USER_ID };
  });
  service.on(ListStreamSessionsCommand).callsFake(async ({ Identifier, Status, NextToken = '0' }) => {
    await clock.sleep(100);
    if (Identifier !== STREAM_GROUP) throw serviceErrors.resourceNotFound();
    const waiting = [...statuses].filter(([, status]) => status === Status);
    const from = Number(NextToken);
    return {
      Items: waiting.slice(from, from + 100).map(([id]) => ({
        Arn: `arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/${Identifier}/${id}`,
      })),
      ...(waiting.length > from + 100 ? { NextToken: String(from + 100) } : {}),
    };
  });
  const dependencies = {
    table,
    clock,
    random,
    log: memoryLog(),
    metrics: memoryMetrics(),
    gameLiftStreams: new GameLiftStreamsClient({ region: 'us-west-2' }),
    settings: {
      CONNECTIONS_PER_SECOND: 20,
      READS_PER_SECOND: 20,
      LISTS_PER_SECOND: 20,
      DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
    },
  };
  /** One request: its result, or how long to stay away. */
  async function ask(session: SessionKey, clientToken: string): Promise<string | number> {
    if (checksUser) {
      const refusal = await refuseStranger(session, USER_ID, dependencies).catch(() => BUSY);
      const retryAfter = refusal?.reply.headers?.['retry-after'];
      if (refusal !== undefined) return retryAfter === undefined ? refusal.result : Number(retryAfter);
    }
    const turn = await awaitTurn(session, clientToken, dependencies);
    if ('retryAfterSeconds' in turn) return turn.retryAfterSeconds;
    if (turn.kind !== 'NOW') return turn.kind;
    const deadlineMs = clock.nowMs() + 20 * SECOND;
    const input = { ...session, executionName: 'execution', signalRequest: 'offer', retryCount: 0 };
    return createConnection({ ...input, clientToken, deadlineMs }, dependencies).then(
      ({ result }) => (result === 'LOSS_NOT_NOTICED' ? 4 : result),
      () => 2,
    );
  }
  /** Also where nothing is due. */
  async function advance(ms: number): Promise<void> {
    const slept = clock.sleep(ms);
    await clock.run(clock.nowMs() + ms);
    await slept;
  }
  return {
    clock,
    table,
    advance,
    ask,
    /** Comes back when told to, until there is a result; in seconds from the first request. */
    async persist(session: SessionKey): Promise<{ result: string; afterSeconds: number }> {
      const startMs = clock.nowMs();
      for (;;) {
        const result = await ask(session, session.streamSessionId.padEnd(40, '0'));
        if (typeof result === 'string') return { result, afterSeconds: (clock.nowMs() - startMs) / SECOND };
        await clock.sleep(result * SECOND);
      }
    },
    realSession(
      status: 'PENDING_CLIENT_RECONNECTION' | 'CONNECTED' = 'PENDING_CLIENT_RECONNECTION',
    ): SessionKey {
      const session = newSession();
      statuses.set(session.streamSessionId, status);
      return session;
    },
    /** The keys of the lists of waiting sessions. */
    async waitingItems(): Promise<unknown[]> {
      const scan = allItems(table);
      await advance(100);
      return (await scan)
        .filter(({ sk }) => sk === 'waiting')
        .map(({ pk }) => pk)
        .sort();
    },
    saved: () => [...statuses.values()].filter((status) => status === 'CONNECTED').length,
    drop: (session: SessionKey, connectionTimeoutSeconds: number) =>
      givenOpenWindow(table, session, { disconnectedAtMs: clock.nowMs(), connectionTimeoutSeconds }),
  };
}

/** Session ids of the right form, which nobody has reported. */
const MADE_UP = () => newSession();
const STREAM_GROUP = newSession().streamGroupId;
let groups = 0;
/** The same, each in a stream group that the service does not have. */
const IN_MADE_UP_GROUP = () => ({ ...newSession(), streamGroupId: `sg-madeup${++groups}` });

const SAVED_SOON = { result: 'CONNECTION_CREATED', afterSeconds: expect.toSatisfy((s) => s <= 2) };

/** How a player fares within three seconds who asks as soon as the loss is reported. */
async function endOf(
  session: SessionKey,
  reported: Promise<unknown>,
  { advance, persist }: ReturnType<typeof simulate>,
): Promise<unknown> {
  await advance(100);
  await reported;
  const player = persist(session);
  await advance(3 * SECOND);
  return Promise.race([player, 'still waiting']);
}

describe('a player whose disconnect nobody has reported', () => {
  it.each([
    { attack: 'made-up ids', perSecond: 100 },
    { attack: 'made-up ids', perSecond: 100, checksUser: true },
    { attack: 'ids of connected sessions', perSecond: 40 },
    { attack: 'forged windows', perSecond: 40 },
  ])(
    'waits two seconds at most during and after $perSecond $attack a second, user check $checksUser',
    async ({ attack, perSecond, checksUser = false }) => {
      const attackSeconds = 20;
      const simulation = simulate({ checksUser });
      const { clock, advance, persist, realSession, drop } = simulation;
      const attacker = async () => {
        const session = attack === 'ids of connected sessions' ? realSession('CONNECTED') : MADE_UP();
        if (attack === 'forged windows') await drop(session, 5);
        await persist(session);
      };
      for (let index = 0; index < attackSeconds * perSecond; index++) {
        clock.setTimer((index * SECOND) / perSecond, () => void attacker());
      }

      const waits: unknown[] = [];
      for (const atSecond of [attackSeconds - 10, attackSeconds - 5, attackSeconds]) {
        clock.setTimer(atSecond * SECOND, () => void persist(realSession()).then((end) => waits.push(end)));
      }
      await advance((attackSeconds + 5) * SECOND);

      expect(waits).toHaveLength(3);
      for (const wait of waits) {
        expect(wait).toEqual(SAVED_SOON);
      }
    },
  );
});

describe('forty made-up sessions a second, each coming back as told', () => {
  it('cost a player at most two seconds, whether the window has 10 s, 30 s or 120 s', async () => {
    const simulation = simulate();
    const { clock, advance, persist, realSession, drop } = simulation;
    for (let index = 0; index < 50 * 40; index++) {
      clock.setTimer(index * 25, () => void persist(newSession()));
    }
    await advance(30 * SECOND);

    for (const seconds of [10, 30, 120]) {
      const session = realSession();
      expect(await endOf(session, drop(session, seconds), simulation)).toEqual(SAVED_SOON);
    }
  });
});

describe('forty sessions a second, each in another made-up stream group', () => {
  it.each([{ checksUser: false }, { checksUser: true }])(
    'cost a player of a known group two seconds at most, and two lists a second, user check $checksUser',
    async ({ checksUser }) => {
      const { clock, table, advance, persist, realSession, waitingItems } = simulate({ checksUser });
      await Promise.all([rememberGroup(table, STREAM_GROUP, clock.nowMs()), advance(100)]);
      for (let index = 0; index < 16 * 40; index++) {
        clock.setTimer(index * 25, () => void persist(IN_MADE_UP_GROUP()));
      }

      const waits: unknown[] = [];
      for (const atSecond of [8, 12, 16]) {
        clock.setTimer(atSecond * SECOND, () => void persist(realSession()).then((end) => waits.push(end)));
      }
      await advance(20 * SECOND);

      expect(waits).toHaveLength(3);
      for (const wait of waits) {
        expect(wait).toEqual(SAVED_SOON);
      }
      const lists = service
        .commandCalls(ListStreamSessionsCommand)
        .map(({ args }) => args[0].input.Identifier);
      expect(lists.filter((group) => group !== STREAM_GROUP).length).toBeLessThanOrEqual(2 * 20);
      // That of the group, and the one that all unknown groups share.
      expect(await waitingItems()).toEqual([`waiting#`, `waiting#${STREAM_GROUP}`]);
    },
  );
});

describe('a storm of more sessions than a list holds', () => {
  it('lets a session whose window the service confirmed go before forged windows', async () => {
    const simulation = simulate();
    const { clock, table, advance, ask, realSession, drop } = simulation;
    for (let index = 0; index < 700; index++) realSession();
    await Promise.all([rememberGroup(table, STREAM_GROUP, clock.nowMs(), 700), advance(100)]);
    const forge = async () => {
      const session = MADE_UP();
      await drop(session, 110);
      await ask(session, 'token'.padEnd(40, '0'));
    };
    for (let index = 0; index < 1500; index++) clock.setTimer(index * 5, () => void forge());
    await advance(8 * SECOND);
    const session = realSession();
    const reported = drop(session, 120).then(() => seen(table, session, clock.nowMs()));

    expect(await endOf(session, reported, simulation)).toEqual(SAVED_SOON);
  });
});

/** The watcher has seen the service wait for the session's client. */
async function seen(table: Table, session: SessionKey, nowMs: number): Promise<void> {
  await updateWindow(table, session, {
    UpdateExpression: 'SET seenWaitingAtMs = :now',
    ExpressionAttributeValues: { ':now': nowMs },
  });
}

describe('a storm of sessions that nobody has reported', () => {
  it('uses the whole quota', async () => {
    const { clock, advance, persist, realSession, saved } = simulate();
    for (let index = 0; index < 1000; index++) {
      const session = realSession();
      clock.setTimer(index / 4, () => void persist(session));
    }

    await advance(40 * SECOND);

    expect(saved()).toBeGreaterThanOrEqual(40 * 20 * 0.98);
    expect(service.commandCalls(CreateStreamSessionConnectionCommand).length).toBeLessThanOrEqual(
      saved() + 5,
    );
    expect(service.commandCalls(ListStreamSessionsCommand).length / 40).toBeLessThanOrEqual(2);
  });
});

describe('a session without a window', () => {
  it('is answered at once at a quiet time', async () => {
    const { advance, persist, realSession } = simulate();

    const player = persist(realSession());
    await advance(SECOND);

    expect((await player).result).toBe('CONNECTION_CREATED');
    expect((await player).afterSeconds).toBeLessThan(0.2);
  });

  it('goes before the others as soon as its window is open, while the service lists nothing', async () => {
    const { clock, advance, ask, persist, realSession, drop } = simulate();
    service.on(ListStreamSessionsCommand).rejects(serviceErrors.throttling());
    for (let index = 0; index < 400; index++) clock.setTimer(index, () => void persist(newSession()));
    await advance(SECOND);
    const session = realSession();
    const token = 'token'.padEnd(40, '0');
    const first = ask(session, token);
    await advance(2 * SECOND);
    expect(await first).toBeGreaterThan(0);

    const dropped = drop(session, 120);
    await advance(100);
    await dropped;
    const second = ask(session, token);
    await advance(2 * SECOND);

    expect(await second).toBe('CONNECTION_CREATED');
  });
});

describe('a session that the service does not know', () => {
  it('is not found again for five seconds, without a call, a place or a permit', async () => {
    const { table, advance, ask } = simulate();
    const session = newSession();
    const inTime = async (token: string) => {
      const asked = ask(session, token.padEnd(40, '0'));
      await advance(SECOND);
      return asked;
    };
    expect(await inTime('first')).toBe('NOT_FOUND');
    const place = await readPlaceInTime();

    expect(await inTime('first')).toBe('NOT_FOUND');
    expect(await inTime('second')).toBe('NOT_FOUND');
    expect(service.calls()).toHaveLength(1);
    expect(await readPlaceInTime()).toEqual(place);

    await advance(5 * SECOND);
    await inTime('third');
    expect(service.calls()).toHaveLength(2);

    async function readPlaceInTime() {
      const read = readPlace(table, session);
      await advance(10);
      return read;
    }
  });

  it('is asked for all the same once it has an open window', async () => {
    const { advance, ask, drop } = simulate();
    const session = newSession();
    const inTime = async <Result>(work: Promise<Result>) => {
      await advance(SECOND);
      return work;
    };
    await inTime(ask(session, 'first'.padEnd(40, '0')));
    await inTime(drop(session, 120));

    await inTime(ask(session, 'second'.padEnd(40, '0')));

    expect(service.calls()).toHaveLength(2);
  });
});
