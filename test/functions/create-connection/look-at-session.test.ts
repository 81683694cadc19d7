import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  type StreamSessionStatus,
} from '@aws-sdk/client-gameliftstreams';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CreateConnectionInput,
  createConnection,
} from '../../../functions/create-connection/create-connection.ts';
import {
  offerIdOf,
  type Place,
  readPlace,
  writeLossRefusal,
  writePlace,
} from '../../../functions/shared/quota/places.ts';
import { LOSS_NOTICE_MS } from '../../../functions/shared/window/deadline.ts';
import { openWindow } from '../../../functions/shared/window/open-window.ts';
import { updateWindow } from '../../../functions/shared/window/window-item.ts';
import { offerOf } from '../../../local/simulation/offers.ts';
import { failNext } from '../../helpers/failing-table.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const CLIENT_TOKEN = 'client-token-0123456789abcdef0123';
const OFFER = offerIdOf(CLIENT_TOKEN);
const WINDOW_SETTINGS = {
  DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
  WINDOW_MARGIN_SECONDS: 2,
  TERMINATE_ABANDONED_SESSIONS: false,
};
const HOLD = { result: 'LOSS_NOT_NOTICED', canWait: true };

beforeEach(() => {
  service.reset();
  isConnected();
});

/** What the service answers while it has not noticed the loss. */
function isConnected() {
  service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors.conflict());
  service.on(GetStreamSessionCommand).resolves({ Status: 'CONNECTED' });
}

/** What it answers when the session waits for a client. */
function waits(status: StreamSessionStatus = 'PENDING_CLIENT_RECONNECTION') {
  service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: 'answer' });
  service.on(GetStreamSessionCommand).resolves({ Status: status });
}

const calls = () => service.commandCalls(CreateStreamSessionConnectionCommand).length;
const reads = () => service.commandCalls(GetStreamSessionCommand).length;

/** A session whose player has just asked for the first time, and whose turn has come. */
async function prepare({ readsPerSecond = 20 } = {}) {
  const dependencies = {
    ...serviceDependencies(table()),
    settings: { CONNECTIONS_PER_SECOND: 20, READS_PER_SECOND: readsPerSecond },
  };
  const { clock, metrics } = dependencies;
  const session = newSession();
  const startMs = clock.nowMs();
  const place = () => readPlace(table(), session);
  /** Stands in line with an offer, as request-connection writes it. */
  const stand = async (overrides: Partial<Place> = {}) => {
    const seen = await place();
    await writePlace(table(), session, seen, {
      knownOffers: new Set([...(seen?.knownOffers ?? []), OFFER]),
      latestOffer: OFFER,
      askedAtMs: clock.nowMs(),
      deadlineMs: clock.nowMs() + 120_000,
      ...overrides,
    });
  };
  await stand();
  return {
    ...dependencies,
    session,
    startMs,
    place,
    stand,
    losses: () => metrics.values.filter(({ name }) => name === 'LossesNotNoticed').length,
    create: (overrides: Partial<CreateConnectionInput> = {}) =>
      clock.track(() =>
        createConnection(
          {
            ...session,
            executionName: `${session.streamSessionId}-request`,
            signalRequest: offerOf('player'),
            clientToken: CLIENT_TOKEN,
            deadlineMs: clock.nowMs() + 20_000,
            retryCount: 0,
            ...overrides,
          },
          dependencies,
        ),
      ),
  };
}

