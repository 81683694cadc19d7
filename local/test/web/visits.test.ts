import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import {
  callback,
  fail,
  type Handler,
  inTurn,
  machine,
  pass,
  present,
  startEndpoint,
  succeed,
  task,
} from 'step-functions-local/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseDefinition } from '../../web/console/model/definition.ts';
import { historyRows } from '../../web/console/model/history-rows.ts';
import { nextRetryOf } from '../../web/console/model/next-retry.ts';
import { progressOf, waysTaken } from '../../web/console/model/path.ts';
import { END, START } from '../../web/console/model/transitions.ts';
import { visitsOf } from '../../web/console/model/visits.ts';
import { readHistory } from './histories.ts';

const BUSY_RETRY = { ErrorEquals: ['Busy'], IntervalSeconds: 2, BackoffRate: 2, MaxAttempts: 3 };

/** Runs a definition on the local engine for a while, and reads its history as the console does. */
async function runFor(
  seconds: number,
  definition: Record<string, unknown>,
  handlers: Record<string, Handler> = {},
) {
  const { clock, client, url, run, close } = await startEndpoint(handlers);
  onTestFinished(close);
  const arn = await run(definition, { a: 1 });
  await clock.advance(seconds * 1000);
  const visits = async () => visitsOf(await readHistory(url, arn));
  const stop = () => client.send(new StopExecutionCommand({ executionArn: arn, error: 'Enough' }));
  return { clock, arn, visits, stop, history: () => readHistory(url, arn) };
}

describe('the visits of an execution', () => {
  it('hold each attempt of a task with what Retry waited before it', async () => {
    const definition = machine({ Work: task({ Retry: [BUSY_RETRY] }) });
    const work = inTurn(fail('Busy'), fail('Busy'), succeed('done'));

    const { visits } = await runFor(60, definition, { work });

    const [visit] = await visits();
    expect(visit).toMatchObject({ state: 'Work', type: 'Task', status: 'succeeded', error: undefined });
    expect(visit?.attempts.map(({ result, waitedMs, error }) => [result, waitedMs, error])).toEqual([
      ['failed', undefined, 'Busy'],
      ['failed', 2000, 'Busy'],
      ['succeeded', 4000, undefined],
    ]);
    expect(present(visit?.leftAtMs) - present(visit?.enteredAtMs)).toBe(6000);
    expect(progressOf(await visits()).get('Work')).toEqual({ status: 'succeeded', visits: 1, retries: 2 });
  });

  it('say what was caught, and that the execution went the way of Catch', async () => {
    const definition = machine({
      Work: task({ Catch: [{ ErrorEquals: ['Lost'], Next: 'Mend' }], Next: 'Mend' }),
      Mend: pass(),
    });

    const { visits } = await runFor(1, definition, { work: fail('Lost') });

    expect(await visits()).toMatchObject([
      { state: 'Work', status: 'caught', error: 'Lost' },
      { state: 'Mend', status: 'succeeded', error: undefined },
    ]);
    expect([...waysTaken(await visits())]).toEqual([
      [`flow ${START} Work`, 1],
      ['catch Work Mend', 1],
    ]);
  });

  it('tell a callback that nobody answered from one that failed', async () => {
    const definition = machine({
      Await: callback({ TimeoutSeconds: 5, Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Done' }] }),
      Done: { Type: 'Succeed' },
    });

    const { visits } = await runFor(6, definition, { register: succeed(null) });

    const [first, last] = await visits();
    expect(first).toMatchObject({ status: 'caught', error: 'States.Timeout' });
    expect(first?.attempts).toMatchObject([{ result: 'timedOut', timeoutSeconds: 5 }]);
    expect(last).toMatchObject({ state: 'Done', status: 'succeeded' });
    expect(waysTaken(await visits()).get(`flow Done ${END}`)).toBe(1);
  });

  it('end in the state that failed, with its error', async () => {
    const { visits } = await runFor(1, machine({ Work: task() }), { work: fail('Broken') });

    expect(await visits()).toMatchObject([{ status: 'failed', error: 'Broken' }]);
    expect(present((await visits())[0]).leftAtMs).toBeDefined();
  });

  it('end at a Fail state, with the error it gives', async () => {
    const { visits } = await runFor(1, machine({ No: { Type: 'Fail', Error: 'Refused', Cause: 'why' } }));

    expect(await visits()).toMatchObject([{ state: 'No', status: 'failed', error: 'Refused', cause: 'why' }]);
    expect(waysTaken(await visits()).get(`flow No ${END}`)).toBe(1);
  });

  it('end in the state in which the execution was stopped', async () => {
    const run = await runFor(1, machine({ Await: callback({ TimeoutSeconds: 100 }) }), {
      register: succeed(null),
    });
    expect(await run.visits()).toMatchObject([{ status: 'running', leftAtMs: undefined }]);

    await run.stop();

    expect(await run.visits()).toMatchObject([{ status: 'aborted', error: 'Enough' }]);
  });

  it('end in the state in which the execution ran out of time', async () => {
    const definition = machine({ Await: callback({ TimeoutSeconds: 100 }) }, { TimeoutSeconds: 3 });

    const { visits } = await runFor(4, definition, { register: succeed(null) });

    expect(await visits()).toMatchObject([{ status: 'timedOut' }]);
  });

  it('hold an evaluation that failed and was caught', async () => {
    const definition = machine({
      Work: task({
        Arguments: { FunctionName: 'work', Payload: '{% $states.input.none.none + "a" %}' },
        Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'Mend' }],
        Next: 'Mend',
      }),
      Mend: pass(),
    });

    const { visits } = await runFor(1, definition);

    expect(await visits()).toMatchObject([
      { status: 'caught', error: 'States.QueryEvaluationError' },
      { state: 'Mend' },
    ]);
  });

  it('count a way back each time that it is taken', async () => {
    const definition = machine({
      Count: pass({ Output: { a: '{% $states.input.a + 1 %}' }, Next: 'Enough' }),
      Enough: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $states.input.a > 3 %}', Next: 'Done' }],
        Default: 'Count',
      },
      Done: { Type: 'Succeed' },
    });

    const { visits } = await runFor(1, definition);

    expect(progressOf(await visits()).get('Count')).toMatchObject({ visits: 3, retries: 0 });
    const taken = waysTaken(await visits());
    expect([taken.get('flow Count Enough'), taken.get('flow Enough Count')]).toEqual([3, 2]);
  });
});

