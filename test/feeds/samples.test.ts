import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { reportDisconnect } from '../../feeds/backend/report-disconnect.ts';
import {
  STATUS_CHANGE_DETAIL_TYPE,
  statusChangeDetailSchema,
} from '../../functions/shared/contracts/index.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const root = join(import.meta.dirname, '../..');
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.warn('There is no python3: the Python samples are not run.');

const entriesSchema = z.tuple([
  z.strictObject({
    EventBusName: z.literal('the-bus'),
    Source: z.literal('stream-session-reconnection'),
    DetailType: z.literal(STATUS_CHANGE_DETAIL_TYPE),
    Detail: z.string().transform((text): unknown => JSON.parse(text)),
  }),
]);

/** The details of what a sample has sent, one for each line that the stub has printed. */
function detailsIn(output: string) {
  return output
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [{ Detail }] = entriesSchema.parse(JSON.parse(line));
      return z.strictObject(statusChangeDetailSchema.shape).parse(Detail);
    });
}

function python(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return spawn('python3', args, {
    cwd: root,
    env: {
      ...process.env,
      PYTHONPATH: join(import.meta.dirname, 'stubs'),
      PYTHONDONTWRITEBYTECODE: '1',
      ...environment,
    },
  });
}

async function outputOf(child: ReturnType<typeof python>) {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

describe("a backend's sample in TypeScript", () => {
  it('opens a window with the exact deadline', async () => {
    const { clock, control, service, endpoints, window, ...run } = await startWorkflow({
      adapter: 'loopback',
    });
    const session = await run.session({ connectionTimeoutSeconds: 45 });
    const { streamGroupId, streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    const client = new EventBridgeClient({
      region: service.region,
      credentials: LOCAL_CREDENTIALS,
      endpoint: endpoints.eventBus,
    });
    onTestFinished(() => client.destroy());
    const { EVENT_BUS_NAME = '' } = resolveEnvironment(service, 'onStatusChange');

    await clock.track(() =>
      reportDisconnect(client, EVENT_BUS_NAME, {
        streamGroupId,
        streamSessionId,
        disconnectedAt: new Date(clock.nowMs()),
        connectionTimeoutSeconds: 45,
      }),
    );
    await clock.idle();

    expect((await window(session)).body).toMatchObject({
      phase: 'AWAITING_RECONNECTION',
      deadline: new Date(clock.nowMs() + 45_000).toISOString(),
    });
  });
});

describe.runIf(hasPython)("a backend's sample in Python", () => {
  const script = 'feeds/backend/report_disconnect.py';

  it('sends an event of the contract', async () => {
    const child = python([script, 'the-bus', 'sg-1AB2C3De4', 'ABC123def4567', '45']);
    const { code, stdout, stderr } = await outputOf(child);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(detailsIn(stdout)).toEqual([
      {
        version: '1',
        streamGroupId: 'sg-1AB2C3De4',
        streamSessionId: 'ABC123def4567',
        status: 'PENDING_CLIENT_RECONNECTION',
        statusChangedAt: expect.any(String),
        connectionTimeoutSeconds: 45,
      },
    ]);
  });

  it('fails when EventBridge has not taken the event', async () => {
    const child = python([script, 'the-bus', 'sg-1AB2C3De4', 'ABC123def4567'], { STUB_FAULTS: 'refused' });
    const { code, stderr } = await outputOf(child);

    expect(code).not.toBe(0);
    expect(stderr).toContain('InternalFailure');
  });
});

describe.runIf(hasPython)("the game process's sample", () => {
  const script = 'feeds/game-process/report_disconnects.py';
  const CALLER_ARN =
    'arn:aws:sts::111122223333:assumed-role/GameLiftStreams-game/streamsession_sg-1AB2C3De4_ABC123def4567_a-9ZY8X7Wv6';

  /** The service's end of the data channel; one client, as there is one game. */
  async function startDataChannel() {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    onTestFinished(() => {
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The data channel has no port.');
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
    return { port: address.port, connected };
  }

  /** Developer Guide, "Data channels": client id, event type, length in two bytes, data. */
  function frame(clientId: number, eventType: number, data = ''): Buffer {
    const bytes = Buffer.from(data);
    return Buffer.concat([Buffer.from([clientId, eventType, bytes.length >> 8, bytes.length & 0xff]), bytes]);
  }

  it('reports each lost client of its session, and nothing else that the channel says', async () => {
    const { port, connected } = await startDataChannel();
    const child = python([script, 'the-bus', String(port)], { STUB_CALLER_ARN: CALLER_ARN });
    const output = outputOf(child);
    const channel = await connected;
    const stream = Buffer.concat([
      frame(1, 0),
      // A message whose bytes look like a disconnect, longer than a byte can count.
      frame(1, 2, `${'\u0001'.repeat(300)}`),
      frame(1, 1),
      frame(2, 0),
      frame(2, 77, 'a type of the future'),
      frame(2, 1),
    ]);
    // In pieces, as TCP may bring it.
    for (let from = 0; from < stream.length; from += 7) channel.write(stream.subarray(from, from + 7));
    channel.end();

    const { code, stdout, stderr } = await output;

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(detailsIn(stdout)).toEqual(
      Array(2).fill({
        version: '1',
        streamGroupId: 'sg-1AB2C3De4',
        streamSessionId: 'ABC123def4567',
        status: 'PENDING_CLIENT_RECONNECTION',
        statusChangedAt: expect.any(String),
      }),
    );
  });

  /** Runs lines of Python that have the sample as `feed` and a Reporter whose waits take no time. */
  async function runReporter(lines: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const code = [
      'import sys, boto3',
      'sys.path.insert(0, "feeds/game-process")',
      'import report_disconnects as feed',
      'time = [0.0]',
      'def sleep(seconds): time[0] += seconds',
      'def detail(number): return {"statusChangedAt": str(number)}',
      'send = lambda detail: feed.send_report(boto3.client("events"), "the-bus", detail)',
      'def reporter(send=send): return feed.Reporter(send, sleep, lambda: time[0], lambda: 1.0)',
      ...lines,
    ].join('\n');
    return outputOf(python(['-c', code], environment));
  }
  const numbersIn = (stdout: string) =>
    [...stdout.matchAll(/\\"statusChangedAt\\": \\"(\d+)\\"/g)].map(([, number]) => Number(number));

  it('sends a report again until the bus has taken it, and the next ones after it', async () => {
    const { stdout, stderr } = await runReporter(
      [
        'one = reporter()',
        'one.report(detail(1))',
        'one.report(detail(2))',
        'one.finish()',
        'print(time[0])',
      ],
      { STUB_FAULTS: 'refused,raises,refused' },
    );

    expect(numbersIn(stdout)).toEqual([1, 2]);
    expect(stderr).toContain('InternalFailure');
    expect(stderr).toContain('The connection was closed.');
    // 1, 2 and 4 s at the most.
    expect(stdout.trim().split('\n').at(-1)).toBe('7.0');
  });

  it('drops a report that the bus has not taken for an hour, at 30 s between attempts, and says so', async () => {
    const { stdout, stderr } = await runReporter([
      'attempts = []',
      'def refuse(detail): attempts.append(detail); raise RuntimeError("no")',
      'one = reporter(refuse)',
      'one.report(detail(1))',
      'one.finish()',
      'print(len(attempts), time[0])',
    ]);

    const [attempts, seconds] = stdout.trim().split(' ').map(Number);
    expect(attempts).toBe(124);
    expect(seconds).toBe(3601);
    expect(stderr).toContain('was dropped after 3600 s');
  });

  it('keeps the latest hundred reports while the bus is away', async () => {
    const { stdout, stderr } = await runReporter([
      'import threading',
      'gate = threading.Event()',
      'taken = threading.Event()',
      'def slow(detail): taken.set(); gate.wait(); return send(detail)',
      'one = reporter(slow)',
      'one.report(detail(0))',
      'taken.wait()',
      'for number in range(1, 251): one.report(detail(number))',
      'gate.set()',
      'one.finish()',
    ]);

    const numbers = numbersIn(stdout);
    expect(numbers[0]).toBe(0);
    expect(numbers.at(-1)).toBe(250);
    expect(numbers.length).toBeLessThanOrEqual(101);
    expect(stderr).toContain('the oldest was dropped');
  });

  it('waits for STS when it starts while STS is away', async () => {
    const { stdout } = await runReporter(['print(feed.own_session(boto3.client("sts"), sleep))'], {
      STUB_FAULTS: 'raises,raises',
      STUB_CALLER_ARN: CALLER_ARN,
    });

    expect(stdout).toContain("('sg-1AB2C3De4', 'ABC123def4567')");
  });

  it('does not run with credentials that are not a session’s', async () => {
    const child = python([script, 'the-bus'], {
      STUB_CALLER_ARN: 'arn:aws:sts::111122223333:assumed-role/Admin/somebody',
    });
    const { code, stderr } = await outputOf(child);

    expect(code).not.toBe(0);
    expect(stderr).toContain('not those of a stream session');
  });
});
