import { expect, it } from 'vitest';
import { METRICS, type MetricName } from '../../functions/shared/runtime/metrics.ts';
import { captureOutput } from '../helpers/lambda.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

it('the metrics say how many sessions were found, saved and lost, and how long it took', async () => {
  const output = captureOutput();
  const valuesOf = (name: MetricName): number[] =>
    output.metrics().flatMap((document) => (name in document ? [document[name]].flat().map(Number) : []));
  const { clock, control, reconnect, outcomes, ...run } = await startWorkflow({ watching: true });
  await clock.advance(SECOND);
  const back = await run.session({ connectionTimeoutSeconds: 60 });
  const lost = await run.session({ connectionTimeoutSeconds: 30 });

  await control.clientDrops(back.streamSessionId);
  await control.clientDrops(lost.streamSessionId);
  const droppedAtMs = clock.nowMs();
  await clock.advance(10 * SECOND);
  await control.clientConnects(back.streamSessionId, await reconnect(back));
  // Until just before the watcher's third minute: it emits its own at each look.
  await clock.advance(107 * SECOND);

  const [{ outcomeAt = '' } = {}] = await outcomes(back);
  expect(valuesOf('TimeToReconnect')).toEqual([Date.parse(outcomeAt) - droppedAtMs]);
  expect(valuesOf('WatcherLooks')).toHaveLength(2 * 12);
  expect(Math.max(...valuesOf('WatcherLag'))).toBe(4 * SECOND);
  const isMetric = (name: string): name is MetricName => name in METRICS;
  const counted = Object.keys(METRICS)
    .filter(isMetric)
    .filter((name) => METRICS[name].unit === 'Count' && !METRICS[name].byOperation);
  const sums = Object.fromEntries(
    counted.map((name) => [name, valuesOf(name).reduce((sum, value) => sum + value, 0)]),
  );
  expect(sums).toEqual({
    ...Object.fromEntries(counted.map((name) => [name, 0])),
    DisconnectsNoticed: 2,
    WindowsOpened: 2,
    ConnectionsCreated: 1,
    WindowsReconnected: 1,
    WindowsTerminated: 1,
    WatcherLooks: 2 * 12,
  });
});