describe('a request for a session that is CONNECTED', () => {
  it.each(['conflict', 'validation'] as const)(
    'may have come before the service has noticed the loss: %s',
    async (refusal) => {
      const { create, place, startMs, losses } = await prepare();
      service.on(CreateStreamSessionConnectionCommand).rejects(serviceErrors[refusal]());

      expect(await create()).toEqual(HOLD);

      expect(await place()).toMatchObject({ firstAskedAtMs: startMs, lastRefusedAtMs: startMs });
      expect(losses()).toBe(1);
    },
  );

  it('is told that somebody is connected a minute after the first one', async () => {
    const { create, clock, losses } = await prepare();
    await create();

    await clock.advance(LOSS_NOTICE_MS / 2);
    expect(await create()).toEqual(HOLD);
    await clock.advance(LOSS_NOTICE_MS / 2 - 1);
    expect(await create()).toEqual(HOLD);
    await clock.advance(1);

    expect(await create()).toEqual({ result: 'ALREADY_CONNECTED' });
    expect(await create()).toEqual({ result: 'ALREADY_CONNECTED' });
    expect(losses()).toBe(1);
  });

  it('is told so at once when it has stood in line for a minute', async () => {
    const { create, stand, clock } = await prepare();
    await stand({ askedAtMs: clock.nowMs() - LOSS_NOTICE_MS });

    expect(await create()).toEqual({ result: 'ALREADY_CONNECTED' });
  });

  it('costs one call, however often it comes back: the others look first', async () => {
    const { create, clock } = await prepare();

    for (let asked = 0; asked < 5; asked++) {
      await create();
      await clock.advance(11_000);
    }

    expect(calls()).toBe(1);
    expect(reads()).toBe(5);
  });

  it('is not told that there is no session by a look: the call decides', async () => {
    const { create, clock } = await prepare();
    await create();
    service.on(GetStreamSessionCommand).rejects(serviceErrors.resourceNotFound());
    service.on(CreateStreamSessionConnectionCommand).resolves({ SignalResponse: 'answer' });
    await clock.advance(1000);

    expect(await create({ look: 'AFTER_WAIT' })).toEqual({ result: 'CALL_NOW' });
    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });
  });

  it('brings no new minute with a new offer', async () => {
    const { create, stand, clock } = await prepare();
    await create();
    await clock.advance(LOSS_NOTICE_MS);
    await stand({ latestOffer: offerIdOf('another-token'.padEnd(32, '0')) });

    expect(await create({ clientToken: 'another-token'.padEnd(32, '0') })).toEqual({
      result: 'ALREADY_CONNECTED',
    });
  });

  it('is about another loss when nobody has asked for more than a minute', async () => {
    const { create, clock, losses } = await prepare();
    await create();
    await clock.advance(LOSS_NOTICE_MS + 1);

    expect(await create()).toEqual(HOLD);
    expect(await create()).toEqual(HOLD);

    expect(losses()).toBe(2);
  });

  it.each([
    ['both times', 3_600_000, 3_600_000],
    ['the first request', 3_600_000, 0],
  ])('learns it after a minute, too, when a clock an hour ahead has written %s', async (_, first, last) => {
    const { create, clock, session, startMs } = await prepare();
    await writeLossRefusal(table(), session, {
      firstAskedAtMs: startMs + first,
      lastRefusedAtMs: startMs + last,
    });

    expect(await create()).toEqual(HOLD);
    await clock.advance(LOSS_NOTICE_MS / 2);
    expect(await create()).toEqual(HOLD);
    await clock.advance(LOSS_NOTICE_MS / 2);

    expect(await create()).toEqual({ result: 'ALREADY_CONNECTED' });
  });

  it('is held without its note in the table, too', async () => {
    const { create, log, place } = await prepare();
    service.on(GetStreamSessionCommand).callsFake(async () => {
      failNext(table(), 'UpdateItemCommand', 'BEFORE');
      return { Status: 'CONNECTED' };
    });

    expect(await create()).toEqual(HOLD);

    expect(await place()).not.toHaveProperty('firstAskedAtMs');
    expect(log.lines.map(({ event }) => event)).toContain('LossNotNoted');
  });
});

