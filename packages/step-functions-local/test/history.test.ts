import { GetExecutionHistoryCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { machine, pass, present, succeed, task, wait } from '../src/testing/index.ts';
import { lines, startEndpoint } from './harness.ts';

describe('GetExecutionHistory', () => {
  const definition = machine({ A: pass({ Next: 'B' }), B: pass({ Next: 'C' }), C: pass() });

  it.each([
    ['forwards', false, [1, 2, 3, 4, 5, 6, 7, 8]],
    ['backwards', true, [8, 7, 6, 5, 4, 3, 2, 1]],
  ])('pages %s', async (_way, reverseOrder, ids) => {
    const { client, run } = await startEndpoint();
    const executionArn = await run(definition);
    const seen: number[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new GetExecutionHistoryCommand({ executionArn, reverseOrder, maxResults: 3, nextToken }),
      );
      expect(page.events?.length).toBeLessThanOrEqual(3);
      seen.push(...present(page.events).map(({ id }) => present(id)));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(seen).toEqual(ids);
  });

  it('gives 100 events unless more are asked for', async () => {
    const { client, run } = await startEndpoint();
    const states = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [
        `S${index}`,
        pass(index < 59 ? { Next: `S${index + 1}` } : {}),
      ]),
    );
    const executionArn = await run(machine(states));
    for (const [maxResults, count] of [
      [undefined, 100],
      [0, 100],
      [1000, 122],
    ] as const) {
      const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults }));
      expect(events).toHaveLength(count);
    }
  });

  it('leaves input, output, parameters and variables out when data is not wanted', async () => {
    // Prepare
    const { client, run } = await startEndpoint({ work: succeed('secret-result') });
    const executionArn = await run(
      machine({ A: task({ Assign: { a: 'secret-variable' } }) }),
      'secret-input',
    );

    // Act
    const withData = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    const without = await client.send(
      new GetExecutionHistoryCommand({ executionArn, includeExecutionData: false }),
    );

    // Assess
    expect(JSON.stringify(withData.events)).toMatch(/secret-input.*secret-result.*secret-variable/);
    expect(JSON.stringify(without.events)).not.toContain('secret');
    expect(lines(present(without.events))).toEqual(lines(present(withData.events)));
    expect(without.events?.[2]?.taskScheduledEventDetails).toMatchObject({
      resource: 'invoke',
      timeoutInSeconds: 10,
    });
  });

  it('shows an execution that runs so far as it has come, by the clock', async () => {
    const { run, clock, history } = await startEndpoint();
    const startMs = clock.nowMs();
    const executionArn = await run(machine({ A: wait({ Seconds: 2, Next: 'B' }), B: wait() }));
    await clock.advance(2_500);
    const events = await history(executionArn);
    expect(events.map(({ type, timestamp }) => [type, (timestamp?.getTime() ?? 0) - startMs])).toEqual([
      ['ExecutionStarted', 0],
      ['WaitStateEntered', 0],
      ['WaitStateExited', 2_000],
      ['WaitStateEntered', 2_000],
    ]);
  });

  it('ends at 25,000 events with States.Runtime', { timeout: 60_000 }, async () => {
    const { client, run, describe: describeExecution } = await startEndpoint();
    const loop = machine({
      A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }], Default: 'C' },
      B: pass({ Next: 'A' }),
      C: pass(),
    });
    const executionArn = await run(loop);
    expect(await describeExecution(executionArn)).toEqual({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    const { events } = await client.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }),
    );
    expect(events).toMatchObject([{ id: 25_000, type: 'ExecutionFailed' }]);
  });
});
