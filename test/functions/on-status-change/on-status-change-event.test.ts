import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { onStatusChangeEvent } from '../../../functions/on-status-change/on-status-change.ts';
import { type SessionKey, windowOpenedDetailSchema } from '../../../functions/shared/contracts/index.ts';
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
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
});

function prepare() {
  const output = captureOutput();
  const { documents, name } = table();
  const clock = new VirtualClock(NOW_MS);
  const handler = onStatusChangeEvent.handler(
    {
      documents,
      stepFunctionsSingleAttempt: new SFNClient({ region }),
      eventBridge: new EventBridgeClient({ region }),
      gameLiftStreams: new GameLiftStreamsClient({ region }),
      sqs: new SQSClient({ region }),
    },
    {
      clock,
      environment: {
        TABLE_NAME: name,
        EVENT_BUS_NAME: 'bus',
        EVENT_SOURCE: 'stream-session-reconnection',
        RECONNECTION_WINDOW_ARN: 'arn:aws:states:us-west-2:111122223333:stateMachine:reconnection-window',
        DEFAULT_CONNECTION_TIMEOUT_SECONDS: '120',
        WINDOW_MARGIN_SECONDS: '2',
        TERMINATE_ABANDONED_SESSIONS: 'false',
        ALLOW_EARLY_END: 'false',
        OUTCOME_RETENTION_DAYS: '30',
        READS_PER_SECOND: '20',
        QUEUE_URL: 'http://127.0.0.1:1/queue',
      },
    },
  );
  return { output, clock, handle: (event: unknown) => handler(event, lambdaContext()) };
}

describe('an invocation by the event bus', () => {
  it('opens a window and logs it with the session and the execution', async () => {
    const session = newSession();
    const { handle, output } = prepare();

    expect(await handle(statusChangeEvent({ session, atMs: NOW_MS }))).toMatchObject({
      result: 'WINDOW_OPENED',
    });

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

describe('a batch that has opened windows', () => {
  const message = (session: SessionKey, receiveCount = 1) => ({
    eventSource: 'aws:sqs',
    messageId: `id-${session.streamSessionId}`,
    receiptHandle: 'handle',
    body: JSON.stringify(statusChangeEvent({ session, atMs: NOW_MS })),
    attributes: { SentTimestamp: String(NOW_MS), ApproximateReceiveCount: String(receiveCount) },
  });
  const batchOf = (...records: readonly object[]) => ({ Records: records });
  const calls = () => eventBridge.commandCalls(PutEventsCommand);
  const announcements = () =>
    calls()
      .flatMap(({ args: [{ input }] }) => input.Entries ?? [])
      .map(({ Detail = '', DetailType }) => ({
        DetailType,
        ...windowOpenedDetailSchema.parse(JSON.parse(Detail)),
      }));
  const takesAll = () =>
    eventBridge
      .on(PutEventsCommand)
      .callsFake(({ Entries = [] }: { readonly Entries?: readonly object[] }) => ({
        FailedEntryCount: 0,
        Entries: Entries.map(() => ({ EventId: 'e' })),
      }));
  const nothingLeft = { batchItemFailures: [] };

  it('announces them all in one call', async () => {
    const sessions = Array.from({ length: 10 }, newSession);
    const { handle } = prepare();
    takesAll();

    expect(await handle(batchOf(...sessions.map((session) => message(session))))).toEqual(nothingLeft);

    expect(calls()).toHaveLength(1);
    expect(announcements()).toMatchObject(
      sessions.map((session) => ({
        ...session,
        DetailType: 'Stream Session Reconnection Window Opened',
        generation: 1,
        sequence: 1,
        disconnectedAt: new Date(NOW_MS).toISOString(),
        deadline: new Date(NOW_MS + 120_000).toISOString(),
        reportedBy: 'FEED',
        executionUrl: expect.stringContaining(`:execution:reconnection-window:${session.streamSessionId}-1`),
      })),
    );
  });

  it('has opened and started them before it meets a bus that is away, and gets their events back', async () => {
    const [one, other] = [newSession(), newSession()];
    const { handle } = prepare();
    eventBridge.on(PutEventsCommand).rejects(new Error('connect ECONNREFUSED'));

    const reply = await handle(batchOf(message(one), message(other)));

    expect(reply).toEqual({
      batchItemFailures: [one, other].map(({ streamSessionId }) => ({
        itemIdentifier: `id-${streamSessionId}`,
      })),
    });
    expect(stepFunctions.commandCalls(StartExecutionCommand)).toHaveLength(2);
  });

  it('asks a bus that is away once in five seconds, so that it delays no other opening', async () => {
    const { handle, clock } = prepare();
    eventBridge.on(PutEventsCommand).rejectsOnce(new Error('connect ECONNREFUSED'));
    const first = newSession();
    await handle(batchOf(message(first)));
    takesAll();

    expect(await handle(batchOf(message(newSession())))).not.toEqual(nothingLeft);
    expect(calls()).toHaveLength(1);
    await clock.advance(5000);
    expect(await handle(batchOf(message(first, 2)))).toEqual(nothingLeft);

    expect(announcements().at(-1)).toMatchObject({ ...first, sequence: 1 });
  });

  it('announces nothing again for a duplicate that comes for the first time', async () => {
    const session = newSession();
    const { handle } = prepare();
    takesAll();
    await handle(batchOf(message(session)));

    await handle(batchOf(message(session)));

    expect(announcements()).toHaveLength(1);
  });

  it('announces what an invocation that died in between has left, when the queue hands it over again', async () => {
    const session = newSession();
    await prepare().handle(statusChangeEvent({ session, atMs: NOW_MS }));
    eventBridge.resetHistory();
    takesAll();

    await prepare().handle(batchOf(message(session, 2)));

    expect(announcements()).toMatchObject([{ ...session, generation: 1 }]);
  });
});
