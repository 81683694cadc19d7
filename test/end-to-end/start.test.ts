import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

let start: ChildProcess;
let output = '';

/** Waits until the text has been printed so many times; the test's own timeout is the bound. */
function printed(text: string, times = 1): Promise<void> {
  return new Promise((resolve, reject) => {
    start.once('exit', () => reject(new Error(`npm start ended without "${text}": ${output}`)));
    const look = () => {
      if (output.split(text).length > times) resolve();
    };
    start.stdout?.on('data', look);
    look();
  });
}

beforeAll(async () => {
  start = spawn(process.execPath, ['local/start/main.ts', '--port-base', '0'], { cwd: root });
  start.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  start.stderr?.pipe(process.stderr);
  await printed('Ctrl-C stops everything.');
}, 60_000);

afterAll(() => {
  start.kill('SIGKILL');
});

/** The commands that are printed to be pasted, in their order. */
function commands(): string[] {
  return output.split('\n').flatMap((line) => /^ {3}((?:curl|sed) .*)$/.exec(line)?.[1] ?? []);
}

async function paste(command: string): Promise<Record<string, unknown>> {
  const { stdout } = await run('bash', ['-c', command], { cwd: root });
  return JSON.parse(stdout);
}

it('prints commands that take a player through one disconnect and back, and another', async () => {
  const [drop = '', report = '', window = '', reconnect = '', connect = ''] = commands();

  for (const generation of [1, 2]) {
    await paste(drop);
    expect(await paste(report)).toMatchObject({ FailedEntryCount: 0 });
    await printed('WindowOpened', generation);
    expect(await paste(window)).toMatchObject({ phase: 'AWAITING_RECONNECTION', generation });
    expect((await paste(reconnect))['SignalResponse']).toContain('answer');
    await paste(connect);
    await printed('OutcomeRecorded', generation);

    expect(await paste(window)).toMatchObject({ phase: 'CLOSED', generation, outcome: 'RECONNECTED' });
  }
}, 60_000);

it('prints the command of the switch, which the deployed bundles hear of', async () => {
  const api = /The API +(http:\S+)/.exec(output)?.[1] ?? '';
  const command = /^ {3}npm run (switch -- passThrough .*)$/m.exec(output)?.[1] ?? 'false';

  const { stdout } = await run('bash', ['-c', `npm run ${command.replace('passThrough', 'refuse')}`], {
    cwd: root,
  });

  expect(stdout).toContain('Now: refuse.');
  // No shell has been asked for yet, so that function reads the switch for the first time.
  const url = `${api}/streamgroups/sg-local0001/streamsessions/any/access`;
  const reply = await fetch(url, { method: 'POST' });
  expect(reply.status).toBe(503);
  expect(reply.headers.get('x-amzn-errortype')).toBe('ServiceUnavailableException');
}, 60_000);

it('stops on Ctrl-C, cleanly', async () => {
  start.kill('SIGINT');
  const [code] = await once(start, 'exit');

  expect(code).toBe(0);
  expect(output.trimEnd().endsWith('Stopped.')).toBe(true);
});
