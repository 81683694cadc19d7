import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GameLiftStreamsControl } from '../src/control/client.ts';
import { clientOf, failureOf, STREAM_GROUP_ID, start } from './harness.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

function run(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function urlOf(child: ReturnType<typeof run>): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error('The program ended without a URL.');
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe('the program', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'serves until %s, and ends cleanly while a call waits',
    async (signal) => {
      // Prepare
      const child = run('--port', '0', '--connection-ms', '60000', '--stream-group', 'sg-mine');
      const url = await urlOf(child);
      const control = new GameLiftStreamsControl(url);
      const { streamSessionId: id } = await control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });
      const waiting = fetch(`${url}/streamgroups/sg-mine/streamsessions/${id}/connections`, {
        method: 'POST',
        body: JSON.stringify({ SignalRequest: JSON.stringify({ type: 'offer', sdp: 'v=0' }) }),
      }).catch(() => 'cut');
      await expect.poll(async () => (await control.session(id)).status).toBe('RECONNECTING');

      // Act
      child.kill(signal);

      // Assess
      expect(await exitOf(child)).toBe(0);
      expect(await waiting).toBe('cut');
    },
  );

  it('has the default stream group when none is named', async () => {
    // Prepare
    const url = await urlOf(run('--port', '0', '--region', 'eu-central-1', '--account-id', '111122223333'));
    const client = clientOf(url);

    // Act
    const { arn } = await new GameLiftStreamsControl(url).startSession();
    const failure = await failureOf(
      client.send(new GetStreamSessionCommand({ Identifier: 'sg-mine', StreamSessionIdentifier: arn })),
    );

    // Assess
    expect(arn).toContain(`:eu-central-1:111122223333:streamsession/${STREAM_GROUP_ID}/`);
    expect(failure.name).toBe('ResourceNotFoundException');
  });

  it('tells how it is used', async () => {
    // Act
    const child = run('--help');
    const text = await textOf(child.stdout);

    // Assess
    expect(text).toContain('--port');
    expect(await exitOf(child)).toBe(0);
  });

  it.each([
    ['--port', 'many'],
    ['--port', '65536'],
    ['--account-id', '12'],
    ['--region', 'a b'],
    ['--stream-group', 'sg/1'],
    ['--bogus', '1'],
  ])('refuses %s %s', async (option, value) => {
    // Act
    const child = run(option, value);
    const text = await textOf(child.stderr);

    // Assess
    expect(text).toContain(option);
    expect(await exitOf(child)).toBe(1);
  });

  it('says that the port is taken', async () => {
    // Prepare
    const gls = await start();

    // Act
    const child = run('--port', String(gls.server.port));
    const text = await textOf(child.stderr);

    // Assess
    expect(text).toContain('EADDRINUSE');
    expect(await exitOf(child)).toBe(1);
  });
});
