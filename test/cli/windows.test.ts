import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../cli/windows/run.ts';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { updateWindow } from '../../functions/shared/window/window-item.ts';
import { type DynamoDb, startDynamoDb } from '../../local/dynamodb/server.ts';
import { mockClient } from '../helpers/mock-client.ts';
import { newSession } from '../helpers/sessions.ts';
import { LOCAL_CLIENT, TABLE_DEFINITION, tableAt } from '../helpers/table.ts';
import { givenFailedWindow, givenOpenWindow, givenRunningWindow, windowOf } from '../helpers/windows.ts';

const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:reconnection-window';
const NOW_MS = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;
const AUDIT = ['--bus', 'bus', '--events-endpoint', 'http://127.0.0.1:4702'];
const sfn = mockClient(SFNClient);
const bus = mockClient(EventBridgeClient);

let server: DynamoDb;
let table: ReturnType<typeof tableAt>;
beforeAll(async () => {
  server = await startDynamoDb({ port: 0, region: LOCAL_CLIENT.region, tables: [TABLE_DEFINITION] });
  table = tableAt(server.url);
});
afterAll(async () => {
  table.documents.destroy();
  await server.close();
});
beforeEach(() => {
  sfn.reset();
  bus.reset();
  bus.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
  sfn.on(StartExecutionCommand).resolves({});
});

async function command(...args: string[]): Promise<{ code: number; told: string }> {
  const told: string[] = [];
  const code = await run(args, { clock: new VirtualClock(NOW_MS), tell: (text) => told.push(text) });
  return { code, told: told.join('') };
}

const retry = (...args: string[]) =>
  command(
    'retry',
    ...args,
    ...['--table', TABLE_DEFINITION.TableName, '--state-machine', MACHINE, '--endpoint', server.url],
    ...AUDIT,
  );

const failed = (error: string, agoMs = HOUR, session = newSession()) =>
  // A failed window of these tests is closed a minute after its disconnect.
  givenFailedWindow(table, session, { disconnectedAtMs: NOW_MS - agoMs - 60_000, error }).then(() => session);
const nameOf = ({ streamGroupId, streamSessionId }: SessionKey) => `${streamGroupId}/${streamSessionId}`;
const started = () => sfn.commandCalls(StartExecutionCommand).map(({ args: [{ input }] }) => input.name);

