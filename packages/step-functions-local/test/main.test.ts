import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStateMachineCommand, SFNClient, StartSyncExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machine, ROLE, task } from '../src/testing/index.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

let folder: string;
const processes: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'step-functions-'));
});

afterEach(async () => {
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

async function invoker(source: string): Promise<string> {
  const path = join(folder, 'invoker.ts');
  await writeFile(path, source);
  return path;
}

function start(...options: string[]): {
  child: ChildProcess;
  output: () => string;
  exit: Promise<number | null>;
} {
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  processes.push(child);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, exit };
}

describe('the entry in plain JavaScript', () => {
  const entry = MAIN.replace(/ts$/, 'mjs');
  const asVersion = (version: string) =>
    `data:text/javascript,Object.defineProperty(process,"version",{value:"${version}"})`;
  const run = (...options: string[]) => spawnSync(process.execPath, options, { encoding: 'utf8' });

  it('says which Node it wants, and nothing else, to one that is too old', () => {
    const { status, stdout, stderr } = run('--import', asVersion('v20.20.2'), entry, '--help');

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.split('\n')[0]).toBe('Step Functions needs Node 24 or newer, and this is v20.20.2.');
    expect(stderr).not.toContain('    at ');
  });

  it('can be read by every Node with modules', async () => {
    const source = await readFile(entry, 'utf8');

    expect(source).not.toMatch(/^import |\?\?|\?\.|#\w/m);
  });

  it('is the program otherwise', () => {
    expect(run(entry, '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--invoker') });
  });
});

describe('starting it on its own', () => {
  it('prints where it answers, serves the SDK, and stops on Ctrl-C', async () => {
    // Prepare
    const path = await invoker(
      'export const invoke = async (name: string, payload: unknown) => ({ ok: true, payload: { name, payload } });',
    );
    const { child, output, exit } = start('--invoker', path, '--port', '0');
    await expect.poll(output, { timeout: 15_000 }).toContain('Ctrl-C stops it.');
    const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0] ?? '';

    // Act
    const client = new SFNClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      disableHostPrefix: true,
    });
    const definition = JSON.stringify(machine({ A: task({ Output: '{% $states.result.Payload %}' }) }));
    const { stateMachineArn } = await client.send(
      new CreateStateMachineCommand({ name: 'm', type: 'EXPRESS', roleArn: ROLE, definition }),
    );
    const reply = await client.send(new StartSyncExecutionCommand({ stateMachineArn, input: '{"a":1}' }));
    child.kill('SIGINT');

    // Assess
    expect(reply.output).toBe('{"name":"work","payload":{"a":1}}');
    expect(await exit).toBe(0);
    expect(output()).toContain(`endpoint: '${endpoint}'`);
    expect(output()).toMatch(/Stopped\.\n$/);
  });

  it('explains itself with --help', async () => {
    const { output, exit } = start('--help');
    expect(await exit).toBe(0);
    expect(output()).toContain('--invoker');
  });

  it.each([
    ['no invoker', [], '--invoker is missing'],
    ['an option that is not there', ['--invokr', 'x'], "Unknown option '--invokr'"],
    [
      'a port that is none',
      ['--invoker', 'x', '--port', '99999'],
      '--port must be a number from 0 to 65535, not "99999"',
    ],
    [
      'a Region that is none',
      ['--invoker', 'x', '--region', 'here'],
      '--region must be a Region like us-east-1, not "here"',
    ],
    ['a module that is not there', ['--invoker', '/nowhere.ts'], '/nowhere.ts cannot be loaded'],
  ])('says what is wrong with %s', async (_what, options, message) => {
    const { output, exit } = start(...options);
    expect(await exit).toBe(1);
    expect(output()).toContain(message);
    expect(output()).not.toContain('    at ');
  });

  it('says that the module exports no invoke', async () => {
    const path = await invoker('export const invoker = 1;');
    const { output, exit } = start('--invoker', path);
    expect(await exit).toBe(1);
    expect(output()).toContain('exports no function called invoke');
  });

  it('says that the port is taken', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const path = await invoker('export const invoke = async () => ({ ok: true, payload: 1 });');
    const { output, exit } = start('--invoker', path, '--port', String(port));
    expect(await exit).toBe(1);
    expect(output()).toContain(`Port ${port} is taken.`);
    taken.close();
  });
});
