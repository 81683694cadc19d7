import {
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  type GetStreamSessionCommandOutput,
  TerminateStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  isEnding,
  markServed,
  noteLeaving,
  offerIdOf,
  offersWith,
  readPlace,
  writePlace,
} from '../../../functions/shared/quota/places.ts';
import type { SwitchState } from '../../../functions/shared/runtime/switch.ts';
import { readEndMark } from '../../../functions/shared/window/end-mark.ts';
import {
  type TerminateSessionInput,
  terminateSession,
} from '../../../functions/terminate-session/terminate-session.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const TIMEOUT_SECONDS = 120;
const MARGIN_SECONDS = 2;
const QUOTA = { operation: 'TerminateStreamSession', perSecond: 20 } as const;

beforeEach(() => {
  service.reset();
});

/** The clock stands at the moment from which the session is overdue, the margin included. */
function prepare(switchState: SwitchState = 'on') {
  const dependencies = {
    ...serviceDependencies(table()),
    readSwitch: async () => switchState,
    settings: { READS_PER_SECOND: 20, TERMINATIONS_PER_SECOND: 20 },
  };
  const session = newSession();
  const { clock } = dependencies;
  const lostAtMs = clock.nowMs() - (TIMEOUT_SECONDS + MARGIN_SECONDS) * 1000;
  const read = (overrides: Partial<GetStreamSessionCommandOutput> = {}) =>
    service.on(GetStreamSessionCommand).resolves({
      Status: 'PENDING_CLIENT_RECONNECTION',
      LastUpdatedAt: new Date(lostAtMs),
      ConnectionTimeoutSeconds: TIMEOUT_SECONDS,
      ...overrides,
    });
  read();
  service.on(TerminateStreamSessionCommand).resolves({});
  const terminate = (overrides: Partial<TerminateSessionInput> = {}) =>
    clock.track(() =>
      terminateSession(
        {
          ...session,
          executionName: `${session.streamSessionId}-1`,
          pendingSinceMs: lostAtMs,
          marginSeconds: MARGIN_SECONDS,
          ...overrides,
        },
        dependencies,
      ),
    );
  return { ...dependencies, dependencies, session, lostAtMs, read, terminate };
}

const terminations = () => service.commandCalls(TerminateStreamSessionCommand);

