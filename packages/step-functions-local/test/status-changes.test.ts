import {
  CreateStateMachineCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { LOCAL_CREDENTIALS, VirtualClock } from 'local-server-kit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ExecutionStatusChange, startStepFunctions } from '../src/index.ts';
import { machine, ROLE, wait } from '../src/testing/index.ts';

/** The `detail` of the event: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
const DOCUMENTED_MEMBERS = [
  'executionArn',
  'stateMachineArn',
  'name',
  'status',
  'startDate',
  'stopDate',
  'input',
  'inputDetails',
  'output',
  'outputDetails',
  'stateMachineVersionArn',
  'stateMachineAliasArn',
  'redriveCount',
  'redriveDate',
  'redriveStatus',
  'redriveStatusReason',
  'error',
  'cause',
];

async function start() {
  const clock = new VirtualClock();
  const changes: ExecutionStatusChange[] = [];
  const server = await startStepFunctions({
    port: 0,
    clock,
    random: () => 0.5,
    invokeLambda: () => Promise.reject(new Error('There are no functions.')),
    onStatusChange: (change) => changes.push(change),
  });
  const client = new SFNClient({
    region: 'us-east-1',
    credentials: LOCAL_CREDENTIALS,
    endpoint: server.url,
    disableHostPrefix: true,
  });
  const close = async () => {
    client.destroy();
    await server.close();
  };
  onTestFinished(close);
  return {
    clock,
    client,
    changes,
    close,
    async begin(definition: object, input = '{}', type: 'STANDARD' | 'EXPRESS' = 'STANDARD') {
      const created = await client.send(
        new CreateStateMachineCommand({
          name: 'm',
          type,
          roleArn: ROLE,
          definition: JSON.stringify(definition),
        }),
      );
      const { stateMachineArn } = created;
      const { executionArn } = await client.send(
        new StartExecutionCommand({ stateMachineArn, name: 'e', input }),
      );
      await clock.idle();
      return executionArn;
    },
  };
}

const statuses = (changes: readonly ExecutionStatusChange[]) => changes.map(({ status }) => status);

describe('an execution tells how it stands', () => {
  it('when it has begun, and when it has ended well', async () => {
    const { clock, changes, begin } = await start();
    const startDate = clock.nowMs();
    const executionArn = await begin(machine({ A: wait() }), '{"a":1}');
    await clock.advance(60_000);

    expect(statuses(changes)).toEqual(['RUNNING', 'SUCCEEDED']);
    expect(changes[0]).toMatchObject({
      executionArn,
      startDate,
      stopDate: null,
      output: null,
      outputDetails: null,
    });
    expect(changes[1]).toMatchObject({
      name: 'e',
      input: '{"a":1}',
      inputDetails: { included: true },
      outputDetails: { included: true },
      error: null,
    });
  });

  it('when it has failed, with its error', async () => {
    const { changes, begin } = await start();
    await begin(machine({ A: { Type: 'Fail', Error: 'Broken', Cause: 'because' } }));

    expect(statuses(changes)).toEqual(['RUNNING', 'FAILED']);
    expect(changes[1]).toMatchObject({ error: 'Broken', cause: 'because', output: null });
  });

  it('when it has timed out', async () => {
    const { clock, changes, begin } = await start();
    await begin({ ...machine({ A: { ...wait(), Seconds: 60 } }), TimeoutSeconds: 1 });
    await clock.advance(1000);

    expect(statuses(changes)).toEqual(['RUNNING', 'TIMED_OUT']);
  });

  it('when it was stopped, once', async () => {
    const { clock, client, changes, begin } = await start();
    const executionArn = await begin(machine({ A: wait() }));
    for (let stops = 0; stops < 2; stops++) await client.send(new StopExecutionCommand({ executionArn }));
    await clock.idle();

    expect(statuses(changes)).toEqual(['RUNNING', 'ABORTED']);
    expect(changes[1]).toMatchObject({ stopDate: clock.nowMs(), error: null, cause: null });
  });

  it('with every member that AWS documents, in its order', async () => {
    const { changes, begin } = await start();
    await begin(machine({ A: wait() }));

    expect(Object.keys(changes[0] ?? {})).toEqual(DOCUMENTED_MEMBERS);
  });

  it('without an input that is too large for an event', async () => {
    const { changes, begin } = await start();
    await begin(machine({ A: wait() }), JSON.stringify('x'.repeat(255_000)));

    expect(changes[0]).toMatchObject({ input: null, inputDetails: { included: false } });
  });

  it('unless it is an Express one', async () => {
    const { clock, changes, begin } = await start();
    await begin(machine({ A: wait() }), '{}', 'EXPRESS');
    await clock.advance(60_000);

    expect(changes).toEqual([]);
  });

  it('unless its server closes', async () => {
    const { changes, begin, close } = await start();
    await begin(machine({ A: wait() }));
    await close();

    expect(statuses(changes)).toEqual(['RUNNING']);
  });
});
