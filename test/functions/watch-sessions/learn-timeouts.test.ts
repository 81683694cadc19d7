import { GameLiftStreamsClient, GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionKey } from '../../../functions/shared/contracts/index.ts';
import { LOW_PRIORITY_SHARE } from '../../../functions/shared/quota/permits.ts';
import { learnTimeouts, noTimeouts } from '../../../functions/watch-sessions/learn-timeouts.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import { watchReads } from '../../helpers/watch-reads.ts';
import { givenRunningWindow, WINDOW_SETTINGS, windowOf } from '../../helpers/windows.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const sfn = mockClient(SFNClient);
const READS_PER_SECOND = 20;

beforeEach(() => {
  service.reset();
  service.on(GetStreamSessionCommand).resolves({ Status: 'PENDING_CLIENT_RECONNECTION' });
  sfn.reset();
  sfn.on(SendTaskSuccessCommand).resolves({});
});

async function prepare() {
  const dependencies = serviceDependencies(table());
  const { clock } = dependencies;
  const timeouts = noTimeouts();
  const learn = async (
    sessions: readonly SessionKey[],
    { isPending = true, untilMs = clock.nowMs() + 4_000 } = {},
  ) => {
    const lookedAt = await Promise.all(
      sessions.map(async (session) => ({
        window: { ...(await windowOf(table(), session)), session },
        isPending,
      })),
    );
    const learning = clock.track(() =>
      learnTimeouts(lookedAt, timeouts, untilMs, {
        ...dependencies,
        stepFunctions: new SFNClient({ region: 'us-west-2' }),
        settings: { ...WINDOW_SETTINGS, READS_PER_SECOND },
      }),
    );
    await clock.advance(5_000);
    await learning;
  };
  const dropped = async (disconnect: { connectionTimeoutSeconds?: number; agoMs?: number } = {}) => {
    const session = newSession();
    const { agoMs = 4_000, ...told } = disconnect;
    await givenRunningWindow(table(), session, { ...told, disconnectedAtMs: clock.nowMs() - agoMs });
    return session;
  };
  return { ...dependencies, learn, dropped, droppedAtMs: clock.nowMs() - 4_000 };
}

const readIds = () =>
  service.commandCalls(GetStreamSessionCommand).map(({ args: [{ input }] }) => input.StreamSessionIdentifier);

describe('a window that was opened with the default timeout', () => {
  it('has the deadline of its session after one low-priority read', async () => {
    const { learn, dropped, droppedAtMs } = await prepare();
    const session = await dropped();
    service.on(GetStreamSessionCommand).resolves({ ConnectionTimeoutSeconds: 60 });

    await learn([session]);

    expect(await windowOf(table(), session)).toMatchObject({
      deadlineMs: droppedAtMs + 60_000,
      connectionTimeoutSeconds: 60,
      isDefaultTimeout: false,
      correction: { deadlineMs: droppedAtMs + 60_000, connectionTimeoutSeconds: 60 },
    });
    expect(sfn.commandCalls(SendTaskSuccessCommand)).toHaveLength(1);
    await learn([session]);
    expect(readIds()).toEqual([session.streamSessionId]);
  });

  it('has a later deadline where the session has a longer timeout', async () => {
    const { learn, dropped, droppedAtMs } = await prepare();
    const session = await dropped();
    service.on(GetStreamSessionCommand).resolves({ ConnectionTimeoutSeconds: 600 });

    await learn([session]);

    expect((await windowOf(table(), session)).deadlineMs).toBe(droppedAtMs + 600_000);
  });

  it.each([120, 121])('is left alone, and asked for no more, where it is %i s', async (seconds) => {
    const { learn, dropped } = await prepare();
    const session = await dropped();
    const { deadlineMs, seq } = await windowOf(table(), session);
    service.on(GetStreamSessionCommand).resolves({ ConnectionTimeoutSeconds: seconds });

    await learn([session]);

    expect(await windowOf(table(), session)).toMatchObject({
      deadlineMs,
      seq,
      connectionTimeoutSeconds: seconds,
      isDefaultTimeout: false,
    });
    expect(sfn.calls()).toEqual([]);
  });
});

describe('nothing is asked of the service', () => {
  it('for a window whose timeout was told, and its item is read once', async () => {
    const { learn, dropped } = await prepare();
    const [other, same] = [
      await dropped({ connectionTimeoutSeconds: 60 }),
      await dropped({ connectionTimeoutSeconds: 120 }),
    ];

    await learn([other, same]);
    const reads = watchReads(table());
    await learn([other, same]);

    // The test itself reads both.
    expect(reads.filter(({ sk }) => sk === 'window')).toHaveLength(2);
    expect(readIds()).toEqual([]);
  });

  it('for a session that is not listed as PENDING', async () => {
    const { learn, dropped } = await prepare();

    await learn([await dropped()], { isPending: false });

    expect(readIds()).toEqual([]);
  });

  it('when it is time for the next look', async () => {
    const { learn, dropped, clock } = await prepare();

    await learn([await dropped()], { untilMs: clock.nowMs() });

    expect(readIds()).toEqual([]);
  });

  it.each([
    ['everybody', READS_PER_SECOND, ''],
    ['the checks of others', READS_PER_SECOND * LOW_PRIORITY_SHARE, '#low'],
  ] as const)('while the reads are needed by %s', async (_title, perSecond, lane) => {
    const { learn, dropped, clock } = await prepare();
    const session = await dropped();
    // A permit is free, but it has not been for long.
    await bookPermits(table(), { operation: 'GetStreamSession', perSecond }, clock.nowMs() - 200, lane);

    await learn([session]);

    expect(readIds()).toEqual([]);
    await learn([session]);
    expect(readIds()).toEqual([session.streamSessionId]);
  });

  it('after a read that failed, until the next watcher', async () => {
    const { learn, dropped, log } = await prepare();
    const sessions = [await dropped(), await dropped()];
    service.on(GetStreamSessionCommand).rejects(serviceErrors.internalServer());

    await learn(sessions);
    await learn(sessions);

    expect(readIds()).toHaveLength(1);
    expect(log.lines).toMatchObject([{ event: 'TimeoutNotLearned' }]);
  });
});

describe('many windows at once', () => {
  it('are asked for at the pace of low priority, the latest disconnects first', async () => {
    const { learn, dropped, clock } = await prepare();
    const sessions: SessionKey[] = [];
    for (let seconds = 30; seconds > 0; seconds--) sessions.push(await dropped({ agoMs: seconds * 1_000 }));

    await learn(sessions, { untilMs: clock.nowMs() + 1_000 });

    const latest = sessions.toReversed().map(({ streamSessionId }) => streamSessionId);
    expect(readIds()).toEqual(latest.slice(0, READS_PER_SECOND * LOW_PRIORITY_SHARE));
  });

  it('are asked for no more as soon as somebody else asks', async () => {
    const { learn, dropped, clock } = await prepare();
    const sessions: SessionKey[] = [];
    for (let count = 0; count < 30; count++) sessions.push(await dropped());
    clock.setTimer(500, () => {
      const low = {
        operation: 'GetStreamSession',
        perSecond: READS_PER_SECOND * LOW_PRIORITY_SHARE,
      } as const;
      void clock.track(() => bookPermits(table(), low, clock.nowMs() + 1_000, '#low'));
    });

    await learn(sessions);

    expect(readIds().length).toBeGreaterThan(5);
    expect(readIds().length).toBeLessThan(10);
  });
});