describe('a request that comes back after an early refusal', () => {
  /** The window of the loss, with what the watcher's list has told of it. */
  const openedWindow = async (
    { session, clock, startMs }: Awaited<ReturnType<typeof prepare>>,
    seenWaitingAtMs: number | undefined,
  ) => {
    const disconnect = {
      disconnectedAtMs: startMs,
      connectionTimeoutSeconds: 120,
      sessionEndsAtMs: undefined,
    };
    await openWindow(table(), session, disconnect, WINDOW_SETTINGS, async () => true);
    if (seenWaitingAtMs === undefined) return;
    await updateWindow(table(), session, {
      UpdateExpression: 'SET seenWaitingAtMs = :seen',
      ExpressionAttributeValues: { ':seen': seenWaitingAtMs },
    });
    await clock.advance(5000);
  };
  const noReadToSpare = ({ clock }: Awaited<ReturnType<typeof prepare>>) =>
    bookPermits(table(), { operation: 'GetStreamSession', perSecond: 20 }, clock.nowMs() + 500);

  it('calls without a read when the window has seen the service wait since', async () => {
    const world = await prepare();
    await world.create();
    await openedWindow(world, world.startMs + 4000);
    await noReadToSpare(world);
    waits();

    expect(await world.create()).toMatchObject({ result: 'CONNECTION_CREATED' });

    expect(reads()).toBe(1);
  });

  it('calls without a read after a wait, too', async () => {
    const world = await prepare();
    await world.create();
    await openedWindow(world, world.startMs + 4000);
    await noReadToSpare(world);

    expect(await world.create({ look: 'AFTER_WAIT' })).toEqual({ result: 'CALL_NOW' });
  });

  it.each([
    ['before the refusal', -1000],
    ['at a time that is still to come', 3_600_000],
    ['never', undefined],
  ])('looks first when the window has seen the service wait %s', async (_, offsetMs) => {
    const world = await prepare();
    await world.create();
    await openedWindow(world, offsetMs === undefined ? undefined : world.startMs + offsetMs);

    expect(await world.create()).toEqual(HOLD);

    expect([calls(), reads()]).toEqual([1, 2]);
  });

  it('looks first when the window is closed', async () => {
    const world = await prepare();
    await world.create();
    await openedWindow(world, world.startMs + 4000);
    await updateWindow(table(), world.session, {
      UpdateExpression: 'SET phase = :closed',
      ExpressionAttributeValues: { ':closed': 'CLOSED' },
    });

    expect(await world.create()).toEqual(HOLD);

    expect([calls(), reads()]).toEqual([1, 2]);
  });

  it('makes one such call, when somebody is connected again by then', async () => {
    const world = await prepare();
    await world.create();
    await openedWindow(world, world.startMs + 4000);

    for (let asked = 0; asked < 3; asked++) expect(await world.create()).toEqual(HOLD);

    expect(calls()).toBe(2);
  });
});

describe("a request past its window's deadline", () => {
  const noReadToSpare = ({ clock }: Awaited<ReturnType<typeof prepare>>) =>
    bookPermits(table(), { operation: 'GetStreamSession', perSecond: 20 }, clock.nowMs() + 500);
  const preparePast = async (pastMs: number) => {
    const world = await prepare();
    await world.stand({ windowEndedAtMs: world.startMs - pastMs });
    return world;
  };

  it('makes no call for a session that has ended', async () => {
    const { create } = await preparePast(12);
    service
      .on(GetStreamSessionCommand)
      .resolves({ Status: 'TERMINATED', StatusReason: 'reconnectionTimeout' });

    expect(await create()).toMatchObject({ result: 'SESSION_ENDED', outcome: 'TERMINATED' });

    expect([calls(), reads()]).toEqual([0, 1]);
  });

  it.each(['PENDING_CLIENT_RECONNECTION', 'ACTIVE'] as const)(
    'calls when the service keeps the session in %s, because it noticed the loss late',
    async (status) => {
      const { create } = await preparePast(12);
      waits(status);

      expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });

      expect([calls(), reads()]).toEqual([1, 1]);
    },
  );

  it('is asked to come back while no read is to spare', async () => {
    const world = await preparePast(12);
    await noReadToSpare(world);

    expect(await world.create()).toEqual({ result: 'LOSS_NOT_NOTICED', canWait: false });

    expect([calls(), reads()]).toEqual([0, 0]);
  });

  it('calls without a look a minute after it, while no read is to spare', async () => {
    const world = await preparePast(LOSS_NOTICE_MS);
    await noReadToSpare(world);
    waits();

    expect(await world.create()).toMatchObject({ result: 'CONNECTION_CREATED' });
  });

  it('calls when the look fails', async () => {
    const { create } = await preparePast(12);
    waits();
    service.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());

    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });
  });

  it('looks once, however often its call is repeated', async () => {
    const { create } = await preparePast(12);
    waits();
    await create();

    await create({ retryCount: 1 });

    expect([calls(), reads()]).toEqual([2, 1]);
  });
});

