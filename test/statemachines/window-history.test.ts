import { describe, expect, it } from 'vitest';
import type { ScriptedFunction } from '../helpers/machines.ts';
import { awayService, HOUR, MINUTE, sessionCheck, start } from './window-machine.ts';

/** Step Functions' quota for the history of one execution. */
const MOST_HISTORY_EVENTS = 25_000;

describe('the history of a window', () => {
  const aDay = async (functions: Readonly<Record<string, ScriptedFunction>>, random: () => number) => {
    const { clock, startWindow, ...run } = await start(functions, random);
    const window = await startWindow();
    await clock.advance(25 * HOUR);
    expect((await run.describe(window)).status).toBe('TIMED_OUT');
    return run.historyLength(window);
  };

  it.each(['PermitNotAvailableException', 'InternalServerException', 'Lambda.TooManyRequestsException'])(
    'stays below its quota in 25 hours of %s, even when jitter makes no pause',
    async (error) => {
      const { checkSession } = awayService(error);

      expect(await aDay({ checkSession }, () => 0)).toBeLessThan(MOST_HISTORY_EVENTS / 1.5);
    },
  );

  it('stays below its quota in 25 hours of TERMINATING', async () => {
    const checkSession = sessionCheck({ status: 'TERMINATING' });

    expect(await aDay({ checkSession }, () => 0.5)).toBeLessThan(MOST_HISTORY_EVENTS / 10);
  });

  it('stays below its quota when somebody signals the window without end', async () => {
    let seq = 0;
    const { clock, startWindow, signal, ...run } = await start({
      checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
      registerTaskToken: ({ taskToken }) => {
        seq += 1;
        void signal(taskToken, { seq, connectionCreatedAtMs: 0, connectionAttempts: 0 });
        return null;
      },
    });
    const window = await startWindow();

    await clock.advance(25 * HOUR);

    expect((await run.describe(window)).status).toBe('TIMED_OUT');
    expect(await run.historyLength(window)).toBeLessThan(MOST_HISTORY_EVENTS / 1.5);
  });
});

it('the machine ends by itself after 25 hours of being signalled', async () => {
  const { clock, startWindow, ...run } = await start({
    checkSession: sessionCheck({ deadlineMs: Date.UTC(2027, 0, 1) }),
  });
  const window = await startWindow({ deadlineMs: Date.UTC(2027, 0, 1) });

  await clock.advance(25 * 60 * MINUTE);

  expect((await run.describe(window)).status).toBe('TIMED_OUT');
});
