import { describe, expect, it } from 'vitest';
import { fail, inTurn, machine, pass, succeed, task } from '../src/testing/index.ts';
import { lines, ofType, startEndpoint, types } from './harness.ts';

describe('Retry', () => {
  /** Runs a task with these retriers, and gives the times of its attempts in ms after its start. */
  async function attemptTimes(
    retriers: unknown[],
    handler = fail('Boom'),
    random: () => number = () => 0.5,
  ): Promise<number[]> {
    const { run, clock, history } = await startEndpoint({ work: handler }, random);
    const startMs = clock.nowMs();
    const executionArn = await run(machine({ A: task({ Retry: retriers }) }));
    await clock.advance(3_600_000);
    return ofType(await history(executionArn), 'TaskScheduled').map(
      ({ timestamp }) => (timestamp?.getTime() ?? 0) - startMs,
    );
  }

  it('has three attempts more by default, after 1, 2 and 4 s', async () => {
    expect(await attemptTimes([{ ErrorEquals: ['Boom'] }])).toEqual([0, 1_000, 3_000, 7_000]);
  });

  it('backs off from IntervalSeconds by BackoffRate, MaxAttempts times', async () => {
    const retrier = { ErrorEquals: ['Boom'], IntervalSeconds: 2, BackoffRate: 1.5, MaxAttempts: 2 };
    expect(await attemptTimes([retrier])).toEqual([0, 2_000, 5_000]);
  });

  it('does not retry with MaxAttempts 0, nor an error that it does not name', async () => {
    expect(await attemptTimes([{ ErrorEquals: ['Boom'], MaxAttempts: 0 }])).toEqual([0]);
    expect(await attemptTimes([{ ErrorEquals: ['Other'] }])).toEqual([0]);
  });

  it('caps the delay by MaxDelaySeconds', async () => {
    const retrier = { ErrorEquals: ['Boom'], MaxDelaySeconds: 3, MaxAttempts: 4 };
    expect(await attemptTimes([retrier])).toEqual([0, 1_000, 3_000, 6_000, 9_000]);
  });

  it.each([
    [0, [0, 0, 0]],
    [0.25, [0, 1_000, 2_000]],
    [0.999, [0, 3_996, 7_992]],
  ])('with FULL jitter waits %d of the delay, after the cap', async (random, times) => {
    const retrier = {
      ErrorEquals: ['Boom'],
      IntervalSeconds: 4,
      MaxDelaySeconds: 4,
      MaxAttempts: 2,
      JitterStrategy: 'FULL',
    };
    expect(await attemptTimes([retrier], fail('Boom'), () => random)).toEqual(times);
  });

  it('without jitter takes no randomness', async () => {
    const retrier = { ErrorEquals: ['Boom'], MaxAttempts: 1, JitterStrategy: 'NONE' };
    expect(await attemptTimes([retrier], fail('Boom'), () => 0.1)).toEqual([0, 1_000]);
  });

  it('counts for each retrier by itself', async () => {
    // AWS's own example: A, B, C, B under a retrier of two attempts for A and B, and one for C.
    const handler = inTurn(fail('A'), fail('B'), fail('C'), fail('B'), succeed(1));
    const retriers = [
      { ErrorEquals: ['A', 'B'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 2 },
      { ErrorEquals: ['C'], IntervalSeconds: 5 },
    ];
    expect(await attemptTimes(retriers, handler)).toEqual([0, 1_000, 3_000, 8_000]);
  });

  it('does not fall through to a later retrier when the first that matches is used up', async () => {
    const retriers = [{ ErrorEquals: ['Boom'], MaxAttempts: 1 }, { ErrorEquals: ['States.ALL'] }];
    expect(await attemptTimes(retriers)).toEqual([0, 1_000]);
  });

  it('by States.TaskFailed takes any error but a time-out', async () => {
    const endpoint = await startEndpoint({
      work: inTurn(fail('Boom'), async () => {
        await endpoint.clock.sleep(60_000);
        return { ok: true, payload: 1 };
      }),
    });
    const executionArn = await endpoint.run(
      machine({ A: task({ Retry: [{ ErrorEquals: ['States.TaskFailed'] }] }) }),
    );
    await endpoint.clock.advance(60_000);
    expect(types(await endpoint.history(executionArn))).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskFailed',
      'TaskScheduled',
      'TaskStarted',
      'TaskTimedOut',
      'ExecutionFailed',
    ]);
  });

  it('shows the attempts in RetryCount, and evaluates Arguments anew', async () => {
    const { run, clock, payloads } = await startEndpoint({
      work: inTurn(fail('Boom'), fail('Boom'), succeed(1)),
    });
    const state = task({
      Arguments: {
        FunctionName: 'work',
        Payload: { n: '{% $states.context.State.RetryCount %}', at: '{% $millis() %}' },
      },
      Retry: [{ ErrorEquals: ['Boom'], IntervalSeconds: 1, BackoffRate: 1 }],
    });
    const startMs = clock.nowMs();
    await run(machine({ A: state }));
    await clock.advance(10_000);
    expect(payloads).toEqual([
      { n: 0, at: startMs },
      { n: 1, at: startMs + 1_000 },
      { n: 2, at: startMs + 2_000 },
    ]);
  });

  it('starts its counts anew when the state is entered again', async () => {
    const { run, clock, history } = await startEndpoint({
      work: inTurn(fail('Boom'), succeed(1), fail('Boom'), succeed(2)),
    });
    const definition = machine({
      A: task({
        Retry: [{ ErrorEquals: ['Boom'], MaxAttempts: 1 }],
        Output: '{% $states.result.Payload %}',
        Next: 'B',
      }),
      B: { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 1 %}', Next: 'A' }], Default: 'C' },
      C: { Type: 'Succeed' },
    });
    const executionArn = await run(definition);
    await clock.advance(10_000);
    const events = await history(executionArn);
    expect(ofType(events, 'TaskFailed')).toHaveLength(2);
    expect(types(events).at(-1)).toBe('ExecutionSucceeded');
  });

  it('used up, goes on to Catch', async () => {
    const { run, clock, describe: describeExecution, history } = await startEndpoint({ work: fail('Boom') });
    const state = task({
      Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }],
      Catch: [{ ErrorEquals: ['States.ALL'], Output: 'caught', Next: 'B' }],
    });
    const executionArn = await run(machine({ A: state, B: pass() }));
    await clock.advance(10_000);
    expect(await describeExecution(executionArn)).toMatchObject({ output: 'caught' });
    expect(lines(await history(executionArn))).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered',
      '3<2 TaskScheduled',
      '4<3 TaskStarted',
      '5<4 TaskFailed',
      '6<5 TaskScheduled',
      '7<6 TaskStarted',
      '8<7 TaskFailed',
      '9<8 TaskStateExited',
      '10<9 PassStateEntered',
      '11<10 PassStateExited',
      '12<11 ExecutionSucceeded',
    ]);
  });
});