describe('an answer', () => {
  it('ends the minute: a later loss has its own', async () => {
    const { create, place, clock } = await prepare();
    await create();
    await clock.advance(5000);
    waits();

    expect(await create()).toMatchObject({ result: 'CONNECTION_CREATED' });

    expect(calls()).toBe(2);
    const { firstAskedAtMs, lastRefusedAtMs } = (await place()) ?? {};
    expect([firstAskedAtMs, lastRefusedAtMs]).toEqual([undefined, undefined]);
  });

  it('costs no read and no further write when nothing was refused before', async () => {
    const { create } = await prepare();
    waits();

    await create();

    expect(reads()).toBe(0);
  });

  it('is not withheld when the table fails after it', async () => {
    const { create, log } = await prepare();
    await create();
    service.on(CreateStreamSessionConnectionCommand).callsFake(async () => {
      failNext(table(), 'UpdateItemCommand', 'BEFORE');
      return { SignalResponse: 'answer' };
    });

    expect(await create({ sessionWaits: true })).toMatchObject({ result: 'CONNECTION_CREATED' });
    expect(log.lines.map(({ event }) => event)).toContain('LossNotNoted');
  });
});

describe('a look after a wait', () => {
  it.each(['PENDING_CLIENT_RECONNECTION', 'ACTIVE'] as const)(
    'says that the call can be made, and makes none: %s',
    async (status) => {
      const { create } = await prepare();
      waits(status);

      expect(await create({ look: 'AFTER_WAIT' })).toEqual({ result: 'CALL_NOW' });
      expect(calls()).toBe(0);
    },
  );

  it('is followed by a call without another look', async () => {
    const { create } = await prepare();
    await create();
    waits();

    await create({ sessionWaits: true });

    expect([calls(), reads()]).toEqual([2, 1]);
  });

  it('goes on while another offer is on its way', async () => {
    const { create } = await prepare();
    waits('RECONNECTING');

    expect(await create({ look: 'AFTER_WAIT' })).toEqual(HOLD);
  });

  it.each([
    ['TERMINATED', { result: 'SESSION_ENDED', outcome: 'TERMINATED', statusReason: null, cause: 'UNKNOWN' }],
    ['ERROR', { result: 'SESSION_ENDED', outcome: 'ERRORED', statusReason: null, cause: 'SERVICE' }],
    ['ACTIVATING', { result: 'NOT_RECONNECTABLE', status: 'ACTIVATING' }],
  ] as const)('says how the session has ended: %s', async (status, expected) => {
    const { create } = await prepare();
    waits(status);

    expect(await create({ look: 'AFTER_WAIT' })).toEqual(expected);
  });

  it('ends when a newer offer has the place', async () => {
    const { create, stand } = await prepare();
    await stand({ latestOffer: offerIdOf('a newer offer') });

    expect(await create({ look: 'AFTER_WAIT' })).toEqual({ result: 'SUPERSEDED' });
    expect(reads()).toBe(0);
  });

  it('takes no read that anybody else could want, and counts none as refused', async () => {
    const { create, clock, metrics } = await prepare();
    await bookPermits(table(), { operation: 'GetStreamSession', perSecond: 20 }, clock.nowMs() + 500);

    expect(await create({ look: 'AFTER_WAIT' })).toEqual({ ...HOLD, canWait: false });

    expect(reads()).toBe(0);
    expect(metrics.values.filter(({ name }) => name === 'PermitsRefused')).toEqual([]);
  });

  it('ends the hold when the service throttles reads', async () => {
    const { create } = await prepare();
    service.on(GetStreamSessionCommand).rejects(serviceErrors.throttling());

    expect(await create({ look: 'AFTER_WAIT' })).toEqual({ ...HOLD, canWait: false });
  });

  it('is repeated when the service fails', async () => {
    const { create } = await prepare();
    service.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());

    await expect(create({ look: 'AFTER_WAIT' })).rejects.toMatchObject({ name: 'InternalServerException' });
  });
});

describe('a refusal whose explanation fails', () => {
  it.each(['throttling', 'internalServer', 'connectionReset'] as const)(
    'is explained by another read, and not by another call: %s',
    async (error) => {
      const { create, clock } = await prepare();
      service
        .on(GetStreamSessionCommand)
        .rejectsOnce(serviceErrors[error]())
        .resolves({ Status: 'TERMINATED' });

      expect(await create()).toEqual({ result: 'REFUSED', fault: 'CONFLICT' });
      await clock.advance(1000);

      expect(await create({ look: 'CONFLICT' })).toMatchObject({ result: 'SESSION_ENDED' });
      expect(calls()).toBe(1);
    },
  );
});