describe('npm run windows -- retry <session>', () => {
  it('gives the failed window to the next execution, which looks before it waits', async () => {
    const session = await failed('InternalServerException');

    const { code, told } = await retry(nameOf(session));

    expect({ code, told }).toEqual({
      code: 0,
      told: `${nameOf(session)} window 1: failed at 2026-01-01T11:00:00.000Z with InternalServerException. Started: ${session.streamSessionId}-2\n`,
    });
    expect(started()).toEqual([`${session.streamSessionId}-2`]);
    const { disconnectedAtMs } = await windowOf(table, session);
    expect(disconnectedAtMs).toBe(NOW_MS - HOUR - 60_000);
    // The same row of failures, so that a late record of the first execution makes no second outcome.
    expect(await windowOf(table, session)).toMatchObject({ generation: 2, seq: 1, failedBefore: 1 });
  });

  it.each([
    ['its id alone', ({ streamSessionId }: SessionKey) => streamSessionId],
    [
      'its ARN',
      ({ streamGroupId, streamSessionId }: SessionKey) =>
        `arn:aws:gameliftstreams:us-west-2:123456789012:streamsession/${streamGroupId}/${streamSessionId}`,
    ],
  ])('finds the session by %s', async (_, textOf) => {
    const session = await failed('SessionNotFound');

    expect((await retry(textOf(session))).code).toBe(0);

    expect(started()).toEqual([`${session.streamSessionId}-2`]);
  });

  it('is on record before and after, and not at all with --dry-run', async () => {
    const session = await failed('UnexpectedError');
    await retry(nameOf(session), '--dry-run');
    expect(bus.commandCalls(PutEventsCommand)).toHaveLength(0);

    await retry(nameOf(session));

    const records = bus
      .commandCalls(PutEventsCommand)
      .map(({ args: [{ input }] }) => input.Entries?.[0]?.Detail ?? '');
    expect(records.map((detail) => JSON.parse(detail))).toMatchObject([
      { command: 'RETRY', result: 'REQUESTED', ...session, caller: 'local' },
      { command: 'RETRY', result: 'DONE', windows: 1 },
    ]);
  });

  it('retries however often the disconnect has failed', async () => {
    const session = await failed('UnexpectedError');
    await updateWindow(table, session, {
      UpdateExpression: 'SET failedBefore = :nine',
      ExpressionAttributeValues: { ':nine': 9 },
    });

    await retry(nameOf(session));

    expect(await windowOf(table, session)).toMatchObject({ generation: 2, failedBefore: 10 });
  });

  it('changes nothing with --dry-run', async () => {
    const session = await failed('UnexpectedError');

    const { code, told } = await retry(nameOf(session), '--dry-run');

    expect(code).toBe(0);
    expect(told).toContain('with UnexpectedError\n');
    expect(started()).toEqual([]);
    expect(await windowOf(table, session)).toMatchObject({ generation: 1, phase: 'FAILED' });
  });

  it('leaves a window that runs to its execution', async () => {
    const session = newSession();
    await givenRunningWindow(table, session, { disconnectedAtMs: NOW_MS });

    const { code, told } = await retry(nameOf(session));

    expect(code).toBe(0);
    expect(told).toContain(`Nothing to retry: ${session.streamSessionId}-1 has it`);
    expect(started()).toEqual([]);
  });

  it('starts a window that was opened and never started', async () => {
    const session = newSession();
    await givenOpenWindow(table, session, { disconnectedAtMs: NOW_MS });

    await retry(nameOf(session));

    expect(started()).toEqual([`${session.streamSessionId}-1`]);
  });

  it('takes the next number where the name of the execution is taken', async () => {
    const session = await failed('UnexpectedError');
    sfn
      .on(StartExecutionCommand)
      .rejectsOnce(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }))
      .resolves({});

    const { told } = await retry(nameOf(session));

    expect(told).toContain(`Started: ${session.streamSessionId}-3`);
  });

  it('says that it knows no window of the session, and ends with 1', async () => {
    expect(await retry('sg-1/nobody')).toEqual({
      code: 1,
      told: 'The table has no window of this session.\n',
    });
    expect((await retry('nobody')).code).toBe(1);
  });
});

describe('npm run windows -- retry --failed-since', () => {
  it('retries what failed since then, but not what the service did not know', async () => {
    const old = await failed('InternalServerException', 40 * HOUR);
    const recent = await failed('InternalServerException', 30 * HOUR);
    await failed('SessionNotFound', 30 * HOUR);
    const inTime = (names: (string | undefined)[]) => names.filter((name) => name?.endsWith('-2'));

    const { code, told } = await retry('--failed-since', '2025-12-31T00:00:00Z');

    expect(code).toBe(0);
    expect(inTime(started())).toContain(`${recent.streamSessionId}-2`);
    expect(inTime(started())).not.toContain(`${old.streamSessionId}-2`);
    expect(told).toMatch(/\d+ failed windows?, \d+ left out \(SessionNotFound\); \d+ started\.\n$/);
    // What is retried is failed no longer.
    expect((await retry('--failed-since', '2025-12-31T00:00:00Z')).told).toContain('0 failed windows');
  });

  it('says so when the table has more pages than it may read', async () => {
    const padding = 'x'.repeat(300_000);
    for (let count = 0; count < 5; count++) {
      const session = await failed('UnexpectedError', 0);
      await updateWindow(table, session, {
        UpdateExpression: 'SET padding = :padding',
        ExpressionAttributeValues: { ':padding': padding },
      });
    }

    const { code, told } = await retry('--failed-since', '1m', '--max-pages', '1', '--dry-run');

    expect(code).toBe(1);
    expect(told).toContain('The table has more than 1 pages. Run it again with a larger --max-pages.');
  });
});

