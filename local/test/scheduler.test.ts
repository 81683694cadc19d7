import { type LambdaResult, VirtualClock } from 'local-server-kit';
import { expect, it } from 'vitest';
import { startScheduler } from '../scheduler/scheduler.ts';

function start(answer: () => Promise<LambdaResult> = async () => ({ ok: true, payload: null })) {
  const clock = new VirtualClock();
  const startMs = clock.nowMs();
  const fired: { functionName: string; atSeconds: number; payload: unknown }[] = [];
  const scheduler = startScheduler({
    clock,
    random: () => 0.5,
    region: 'us-west-2',
    account: '123456789012',
    schedules: [
      { name: 'watch.0', functionName: 'watch', everySeconds: 60, maximumRetryAttempts: 0 },
      { name: 'sweep.0', functionName: 'sweep', everySeconds: 300, maximumRetryAttempts: 0 },
    ],
    invokeLambda: (functionName, payload) => {
      fired.push({ functionName, atSeconds: (clock.nowMs() - startMs) / 1000, payload });
      return answer();
    },
  });
  const timesOf = (name: string) =>
    fired.filter(({ functionName }) => functionName === name).map(({ atSeconds }) => atSeconds);
  return { clock, fired, scheduler, timesOf };
}

it('fires each schedule at once and then at its rate', async () => {
  const { clock, timesOf } = start();

  await clock.advance(300_000);

  expect(timesOf('watch')).toEqual([0, 60, 120, 180, 240, 300]);
  expect(timesOf('sweep')).toEqual([0, 300]);
});

it('sends the event that EventBridge sends', () => {
  expect(start().fired[0]?.payload).toEqual({
    version: '0',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '123456789012',
    time: '2026-01-01T00:00:00Z',
    region: 'us-west-2',
    resources: ['arn:aws:events:us-west-2:123456789012:rule/watch.0'],
    detail: {},
  });
});

it('does not wait for an invocation that takes longer than the rate, nor stop for one that fails', async () => {
  const slow = start(() => new Promise(() => {}));
  const failing = start(async () => ({ ok: false, failure: { errorType: 'Error', errorMessage: '' } }));

  await slow.clock.advance(120_000);
  await failing.clock.advance(120_000);

  expect(slow.timesOf('watch')).toEqual([0, 60, 120]);
  expect(failing.timesOf('watch')).toEqual([0, 60, 120]);
});

it('fires nothing more when it is closed', async () => {
  const { clock, scheduler, timesOf } = start();
  await scheduler.close();

  await clock.advance(300_000);

  expect(timesOf('watch')).toEqual([0]);
});
