import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { GameLiftStreamsControl } from 'game-lift-streams-local';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { adminShellAuditDetailSchema } from '../../functions/shared/contracts/index.ts';
import { listEvents } from '../../local/event-bus/local-client.ts';

const root = join(import.meta.dirname, '../..');
const recordSchema = z.object({
  args: z.array(z.string()),
  response: z.string().optional(),
  inherited: z.boolean(),
});
const credentialsSchema = z.object({ SessionId: z.string(), StreamUrl: z.string(), TokenValue: z.string() });

/** A plugin that reads its environment: records how it was called, and ends as a shell that was left with `exit 7`. */
const FAKE_PLUGIN = `#!/usr/bin/env node
const { fstatSync, writeFileSync } = require('node:fs');
if (process.argv[2] === '--version') {
  console.log('1.2.707.0');
  process.exit(0);
}
const inherited = [0, 1, 2].every((fd) => fstatSync(fd) !== undefined);
const response = process.env.AWS_SSM_START_SESSION_RESPONSE;
writeFileSync(process.env.PLUGIN_RECORD, JSON.stringify({ args: process.argv.slice(2), response, inherited }));
console.log('the shell is open');
process.exit(7);
`;

let start: ChildProcess;
let folder: string;
let record: string;
let started = '';

/** Waits until npm start has printed the text; the test's own timeout is the bound. */
function printed(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    start.once('exit', () => reject(new Error(`npm start ended without "${text}": ${started}`)));
    const look = () => {
      if (started.includes(text)) resolve();
    };
    start.stdout?.on('data', look);
    look();
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'admin-shell-'));
  record = join(folder, 'record.json');
  const plugin = join(folder, 'session-manager-plugin');
  await writeFile(plugin, FAKE_PLUGIN);
  await chmod(plugin, 0o755);
  start = spawn('npm', ['start', '--', '--port-base', '0'], { cwd: root, detached: true });
  start.stdout?.on('data', (chunk: Buffer) => {
    started += chunk.toString();
  });
  start.stderr?.pipe(process.stderr);
  await printed('Ctrl-C stops everything.');
}, 60_000);

beforeEach(() => rm(record, { force: true }));

afterAll(async () => {
  // npm has a child of its own: the whole group ends.
  if (start.pid !== undefined) process.kill(-start.pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const urlOf = (part: string) => new RegExp(`${part} +(http://\\S+)`).exec(started)?.[1] ?? '';

/** The line that `npm start` prints for an operator, as it is, with more arguments behind it. */
async function paste(...more: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const line = /^ {3}(npm run admin-shell .*)$/m.exec(started)?.[1] ?? 'false';
  const child = spawn('bash', ['-c', [line, ...more].join(' ')], {
    cwd: root,
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}`, PLUGIN_RECORD: record },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code]: unknown[] = await once(child, 'close');
  return { code, stdout, stderr };
}

async function auditTrail() {
  const events = await listEvents(urlOf('EventBridge'));
  return events
    .filter(({ detailType }) => detailType === 'Stream Session Admin Shell Audit')
    .map(({ detail }) => adminShellAuditDetailSchema.parse(detail));
}

it('a new operator pastes one line and has a shell, on a session that is ready only after some seconds', async () => {
  await new GameLiftStreamsControl(urlOf('GameLift Streams')).adminShellsNotReady({ notReadySeconds: 4 });
  const askedAtMs = Date.now();

  const { code, stdout, stderr } = await paste("--reason 'incident 4711'");

  expect(Date.now() - askedAtMs).toBeGreaterThan(4000);
  expect(code).toBe(7);
  expect(stdout).toContain('the shell is open');
  const { args, response, inherited } = recordSchema.parse(JSON.parse(await readFile(record, 'utf8')));
  const credentials = credentialsSchema.parse(JSON.parse(response ?? ''));
  expect(inherited).toBe(true);
  expect(args).toEqual([
    'AWS_SSM_START_SESSION_RESPONSE',
    'us-west-2',
    'StartSession',
    '',
    JSON.stringify({ Target: credentials.SessionId }),
    'https://ssm.us-west-2.api.aws',
  ]);
  expect(stderr).toMatch(/Admin shell: \d\d s left to open it/);
  await printed('AdminShellGranted');
  expect(await auditTrail()).toMatchObject([
    { result: 'REQUESTED', reason: 'incident 4711', caller: expect.stringContaining(':user/local') },
    { result: 'GRANTED', reason: 'incident 4711' },
  ]);
  // Neither terminal has shown them, and the functions have logged them nowhere.
  const logs = await readFile(/^Logs: (.*)$/m.exec(started)?.[1] ?? '', 'utf8');
  expect(logs).toContain('"AdminShellGranted"');
  for (const secret of Object.values(credentials))
    expect(stdout + stderr + started + logs).not.toContain(secret);
}, 60_000);

it('prints the command on demand, and it starts the plugin as the operator would', async () => {
  const { code, stdout } = await paste('--print');
  const command = /^session-manager-plugin .*$/m.exec(stdout)?.[0] ?? 'false';
  expect(code).toBe(0);

  const child = spawn('sh', ['-c', command], {
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}`, PLUGIN_RECORD: record },
  });
  const [pluginCode]: unknown[] = await once(child, 'close');

  expect(pluginCode).toBe(7);
  const { args } = recordSchema.parse(JSON.parse(await readFile(record, 'utf8')));
  expect(credentialsSchema.safeParse(JSON.parse(args[0] ?? '')).success).toBe(true);
}, 60_000);

it('says why there is no shell when the session has ended', async () => {
  const streamSessionId = /admin-shell -- \S+ (\S+)/.exec(started)?.[1] ?? '';
  await new GameLiftStreamsControl(urlOf('GameLift Streams')).applicationExits(streamSessionId);

  const { code, stdout, stderr } = await paste();

  expect(code).toBe(1);
  expect(stderr).toContain('ValidationException (400): The stream session is in status TERMINATED.');
  expect(stdout).not.toContain('the shell is open');
  expect((await auditTrail()).at(-1)).toMatchObject({
    result: 'REFUSED',
    refusal: 'STATUS_WITHOUT_ADMIN_SHELL',
    sessionStatus: 'TERMINATED',
    reason: 'none given',
  });
}, 60_000);