describe('an abandoned session', () => {
  it('is read and then terminated, by one call each, and the reply goes nowhere', async () => {
    const { terminate, session, log, metrics } = prepare();

    expect(await terminate()).toBeUndefined();

    const ids = { Identifier: session.streamGroupId, StreamSessionIdentifier: session.streamSessionId };
    expect(service.calls().map(({ args: [command] }) => command.constructor.name)).toEqual([
      'GetStreamSessionCommand',
      'TerminateStreamSessionCommand',
    ]);
    expect(terminations().map(({ args: [{ input }] }) => input)).toEqual([ids]);
    expect(log.lines).toEqual([{ event: 'SessionTerminated', fields: {} }]);
    expect(metrics.values).toContainEqual({ name: 'AbandonedSessionsEnded', value: 1 });
  });

  it.each(['resourceNotFound', 'validation', 'conflict'] as const)(
    'that is gone or has moved on since the read is no failure: %s',
    async (error) => {
      const { terminate, log } = prepare();
      service.on(TerminateStreamSessionCommand).rejects(serviceErrors[error]());

      expect(await terminate()).toBeUndefined();

      expect(log.lines).toEqual([]);
    },
  );

  it.each([
    ['throttling', 'ThrottlingException'],
    ['throttlingAs400', 'ThrottlingException'],
    ['internalServer', 'InternalServerException'],
    ['connectionReset', 'InternalServerException'],
    ['accessDenied', 'ServiceAccessDeniedException'],
  ] as const)('is left to the next look when a call fails: %s', async (error, name) => {
    for (const command of [GetStreamSessionCommand, TerminateStreamSessionCommand]) {
      const { terminate, log } = prepare();
      service.on(command).rejects(serviceErrors[error]());

      await expect(terminate()).rejects.toMatchObject({ name });

      expect(log.lines.map(({ event }) => event)).not.toContain('SessionTerminated');
    }
  });

  it('is given up five seconds after the call', async () => {
    const { terminate, clock } = prepare();
    service.on(TerminateStreamSessionCommand).callsFake(() => clock.sleep(5000));

    const termination = terminate();
    await clock.advance(5000);
    await termination;

    expect(terminations()[0]?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it.each(['passThrough', 'refuse'] as const)(
    'is left to the service while ours is switched off: %s',
    async (state) => {
      const { terminate, log } = prepare(state);

      expect(await terminate()).toBeUndefined();

      expect(service.calls()).toEqual([]);
      expect(log.lines).toEqual([{ event: 'TerminationLeftOut', fields: { switch: state } }]);
    },
  );

  it('waits up to two seconds for its permit', async () => {
    const { terminate, clock, dependencies } = prepare();
    await bookPermits(dependencies.table, QUOTA, clock.nowMs() + 2000);

    const termination = terminate();
    await clock.advance(1999);
    expect(terminations()).toHaveLength(0);
    await clock.advance(1);
    await termination;

    expect(terminations()).toHaveLength(1);
  });

  it('is not terminated by a read that is more than two seconds old when there is a permit', async () => {
    const { terminate, clock, dependencies } = prepare();
    await bookPermits(dependencies.table, QUOTA, clock.nowMs() + 2001);

    await expect(terminate()).rejects.toMatchObject({ name: 'PermitNotAvailableException' });

    expect(terminations()).toEqual([]);
  });
});

describe('a session that is not abandoned by the read of this attempt', () => {
  it.each([
    'ACTIVE',
    'RECONNECTING',
    'CONNECTED',
    'ACTIVATING',
    'TERMINATING',
    'TERMINATED',
    'ERROR',
  ] as const)('is left alone: it is %s', async (Status) => {
    const { terminate, read, log } = prepare();
    read({ Status });

    expect(await terminate()).toBeUndefined();

    expect(terminations()).toEqual([]);
    expect(log.lines).toEqual([{ event: 'SessionNotAbandoned', fields: { status: Status } }]);
  });

  it.each<[string, Partial<GetStreamSessionCommandOutput>]>([
    ['it dropped again since the look, and a player may still come back', { LastUpdatedAt: new Date(4e12) }],
    ['its timeout is longer than the look knew', { ConnectionTimeoutSeconds: TIMEOUT_SECONDS + 1 }],
    ['nothing tells since when it waits', { LastUpdatedAt: undefined }],
    ['nothing tells its timeout', { ConnectionTimeoutSeconds: undefined }],
    [
      'only SessionLengthSeconds says that it is over',
      {
        ConnectionTimeoutSeconds: 3600,
        CreatedAt: new Date(0),
        SessionLengthSeconds: 1,
      },
    ],
  ])('is left alone: %s', async (_, told) => {
    const { terminate, read } = prepare();
    read(told);

    expect(await terminate()).toBeUndefined();

    expect(terminations()).toEqual([]);
  });

  it('is left alone: the window knows of a later disconnect', async () => {
    const { terminate, lostAtMs } = prepare();

    await terminate({ pendingSinceMs: lostAtMs + 1 });

    expect(terminations()).toEqual([]);
  });

  it('is left alone: it was not overdue yet when the read went out', async () => {
    const { terminate, lostAtMs, clock } = prepare();
    service.on(GetStreamSessionCommand).callsFake(async () => {
      await clock.sleep(1000);
      return {
        Status: 'PENDING_CLIENT_RECONNECTION',
        LastUpdatedAt: new Date(lostAtMs + 500),
        ConnectionTimeoutSeconds: TIMEOUT_SECONDS,
      };
    });

    const termination = terminate();
    await clock.advance(1000);
    await termination;

    expect(terminations()).toEqual([]);
  });

  it('is left alone: the service does not know it', async () => {
    const { terminate } = prepare();
    service.on(GetStreamSessionCommand).rejects(serviceErrors.resourceNotFound());

    expect(await terminate()).toBeUndefined();

    expect(terminations()).toEqual([]);
  });
});

describe('a session that is to end before its deadline', () => {
  const OFFER = offerIdOf('offer of the page');
  const nowOf = ({ clock }: Pick<ReturnType<typeof prepare>, 'clock'>) => clock.nowMs();
  const leaves = (run: ReturnType<typeof prepare>, untilMs = nowOf(run)) =>
    noteLeaving(table(), run.session, OFFER, { untilMs, nowMs: nowOf(run) });
  const endedBy = async ({ session }: ReturnType<typeof prepare>) =>
    (await readEndMark(table(), session))?.endedBy;

  it('is read, marked and terminated: its player has left', async () => {
    const run = prepare();
    await leaves(run);

    expect(await run.terminate({ endEarlyFor: 'LEFT' })).toEqual({ isLifted: true });

    expect(terminations()).toHaveLength(1);
    expect(await endedBy(run)).toBe('LEFT');
    expect(isEnding(await readPlace(table(), run.session), nowOf(run))).toBe(true);
    expect(run.metrics.values).toContainEqual({ name: 'SessionsEndedEarly', value: 1 });
  });

  it('is left alone when a newer offer has come', async () => {
    const run = prepare();
    await leaves(run);
    const place = await readPlace(table(), run.session);
    await writePlace(table(), run.session, place, {
      ...offersWith(place, offerIdOf('newer offer')),
      askedAtMs: nowOf(run),
      deadlineMs: nowOf(run) + 60_000,
    });

    expect(await run.terminate({ endEarlyFor: 'LEFT' })).toEqual({ isLifted: true });

    expect(service.calls()).toEqual([]);
  });

  it.each([
    ['LEFT', { isLifted: true }],
    ['GIVE_UP', { isLifted: true }],
    ['OPERATOR', undefined],
  ] as const)(
    'is left alone when an offer comes while it is read, for good unless an operator ends it: %s',
    async (endEarlyFor, result) => {
      const run = prepare();
      await leaves(run);
      service.on(GetStreamSessionCommand).callsFake(async () => {
        const place = await readPlace(table(), run.session);
        await writePlace(table(), run.session, place, {
          ...offersWith(place, offerIdOf('newer offer')),
          askedAtMs: nowOf(run),
          deadlineMs: nowOf(run) + 60_000,
        });
        return { Status: 'PENDING_CLIENT_RECONNECTION' };
      });

      expect(await run.terminate({ endEarlyFor })).toEqual(result);

      expect(terminations()).toHaveLength(0);
      expect(await endedBy(run)).toBeUndefined();
    },
  );

  it.each(['CONNECTED', 'ACTIVE', 'RECONNECTING', 'TERMINATED'] as const)(
    'is left alone while it is %s, and comes up again',
    async (status) => {
      const run = prepare();
      await leaves(run);
      run.read({ Status: status });

      expect(await run.terminate({ endEarlyFor: 'LEFT' })).toBeUndefined();

      expect(terminations()).toHaveLength(0);
      expect(isEnding(await readPlace(table(), run.session), nowOf(run))).toBe(false);
    },
  );

  it.each([
    ['stands in line', { isServed: false, askedBeforeMs: 300_000 }, false],
    ['has asked since the loss', { isServed: true, askedBeforeMs: 0 }, false],
    ['has asked before the loss only', { isServed: true, askedBeforeMs: 300_000 }, true],
  ] as const)('is given up only if nobody wants it back: it %s', async (_, asked, isEnded) => {
    const run = prepare();
    await writePlace(table(), run.session, undefined, {
      ...offersWith(undefined, OFFER),
      askedAtMs: nowOf(run) - asked.askedBeforeMs,
      deadlineMs: nowOf(run) + 60_000,
    });
    if (asked.isServed) await markServed(table(), run.session, OFFER);

    await run.terminate({ endEarlyFor: 'GIVE_UP' });

    expect(terminations()).toHaveLength(isEnded ? 1 : 0);
    expect(await endedBy(run)).toBeUndefined();
  });

  it('is terminated by an operator, and its mark says so', async () => {
    const run = prepare();

    await run.terminate({ endEarlyFor: 'OPERATOR' });

    expect(terminations()).toHaveLength(1);
    expect(await endedBy(run)).toBe('OPERATOR');
  });

  it.each(['throttling', 'accessDenied', 'conflict', 'resourceNotFound'] as const)(
    'may be asked for again at once when the service has not taken its termination: %s',
    async (error) => {
      const run = prepare();
      await leaves(run);
      service.on(TerminateStreamSessionCommand).rejectsOnce(serviceErrors[error]()).resolves({});

      await run.terminate({ endEarlyFor: 'LEFT' }).catch(() => undefined);
      const place = await readPlace(table(), run.session);
      const mark = await readEndMark(table(), run.session);
      await run.clock.advance(4000);
      await run.terminate({ endEarlyFor: 'LEFT' });

      expect(isEnding(place, nowOf(run))).toBe(false);
      expect(mark).toMatchObject({ endedBy: 'LEFT', isRefused: true });
      expect(terminations()).toHaveLength(2);
      expect(await readEndMark(table(), run.session)).toEqual({ endedBy: 'LEFT', markedAtMs: nowOf(run) });
    },
  );

  it('may be asked for again at once when no permit was free for its termination', async () => {
    const run = prepare();
    await bookPermits(table(), QUOTA, nowOf(run) + 2001);

    await expect(run.terminate({ endEarlyFor: 'OPERATOR' })).rejects.toMatchObject({
      name: 'PermitNotAvailableException',
    });

    expect(isEnding(await readPlace(table(), run.session), nowOf(run))).toBe(false);
    expect(terminations()).toHaveLength(0);
  });

  it('is terminated by the next attempt, which finds its own mark', async () => {
    const run = prepare();
    await leaves(run);
    service.on(TerminateStreamSessionCommand).rejectsOnce(serviceErrors.internalServer()).resolves({});

    await expect(run.terminate({ endEarlyFor: 'LEFT' })).rejects.toMatchObject({
      name: 'InternalServerException',
    });
    expect(isEnding(await readPlace(table(), run.session), nowOf(run))).toBe(true);
    await run.clock.advance(4000);
    expect(await run.terminate({ endEarlyFor: 'LEFT' })).toEqual({ isLifted: true });

    expect(terminations()).toHaveLength(2);
  });
});
