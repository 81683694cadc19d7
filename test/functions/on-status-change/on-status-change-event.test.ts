import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { onStatusChangeEvent } from '../../../functions/on-status-change/on-status-change.ts';
import { captureOutput, lambdaContext } from '../../helpers/lambda.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { newSession } from '../../helpers/sessions.ts';
import { statusChangeEvent } from '../../helpers/status-change.ts';
import { useTable } from '../../helpers/table.ts';

const table = useTable();
const stepFunctions = mockClient(SFNClient);
const eventBridge = mockClient(EventBridgeClient);
const region = 'us-west-2';
const NOW_MS = Date.UTC(2026, 0, 1, 12);
const SECRET = 'a=ice-pwd:SECRET';

beforeEach(() => {
  stepFunctions.reset();
  stepFunctions.on(StartExecutionCommand).resolves({});
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
});

function prepare() {
  const output = captureOutput();
  const { documents, name } = table();
  const handler = onStatusChangeEvent.handler(
    {
      documents,
      stepFunctionsSingleAttempt: new SFNClient({ region }),
      eventBridge: new EventBridgeClient({ region }),
      gameLiftStreams: new GameLiftStreamsClient({ region }),
      sqs: new SQSClient({ region }),
    },
    {
      clock: new VirtualClock(NOW_MS),
      environment: {
        TABLE_NAME: name,
        EVENT_BUS_NAME: 'bus',
        EVENT_SOURCE: 'stream-session-reconnection',
        RECONNECTION_WINDOW_ARN: 'arn:aws:states:us-west-2:111122223333:stateMachine:reconnection-window',
        DEFAULT_CONNECTION_TIMEOUT_SECONDS: '120',
        WINDOW_MARGIN_SECONDS: '2',
        TERMINATE_ABANDONED_SESSIONS: 'false',
        OUTCOME_RETENTION_DAYS: '30',
        READS_PER_SECOND: '20',
        QUEUE_URL: 'http://127.0.0.1:1/queue',
      },
    },
  );
  return { output, handle: (event: unknown) => handler(event, lambdaContext()) };
}

describe('an invocation by the event bus', () => {
  it('opens a window and logs it with the session and the execution', async () => {
    const session = newSession();
    const { handle, output } = prepare();

    expect(await handle(statusChangeEvent({ session, atMs: NOW_MS }))).toEqual({ result: 'WINDOW_OPENED' });

    expect(output.lines()).toMatchObject([
      { message: 'WindowOpened', ...session, executionName: `${session.streamSessionId}-1` },
      { message: 'WindowStarted', ...session, executionName: `${session.streamSessionId}-1` },
    ]);
  });

  it.each<[string, unknown]>([
    ['text', SECRET],
    ['nothing', undefined],
    ['a list', [SECRET]],
    ['another event', { 'detail-type': SECRET, detail: { [SECRET]: SECRET } }],
  ])('with %s ends well, for a retry would bring the same again', async (_, event) => {
    const { handle, output } = prepare();

    expect(await handle(event)).toEqual({ result: 'REJECTED' });

    expect(eventBridge.commandCalls(PutEventsCommand)).toHaveLength(1);
    const entries = eventBridge.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries;
    expect(JSON.stringify(entries)).not.toContain('SECRET');
    expect(output.text()).not.toContain('SECRET');
    expect(output.lines()).toMatchObject([{ level: 'WARN', message: 'EventRejected' }]);
  });

  it('fails with a known error, and logs which session it failed for', async () => {
    const session = newSession();
    const { handle, output } = prepare();
    stepFunctions.on(StartExecutionCommand).rejects(new Error(SECRET));

    const event = statusChangeEvent({ session, atMs: NOW_MS });
    await expect(handle(event)).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
      message: 'A service that the workflow is built on did not answer.',
    });

    expect(output.text()).not.toContain('SECRET');
    expect(output.lines().at(-1)).toMatchObject({
      level: 'ERROR',
      message: 'TaskFailed',
      errorName: 'DependencyUnavailableException',
      ...session,
    });
  });

  it('fails with fixed words where it meets a bug', async () => {
    const { handle, output } = prepare();
    eventBridge.on(PutEventsCommand).callsFake(() => {
      throw Object.assign(new Error(SECRET), { name: 'InvalidArgument', $metadata: { httpStatusCode: 400 } });
    });

    await expect(handle({})).rejects.toMatchObject({
      name: 'UnexpectedError',
      message: 'The task failed in a way it does not know.',
    });

    expect(output.text()).not.toContain('SECRET');
  });
});
