import { DescribeExecutionCommand, ExecutionDoesNotExist, SFNClient } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseExecutionFailure } from '../../../functions/on-execution-failure/on-execution-failure.ts';
import { DependencyUnavailableException } from '../../../functions/shared/runtime/errors.ts';
import { sample } from '../../contract/contracts.ts';
import { executionFailureEvent } from '../../helpers/execution-failure.ts';
import { mockClient } from '../../helpers/mock-client.ts';

const SESSION = { streamGroupId: 'sg-1AB2C3De4', streamSessionId: 'ABC123def4567' };
const INPUT = JSON.stringify({ ...SESSION, generation: 1 });
const stepFunctions = mockClient(SFNClient);
const client = new SFNClient({ region: 'us-west-2' });

const parse = (event: unknown) => parseExecutionFailure(event, client);

beforeEach(() => {
  stepFunctions.reset();
});

describe('the event of a failed execution', () => {
  it.each(['failed', 'timed-out', 'aborted'])('names its window: the sample %s', async (how) => {
    expect(await parse(sample(`execution-status-change.${how}.json`))).toEqual({
      ...SESSION,
      generation: 1,
      executionName: 'ABC123def4567-1',
      status: how.replace('-', '_').toUpperCase(),
    });
    expect(stepFunctions.calls()).toHaveLength(0);
  });

  it.each([[null], [undefined]])(
    'without an input (%j) has it read, as with a key of the customer',
    async (input) => {
      stepFunctions.on(DescribeExecutionCommand).resolves({ input: INPUT });
      const event = executionFailureEvent(SESSION, 1, { input, inputDetails: { included: false } });

      expect(await parse(event)).toMatchObject({ ...SESSION, generation: 1 });

      expect(stepFunctions.commandCalls(DescribeExecutionCommand)[0]?.args[0].input).toEqual({
        executionArn: event.detail.executionArn,
      });
    },
  );

  it('without an input is nobody’s when its execution is gone', async () => {
    stepFunctions
      .on(DescribeExecutionCommand)
      .rejects(new ExecutionDoesNotExist({ message: 'gone', $metadata: {} }));

    expect(await parse(executionFailureEvent(SESSION, 1, { input: null }))).toBeUndefined();
  });

  it('without an input that cannot be read is handled again later', async () => {
    stepFunctions
      .on(DescribeExecutionCommand)
      .rejects(Object.assign(new Error('down'), { name: 'TimeoutError' }));

    await expect(parse(executionFailureEvent(SESSION, 1, { input: null }))).rejects.toThrow(
      DependencyUnavailableException,
    );
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['that ended well', { status: 'SUCCEEDED' }],
    ['that has begun', { status: 'RUNNING' }],
    ['whose input is no JSON', { input: 'secret' }],
    ['whose input names no session', { input: '{}' }],
    ['whose input names a session that cannot be', { input: INPUT.replace('sg-1AB2C3De4', '../etc') }],
    ['whose name is not its window’s', { name: 'tried-by-hand' }],
    ['whose input is of another window', { input: INPUT.replace('"generation":1', '"generation":2') }],
  ])('of one %s is no window’s', async (_, overrides) => {
    expect(await parse(executionFailureEvent(SESSION, 1, overrides))).toBeUndefined();
  });

  it.each([
    ['nothing', undefined],
    ['of another service', { ...executionFailureEvent(SESSION), source: 'aws.ec2' }],
    ['of another type', { ...executionFailureEvent(SESSION), 'detail-type': 'Another' }],
  ])('that is %s is no window’s', async (_, event) => {
    expect(await parse(event)).toBeUndefined();
  });
});
