import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';

const run = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, '../..');

/** In the place of the AWS CLI: writes down how it was called, and has no message, stack or execution to tell of. */
const RECORDER = `#!/usr/bin/env node
const { appendFileSync } = require('node:fs');
appendFileSync(process.env.CALLS, JSON.stringify(process.argv.slice(2)) + '\\n');
const output = /OutputKey=='(\\w*)'/.exec(process.argv.join(' '));
if (output) console.log(output[1].endsWith('Url') ? 'https://sqs.us-west-2.amazonaws.com/123456789012/x' : 'x');
`;

/** Says of each call whether the AWS CLI takes it: its options, their types, and what the operation requires. Sends nothing. */
const VALIDATOR = `
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
class Taken(Exception): pass
def take(**kwargs): raise Taken('taken')
driver = create_clidriver()
driver.session.register('before-call', take)
for line in open(sys.argv[1]):
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        try: driver.main(json.loads(line))
        except SystemExit: pass
    print(json.dumps({'call': json.loads(line), 'told': told.getvalue().strip()}))
`;

/** AWS CLI Command Reference, version 2: `logs tail`, which version 1 has not. */
const TAIL_OPTIONS = new Set(['--since', '--follow', '--filter-pattern', '--format']);
const isTail = ([service, operation, group = '', ...options]: readonly string[]) =>
  `${service} ${operation}` === 'logs tail' &&
  group.startsWith('/aws/') &&
  options.every((option) => !option.startsWith('--') || TAIL_OPTIONS.has(option));

it('every command of the runbook is one that the AWS CLI takes', { timeout: 300_000 }, async (context) => {
  try {
    await run('python3', ['-c', 'import awscli']);
  } catch {
    const reason = 'there is no AWS CLI for Python. Install it (apt-get install awscli) to test the runbook';
    console.warn(`Skipped: ${reason}`);
    context.skip(reason);
  }
  const folder = await mkdtemp(join(tmpdir(), 'runbook-'));
  try {
    const calls = join(folder, 'calls');
    await writeFile(calls, '');
    await writeFile(join(folder, 'aws'), RECORDER);
    for (const other of ['npm', 'npx']) await writeFile(join(folder, other), '#!/bin/sh\n');
    for (const name of ['aws', 'npm', 'npx']) await chmod(join(folder, name), 0o755);
    await writeFile(join(folder, 'event.json'), '{}');
    const runbook = await readFile(join(REPOSITORY, 'docs/runbook.md'), 'utf8');
    const blocks = [...runbook.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) =>
      // What an operator fills in.
      block.replace(/<[a-zA-Z][^<>\n]*>/g, 'X'),
    );
    const env = {
      ...process.env,
      CALLS: calls,
      PATH: `${folder}:${process.env['PATH']}`,
      AWS_DEFAULT_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
    const [functions = '', ...others] = blocks;
    for (const block of others) {
      await run('bash', ['-c', `${functions}\n${block}\ntrue`], { cwd: folder, env, timeout: 60_000 });
    }

    const { stdout } = await run('python3', ['-c', VALIDATOR, calls], { cwd: folder, env });

    const results = stdout
      .trim()
      .split('\n')
      .map((line) => z.object({ call: z.array(z.string()), told: z.string() }).parse(JSON.parse(line)));
    expect(results.length).toBeGreaterThan(30);
    const refused = results.filter(({ call, told }) => !told.includes('taken') && !isTail(call));
    expect(refused.map(({ call, told }) => [call.join(' '), told.slice(-300)])).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
