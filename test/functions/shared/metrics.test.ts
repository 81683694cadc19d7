import { describe, expect, it, vi } from 'vitest';
import { edge, emitMetrics } from '../../../functions/shared/runtime/definition.ts';
import { METRICS, type Metrics } from '../../../functions/shared/runtime/metrics.ts';
import { captureOutput, lambdaContext } from '../../helpers/lambda.ts';

const NAMESPACE = 'stream-session-reconnection-test';
const SERVICE = 'stream-session-reconnection';

function prepare() {
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', NAMESPACE);
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', SERVICE);
  const output = captureOutput();
  const run = <Result>(work: (metrics: Metrics) => Result | Promise<Result>) =>
    edge([emitMetrics()], async (_event, { metrics }) => work(metrics))(undefined, lambdaContext());
  return { output, run };
}

describe('what an invocation has added', () => {
  it('is emitted in one document that CloudWatch reads as metrics, whatever their number', async () => {
    const { output, run } = prepare();

    await run((metrics) => {
      metrics.add('WindowsReconnected', 1);
      metrics.add('TimeToReconnect', 4200);
    });

    expect(output.metrics()).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number),
          CloudWatchMetrics: [
            {
              Namespace: NAMESPACE,
              Dimensions: [['service']],
              Metrics: [
                { Name: 'WindowsReconnected', Unit: 'Count' },
                { Name: 'TimeToReconnect', Unit: 'Milliseconds' },
              ],
            },
          ],
        },
        service: SERVICE,
        WindowsReconnected: 1,
        TimeToReconnect: 4200,
      },
    ]);
  });

  it('tells fifty applications apart, and calls the others by one name', async () => {
    const { output, run } = prepare();

    await run((metrics) => {
      for (let id = 0; id < 60; id++) metrics.add('ShareSaved', 100, `a-${id}`);
    });

    const applications = output.metrics().map(({ application }) => application);
    expect(applications).toHaveLength(51);
    expect(applications).toContain('other');
  });

  it('is told apart by the reported cause of the drop where it is of one', async () => {
    const { output, run } = prepare();

    await run((metrics) => metrics.add('ShareSavedByDropCause', 100, 'NETWORK'));

    expect(output.metrics()).toMatchObject([
      {
        dropCause: 'NETWORK',
        ShareSavedByDropCause: 100,
        _aws: { CloudWatchMetrics: [{ Dimensions: [['service', 'dropCause']] }] },
      },
    ]);
  });

  it('has a total over all operations where an alarm is of the total', async () => {
    const { output, run } = prepare();

    await run((metrics) => {
      metrics.add('CallsDenied', 1, 'GetStreamSession');
      metrics.add('CallsDenied', 1, 'CreateStreamSessionConnection');
    });

    expect(output.metrics()).toMatchObject([
      { operation: 'GetStreamSession', CallsDenied: 1 },
      { CallsDenied: [1, 1], _aws: { CloudWatchMetrics: [{ Dimensions: [['service']] }] } },
      { operation: 'CreateStreamSessionConnection', CallsDenied: 1 },
    ]);
  });

  it('is told apart by operation where it is of a quota', async () => {
    const { output, run } = prepare();

    await run((metrics) => {
      metrics.add('PermitWait', 12, 'GetStreamSession');
      metrics.add('PermitWait', 30, 'CreateStreamSessionConnection');
      metrics.add('PermitWait', 13, 'GetStreamSession');
      metrics.add('ConnectionsCreated', 1);
    });

    expect(output.metrics()).toMatchObject([
      { operation: 'GetStreamSession', PermitWait: [12, 13], service: SERVICE },
      { operation: 'CreateStreamSessionConnection', PermitWait: 30 },
      { ConnectionsCreated: 1 },
    ]);
    expect(output.metrics()[0]).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Dimensions: [['service', 'operation']] }] },
    });
    expect(output.metrics()[2]).not.toHaveProperty('operation');
  });

  it('keeps its operation when there are more values than one document takes', async () => {
    const { output, run } = prepare();

    await run((metrics) => {
      for (let call = 0; call < 250; call++) metrics.add('PermitWait', call, 'ListStreamSessions');
    });

    const emitted = output.metrics();
    expect(emitted.map(({ operation }) => operation)).toEqual(Array(3).fill('ListStreamSessions'));
    expect(emitted.flatMap(({ PermitWait }) => PermitWait)).toEqual(
      Array.from({ length: 250 }, (_, call) => call),
    );
  });

  it('is emitted without a warning when a full document went out with the last value', async () => {
    const { output, run } = prepare();

    await run((metrics) => {
      for (let call = 0; call < 100; call++) metrics.add('PermitWait', call, 'ListStreamSessions');
    });

    expect(output.metrics()).toHaveLength(1);
    expect(output.text().trim().split('\n')).toHaveLength(1);
  });

  it('is emitted when the work fails, for what was done before stays done', async () => {
    const { output, run } = prepare();

    const failing = run((metrics) => {
      metrics.add('WindowsOpened', 1);
      throw new Error('The start failed.');
    });

    await expect(failing).rejects.toThrow('The start failed.');
    expect(output.metrics()).toMatchObject([{ WindowsOpened: 1 }]);
  });

  it('is not mixed with what another invocation adds at the same time', async () => {
    const { output, run } = prepare();
    const pause = () => new Promise((resolve) => setImmediate(resolve));

    await Promise.all([
      run(async (metrics) => {
        metrics.add('WindowsOpened', 1);
        await pause();
        metrics.add('PermitWait', 5, 'GetStreamSession');
      }),
      run(async (metrics) => {
        await pause();
        metrics.add('EventsRejected', 1);
      }),
    ]);

    const namesOf = (document: Record<string, unknown>) =>
      Object.keys(document).filter((key) => key in METRICS);
    expect(output.metrics().map(namesOf).sort()).toEqual([
      ['EventsRejected'],
      ['PermitWait'],
      ['WindowsOpened'],
    ]);
  });
});

it('an invocation that adds nothing writes nothing', async () => {
  const { output, run } = prepare();

  await run(() => {});

  expect(output.text()).toBe('');
});

describe('a metric that cannot be emitted', () => {
  it('is logged, and the work goes on with its result', async () => {
    const { output, run } = prepare();

    const result = await run((metrics) => {
      metrics.add('TimeToReconnect', Number.NaN);
      metrics.add('WindowsReconnected', 1);
      return 'the result';
    });

    expect(result).toBe('the result');
    expect(output.lines()).toMatchObject([{ message: 'MetricsNotEmitted', errorName: 'RangeError' }]);
    expect(output.metrics()).toMatchObject([{ WindowsReconnected: 1 }]);
  });

  it('does no harm when standard output is closed', async () => {
    const { run } = prepare();
    vi.spyOn(process.stdout, 'write').mockImplementation(() => {
      throw new Error('EPIPE');
    });

    await expect(
      run((metrics) => {
        metrics.add('WindowsOpened', 1);
        return 'the result';
      }),
    ).resolves.toBe('the result');
  });
});
