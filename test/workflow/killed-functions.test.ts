import { expect, it } from 'vitest';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

/** What Step Functions sees of a function whose process is gone: the error type that Lambda reports. */
const killed = (name: string) => Object.assign(new Error('Runtime exited'), { name });

it.each([
  ['registerTaskToken', 'Runtime.ExitError'],
  ['checkSession', 'Runtime.OutOfMemory'],
  ['recordOutcome', 'Runtime.ExitError'],
  ['createConnection', 'Runtime.ExitError'],
  ['signalWindow', 'Runtime.ExitError'],
])('%s, killed once (%s), is invoked again, and its execution goes on', async (victim, errorType) => {
  let kills = 1;
  const { clock, control, report, reconnect, outcomes, executions, ...run } = await startWorkflow({
    before: (functionKey) => {
      if (functionKey === victim && kills-- > 0) throw killed(errorType);
    },
  });
  const session = await run.session({ connectionTimeoutSeconds: 60 });
  await control.clientDrops(session.streamSessionId);
  await report(session);

  await control.clientConnects(session.streamSessionId, await reconnect(session));
  await clock.advance(20 * SECOND);

  expect(kills).toBeLessThan(1);
  expect(await outcomes(session)).toMatchObject([{ outcome: 'RECONNECTED', generation: 1 }]);
  expect(await executions()).toMatchObject([{ status: 'SUCCEEDED' }]);
});