describe('the retry to come', () => {
  /** After one attempt that failed, and no time. */
  async function waiting(retrier: Record<string, unknown>, work: Handler = fail('Busy'), seconds = 0) {
    const definition = machine({ Work: task({ Retry: [{ ...BUSY_RETRY, ...retrier }] }) });
    const { visits } = await runFor(seconds, definition, { work });
    const visit = present((await visits())[0]);
    const state = parseDefinition(JSON.stringify(definition)).states.get('Work');
    const retry = nextRetryOf(visit, state);
    const failedAtMs = present(visit.attempts.at(-1)?.endedAtMs ?? visit.leftAtMs);
    return retry && [retry.atEarliestMs - failedAtMs, retry.atLatestMs - failedAtMs];
  }

  it('comes when the backoff has passed', async () => {
    expect(await waiting({})).toEqual([2000, 2000]);
    expect(await waiting({}, fail('Busy'), 2)).toEqual([4000, 4000]);
  });

  it('comes at any time up to the backoff with full jitter', async () => {
    expect(await waiting({ JitterStrategy: 'FULL', IntervalSeconds: 8 })).toEqual([0, 8000]);
  });

  it('comes no later than the longest delay', async () => {
    expect(await waiting({ IntervalSeconds: 8, MaxDelaySeconds: 9 }, fail('Busy'), 8)).toEqual([9000, 9000]);
  });

  it('comes by States.ALL, and by States.TaskFailed, as well', async () => {
    expect(await waiting({ ErrorEquals: ['States.ALL'] })).toEqual([2000, 2000]);
    expect(await waiting({ ErrorEquals: ['States.TaskFailed'] })).toEqual([2000, 2000]);
  });

  it('counts the attempts of each retrier apart', async () => {
    const definition = machine({
      Work: task({ Retry: [BUSY_RETRY, { ...BUSY_RETRY, ErrorEquals: ['Slow'], IntervalSeconds: 5 }] }),
    });
    const { visits } = await runFor(2, definition, { work: inTurn(fail('Busy'), fail('Slow')) });
    const visit = present((await visits())[0]);
    const state = parseDefinition(JSON.stringify(definition)).states.get('Work');

    expect(present(nextRetryOf(visit, state)).atLatestMs - present(visit.attempts[1]?.endedAtMs)).toBe(5000);
  });

  it('is none while an attempt runs', async () => {
    const definition = machine({ Await: callback({ Retry: [BUSY_RETRY] }) });
    const { visits } = await runFor(3, definition, { register: inTurn(fail('Busy'), succeed(null)) });
    const visit = present((await visits())[0]);
    expect(visit.attempts.map(({ result }) => result)).toEqual(['failed', 'running']);

    expect(
      nextRetryOf(visit, parseDefinition(JSON.stringify(definition)).states.get('Await')),
    ).toBeUndefined();
  });

  it('is none when the task has succeeded, or has failed for good', async () => {
    expect(await waiting({}, succeed(1))).toBeUndefined();
    expect(await waiting({}, fail('Other'))).toBeUndefined();
    expect(await waiting({ MaxAttempts: 1 }, fail('Busy'), 3)).toBeUndefined();
  });
});

describe('the rows of a history', () => {
  it('name the state of each event, the time since the start, and the waits of Retry', async () => {
    const definition = machine({ Work: task({ Retry: [BUSY_RETRY], Next: 'Done' }), Done: pass() });
    const { history } = await runFor(3, definition, { work: inTurn(fail('Busy'), succeed(1)) });

    const rows = historyRows(await history()).map(({ event, state, elapsedMs, retryWaitedMs, tone }) => [
      event.type,
      state,
      elapsedMs,
      retryWaitedMs,
      tone,
    ]);

    expect(rows).toEqual([
      ['ExecutionStarted', '', 0, undefined, undefined],
      ['TaskStateEntered', 'Work', 0, undefined, undefined],
      ['TaskScheduled', 'Work', 0, undefined, undefined],
      ['TaskStarted', 'Work', 0, undefined, undefined],
      ['TaskFailed', 'Work', 0, undefined, 'warn'],
      ['TaskScheduled', 'Work', 2000, 2000, undefined],
      ['TaskStarted', 'Work', 2000, undefined, undefined],
      ['TaskSucceeded', 'Work', 2000, undefined, undefined],
      ['TaskStateExited', 'Work', 2000, undefined, undefined],
      ['PassStateEntered', 'Done', 2000, undefined, undefined],
      ['PassStateExited', 'Done', 2000, undefined, undefined],
      ['ExecutionSucceeded', '', 2000, undefined, undefined],
    ]);
  });

  it('mark how an execution failed', async () => {
    const { history } = await runFor(1, machine({ Work: task() }), { work: fail('Broken') });

    const marked = historyRows(await history()).filter(({ tone }) => tone !== undefined);

    expect(marked.map(({ event, tone }) => [event.type, tone])).toEqual([
      ['TaskFailed', 'warn'],
      ['ExecutionFailed', 'bad'],
    ]);
  });
});
