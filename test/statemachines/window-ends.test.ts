import { describe, expect, it } from 'vitest';
import { type SignalledState, TaskError } from '../helpers/machines.ts';
import { created, HOUR, inTurn, MINUTE, SECOND, sessionCheck, start } from './window-machine.ts';

describe('a session that is to end before its deadline', () => {
  const early = (endEarlyAtMs: number, seq = 1): SignalledState => ({
    ...created(seq, 0, 0),
    correction: { seq, deadlineMs: endEarlyAtMs + HOUR, connectionTimeoutSeconds: 120 },
    endEarlyAtMs,
    endEarlyFor: 'LEFT',
  });

  it('is terminated when its time comes, and recorded once the service has ended it', async () => {
    const { clock, startWindow, timesOf, payloadsOf, path } = await start({
      checkSession: inTurn(
        sessionCheck(),
        sessionCheck({ status: 'TERMINATING' }),
        sessionCheck({ status: 'TERMINATED' }),
      ),
      terminateSession: () => ({ isLifted: true }),
    });
    const startMs = clock.nowMs();
    const window = await startWindow({ endEarlyAtMs: startMs + 30 * SECOND, endEarlyFor: 'GIVE_UP' });

    await clock.advance(33 * SECOND);

    expect(timesOf('terminateSession', startMs)).toEqual([30]);
    expect(payloadsOf('terminateSession')).toMatchObject([{ endEarlyFor: 'GIVE_UP' }]);
    expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome: 'TERMINATED', isAbandoned: true }]);
    expect((await path(window)).at(-1)).toBe('Terminated');
  });

  it('is told so while it waits, without a look', async () => {
    const { clock, startWindow, signalWaiting, timesOf } = await start({ checkSession: sessionCheck() });
    const startMs = clock.nowMs();
    await startWindow();

    await clock.advance(5 * SECOND);
    await signalWaiting(early(startMs + 20 * SECOND));
    await clock.advance(15 * SECOND);

    expect(timesOf('checkSession', startMs).at(0)).toBe(20);
    expect(timesOf('terminateSession', startMs)).toEqual([20]);
  });

  it('goes on to its deadline when somebody has asked for it', async () => {
    const { clock, startWindow, timesOf } = await start({
      checkSession: sessionCheck(),
      terminateSession: () => ({ isLifted: true }),
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 10 * SECOND, endEarlyFor: 'LEFT' });

    await clock.advance(121 * SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([10, 10]);
    expect(timesOf('terminateSession', startMs)).toEqual([10]);
  });

  it('is tried again after 2, 4, 8 … s, a minute apart at most, while it cannot be terminated', async () => {
    const { clock, startWindow, timesOf } = await start({
      checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
      terminateSession: () => {
        throw new TaskError('PermitNotAvailableException');
      },
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 10 * SECOND, endEarlyFor: 'OPERATOR' });

    await clock.advance(HOUR);

    const times = timesOf('terminateSession', startMs);
    expect(times.slice(0, 8)).toEqual([10, 12, 16, 24, 40, 72, 132, 192]);
    expect(times).toHaveLength(20);
  });

  it('is not terminated while the service says CONNECTED, and no look is made for it', async () => {
    const { clock, startWindow, calls, timesOf } = await start({
      checkSession: sessionCheck({ status: 'CONNECTED', beforeLoss: true }),
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 15 * SECOND, endEarlyFor: 'LEFT' });

    await clock.advance(59 * SECOND);

    expect(timesOf('checkSession', startMs)).toEqual([15]);
    expect(calls('terminateSession')).toBe(0);
  });

  it.each([
    ['GIVE_UP', []],
    ['LEFT', ['LEFT']],
  ])('after a connection that nobody used: %s', async (endEarlyFor, terminations) => {
    const { clock, startWindow, signalWaiting, payloadsOf } = await start({
      checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
    });
    const startMs = clock.nowMs();
    await startWindow({ endEarlyAtMs: startMs + 15 * SECOND, endEarlyFor });

    await signalWaiting(created(1, startMs + 1));
    await clock.advance(15 * SECOND);

    expect(payloadsOf('terminateSession').map((payload) => payload['endEarlyFor'])).toEqual(terminations);
  });
});

