import type { NewFault } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

type Outage = Extract<
  NewFault['kind'],
  'accessDenied' | 'internalServer' | 'throttling' | 'noReply' | 'unavailable'
>;

/**
 * Three players drop, GetStreamSession goes away, and the windows reach their deadlines meanwhile: one player is back
 * through our API, one past it, and one does not come back.
 */
async function threeWindows({ watching, lookSeconds = 5 }: { watching: boolean; lookSeconds?: number }) {
  const run = await startWorkflow({
    watching,
    adapter: 'inProcess',
    environment: { WATCH_INTERVAL_SECONDS: String(lookSeconds) },
  });
  const { clock, control } = run;
  await clock.advance(SECOND);
  const sessions = [];
  for (let count = 0; count < 3; count++) sessions.push(await run.session({ connectionTimeoutSeconds: 60 }));
  const [back, backPastUs, gone] = sessions;
  if (back === undefined || backPastUs === undefined || gone === undefined)
    throw new Error('Three sessions.');
  for (const session of sessions) {
    await control.clientDrops(session.streamSessionId);
    await run.report(session);
  }
  await clock.advance(10 * SECOND);
  return {
    ...run,
    /** The outage begins, and the two players come back in it. */
    async outage(kind: Outage, lastsMs: number) {
      const untilMs = clock.nowMs() + lastsMs;
      await control.injectFault({ operation: 'GetStreamSession', kind, untilMs });
      await control.clientConnects(back.streamSessionId, await run.reconnect(back));
      await run.reconnectDirectly(backPastUs);
      await control.clientConnects(backPastUs.streamSessionId);
      while (clock.nowMs() < untilMs) {
        await clock.advance(Math.min(30 * MINUTE, untilMs - clock.nowMs()));
        // They play on: a session without input ends.
        await control.clientInput([back.streamSessionId, backPastUs.streamSessionId]);
      }
    },
    outcomesOfAll: async () =>
      (await Promise.all([back, backPastUs, gone].map((session) => run.outcomes(session)))).map((outcomes) =>
        outcomes.map(({ outcome }) => outcome),
      ),
    statuses: async () => (await run.executions()).map(({ status }) => status),
    reads: async () => (await control.counters()).GetStreamSession?.calls ?? 0,
    gone,
  };
}

const RIGHT = [['RECONNECTED'], ['RECONNECTED'], ['TERMINATED']];

describe('windows that end while GetStreamSession is away', () => {
  it.each<[string, Outage, number, number]>([
    ['5 minutes of 500', 'internalServer', 5 * MINUTE, 5],
    ['10 minutes of 500', 'internalServer', 10 * MINUTE, 20],
    ['30 minutes of throttling', 'throttling', 30 * MINUTE, 20],
    ['10 minutes without a reply', 'noReply', 10 * MINUTE, 20],
    ['6 hours of 500', 'internalServer', 6 * HOUR, 60],
  ])(
    'have their right outcomes two minutes after %s, with the watcher',
    async (_, kind, lastsMs, lookSeconds) => {
      const run = await threeWindows({ watching: true, lookSeconds });

      await run.outage(kind, lastsMs);
      await run.clock.advance(2 * MINUTE);

      expect(await run.outcomesOfAll()).toEqual(RIGHT);
      await run.clock.advance(20 * MINUTE);
      expect(await run.outcomesOfAll()).toEqual(RIGHT);
      expect(await run.statuses()).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    },
    60_000,
  );

  it.each<[string, Outage, number]>([
    ['5 minutes of 500', 'internalServer', 5 * MINUTE],
    ['10 minutes of 503', 'unavailable', 10 * MINUTE],
    ['30 minutes without a reply', 'noReply', 30 * MINUTE],
    ['an hour without the permission', 'accessDenied', HOUR],
    ['6 hours of throttling', 'throttling', 6 * HOUR],
  ])(
    'have their right outcomes a quarter of an hour after %s, without a watcher',
    async (_, kind, lastsMs) => {
      const run = await threeWindows({ watching: false });

      await run.outage(kind, lastsMs);
      await run.clock.advance(16 * MINUTE);

      expect(await run.outcomesOfAll()).toEqual(RIGHT);
      expect(await run.statuses()).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    },
  );

  it('are read once a minute by the watcher, and wake nobody while that fails', async () => {
    const run = await threeWindows({ watching: true, lookSeconds: 20 });
    await run.outage('internalServer', 2 * HOUR);
    const before = await run.reads();

    await run.control.injectFault({
      operation: 'GetStreamSession',
      kind: 'internalServer',
      untilMs: run.clock.nowMs() + HOUR,
    });
    await run.clock.advance(HOUR);

    // Sixty of the watcher, and six of each window every 15 minutes.
    expect((await run.reads()) - before).toBeLessThanOrEqual(60 + 3 * 5 * 6);
    expect(await run.statuses()).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
  }, 60_000);

  it('say so to those who read them', async () => {
    const { clock, window, gone, outage } = await threeWindows({ watching: false });

    await outage('internalServer', 10 * MINUTE);

    expect((await window(gone)).body).toMatchObject({ phase: 'AWAITING_END', waitingForService: true });
    await clock.advance(16 * MINUTE);
    expect((await window(gone)).body).toMatchObject({ phase: 'CLOSED', outcome: 'TERMINATED' });
    expect((await window(gone)).body).not.toHaveProperty('waitingForService');
  });
});

describe('a window that ends while what the workflow is built on is away', () => {
  it.each([
    ['the table', ['GetCommand', 'UpdateCommand', 'PutCommand']],
    ['the bus', ['PutEventsCommand']],
    ['Lambda', []],
  ])('has its outcome minutes after two hours without %s, from its first execution', async (_, commands) => {
    let isAway = false;
    const run = await startWorkflow({
      before: () => {
        if (isAway && commands.length === 0) throw lambdaError();
      },
      adapter: 'inProcess',
      call: async ({ command }, send) => {
        if (isAway && commands.includes(command)) throw new TypeError('socket hang up');
        return send();
      },
    });
    const { clock, control } = run;
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await run.report(session);
    await clock.advance(30 * SECOND);

    isAway = true;
    await clock.advance(2 * HOUR);
    isAway = false;
    // The longest pause between two retries, and the first wait for the service.
    await clock.advance(16 * MINUTE);

    expect(await run.outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', generation: 1 }]);
    expect((await run.executions()).map(({ status }) => status)).toEqual(['SUCCEEDED']);
  });
});

/** What Step Functions gets when Lambda cannot be called. */
function lambdaError(): Error {
  return Object.assign(new Error('Rate exceeded'), { name: 'Lambda.TooManyRequestsException' });
}

describe('a session that is slow to end', () => {
  it('is recorded as TERMINATED after ten minutes of TERMINATING', async () => {
    const run = await startWorkflow({ adapter: 'inProcess' });
    const { clock, control } = run;
    await control.changeSettings({ terminationMs: 10 * MINUTE });
    const session = await run.session({ connectionTimeoutSeconds: 60 });
    await control.clientDrops(session.streamSessionId);
    await run.report(session);

    await clock.advance(30 * MINUTE);

    expect(await run.outcomes(session)).toMatchObject([{ outcome: 'TERMINATED' }]);
    expect((await run.executions()).map(({ status }) => status)).toEqual(['SUCCEEDED']);
  });
});