describe('npm run windows -- list --json', () => {
  it('is JSON that shows no control character of what others wrote', async () => {
    const failure = 'x\x1b[2J\x85\x9b2J\x7f\u202e\u2028y';
    const session = await failed(failure);

    const { told } = await command(
      ...['list', '--json', '--state', 'FAILED', '--group', session.streamGroupId],
      ...['--table', TABLE_DEFINITION.TableName, '--endpoint', server.url],
    );

    expect(told).toMatch(/^[\n\x20-\x7e]*$/);
    const mine = JSON.parse(told).windows.find(
      (window: { streamSessionId: string }) => window.streamSessionId === session.streamSessionId,
    );
    expect(mine.failure).toBe(failure);
  });
});

describe('npm run windows -- list --watch', () => {
  it('draws what fits on the screen again and again, until it is stopped', async () => {
    for (let count = 0; count < 5; count++)
      await givenOpenWindow(table, newSession(), { disconnectedAtMs: NOW_MS });
    let nowMs = NOW_MS;
    const stop = new AbortController();
    let drawings = 0;
    const told: string[] = [];

    const code = await run(
      ['list', '--watch', '--table', TABLE_DEFINITION.TableName, '--endpoint', server.url],
      {
        // Time stands still but in the pauses.
        clock: {
          nowMs: () => nowMs,
          sleep: () => Promise.reject(new Error('It sets timers.')),
          setTimer: (delayMs, callback) => {
            nowMs += delayMs;
            queueMicrotask(callback);
            return () => {};
          },
        },
        tell: (text) => {
          told.push(text);
          if (text.endsWith('Ctrl-C stops.\n') && ++drawings === 2) stop.abort();
        },
        screen: { rows: () => 5, catchStop: () => stop.signal },
      },
    );

    expect(code).toBe(0);
    const [first, second] = told.join('').split('\x1b[H\x1b[2J').slice(1);
    expect(first?.split('\n')).toHaveLength(6);
    expect(first).toMatch(/^SESSION.*\n.*\n… and \d+ more lines\.\n\n2026-01-01T12:00:00/);
    expect(second).toContain('2026-01-01T12:00:02');
  });
});

describe('npm run windows', () => {
  const rest = ['--table', 't', '--state-machine', MACHINE, '--bus', 'bus'];

  it.each([
    [[], 'The command is one of: list, show, end, drain, retry.'],
    [['mend', ...rest], 'The command is one of: list, show, end, drain, retry.'],
    [['retry', ...rest], 'Name either a session or --failed-since.'],
    [['retry', 'sg-1/a', '--failed-since', '1h', ...rest], 'Name either a session or --failed-since.'],
    [['retry', 'sg-1/a', 'sg-1/b', ...rest], 'Name one session.'],
    [['retry', 'a/b/c', ...rest], 'A session is <stream group id>/<stream session id>, an ARN, or an id.'],
    [['retry', 'sg-1/a', '--state-machine', MACHINE], '--table names the service’s table.'],
    [['retry', 'sg-1/a', '--table', 't', '--state-machine', 'x'], '--state-machine takes the ARN'],
    [['retry', '--failed-since', 'yesterday', ...rest], '--failed-since takes 90m, 6h, 2d'],
    [['retry', '--failed-since', '2027-01-01T00:00:00Z', ...rest], '--failed-since takes 90m, 6h, 2d'],
    [['retry', 'sg-1/a', '--max-pages', '0', ...rest], '--max-pages takes a whole number from 1.'],
    [['retry', 'sg-1/a', '--dry', ...rest], '--dry'],
  ])('says what is wrong with a call: %j', async (args, told) => {
    const result = await command(...args);

    expect(result.code).toBe(2);
    expect(result.told).toContain(told);
    expect(result.told.trimEnd().split('\n')).toHaveLength(2);
  });

  it('names the error when the table is not there', async () => {
    const at = ['--state-machine', MACHINE, '--endpoint', server.url, ...AUDIT];

    const { code, told } = await command('retry', 'sg-1/a', '--table', 'Another', ...at);

    expect(code).toBe(1);
    expect(told).toContain('Stopped: ResourceNotFoundException');
  });

  it('explains itself', async () => {
    const { code, told } = await command('--help');

    expect(code).toBe(0);
    expect(told).toContain('--failed-since <time>');
    expect(told).toContain('WindowOperatorPolicyArn');
  });
});