describe('a session that outlives its window', () => {
  it.each([
    ['overdue', { overdue: true }],
    ['TERMINATING', { status: 'TERMINATING' }],
  ])(
    'is looked at after 2, 4, 8 … s, then every 15 minutes, while it is %s, and is no failure',
    async (_, check) => {
      const { clock, startWindow, timesOf, payloadsOf, ...run } = await start({
        checkSession: sessionCheck(check),
      });
      const deadlineMs = clock.nowMs() + 122 * SECOND;
      const window = await startWindow();

      await clock.advance(122 * SECOND + 2822 * SECOND);

      expect(timesOf('checkSession', deadlineMs)).toEqual([
        0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1922, 2822,
      ]);
      expect((await run.describe(window)).status).toBe('RUNNING');
      expect(payloadsOf('terminateSession')).toEqual([]);
    },
  );

  it('is recorded with how it ended, however late', async () => {
    const { clock, startWindow, payloadsOf, path } = await start({
      checkSession: inTurn(
        ...Array(12).fill(sessionCheck({ status: 'TERMINATING' })),
        sessionCheck({ status: 'ERROR' }),
      ),
    });
    const window = await startWindow();

    await clock.advance(2 * HOUR);

    expect(payloadsOf('recordOutcome')).toMatchObject([{ outcome: 'ERRORED' }]);
    expect((await path(window)).at(-1)).toBe('Errored');
  });

  it('may be terminated five times, when that is switched on, each time by a look of the window', async () => {
    const { clock, startWindow, timesOf, payloadsOf } = await start({
      checkSession: sessionCheck({ overdue: true }),
    });
    const startMs = clock.nowMs();
    await startWindow({ terminateAbandoned: true });

    await clock.advance(10 * MINUTE);

    expect(timesOf('terminateSession', startMs + 122 * SECOND)).toEqual([0, 2, 6, 14, 30]);
    expect(payloadsOf('terminateSession')[0]).toMatchObject({ pendingSinceMs: startMs, marginSeconds: 2 });
  });

  it('whose player came back while there was no permit to terminate it is RECONNECTED', async () => {
    const { clock, startWindow, calls, path } = await start({
      checkSession: inTurn(sessionCheck({ overdue: true }), sessionCheck({ status: 'CONNECTED' })),
      terminateSession: () => {
        throw new TaskError('PermitNotAvailableException');
      },
    });
    const window = await startWindow({ terminateAbandoned: true });

    await clock.advance(122 * SECOND);

    expect(calls('terminateSession')).toBe(1);
    expect((await path(window)).at(-1)).toBe('Reconnected');
  });

  it('is terminated once, when that is switched on', async () => {
    const { clock, startWindow, calls, path, ...run } = await start({
      checkSession: inTurn(
        sessionCheck({ overdue: true }),
        sessionCheck({ overdue: true }),
        sessionCheck({ status: 'TERMINATING' }),
        sessionCheck({ status: 'TERMINATED' }),
      ),
    });
    const window = await startWindow({ terminateAbandoned: true });

    await clock.advance(122 * SECOND + 6 * SECOND);

    expect(calls('terminateSession')).toBe(1);
    expect((await path(window)).at(-1)).toBe('Terminated');
    expect((await run.describe(window)).status).toBe('SUCCEEDED');
  });

  it('still lets its player in when the service does', async () => {
    const { clock, startWindow, signalWaiting, phases } = await start({
      checkSession: sessionCheck({ overdue: true }),
    });
    await startWindow();
    await clock.advance(122 * SECOND);

    await signalWaiting(created(1, clock.nowMs()));

    expect(phases()).toEqual(['AWAITING_RECONNECTION', 'AWAITING_END', 'AWAITING_CLIENT']);
  });
});
