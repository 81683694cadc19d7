import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { runCommand } from '../cli/run-command.ts';

const usage = `Usage: npm run secrets

Looks for credentials in every file that git knows or would add. Prints file, line and rule of each find, never the find
itself, and exits with 1 if there is one. \`npm run check\` runs it.
`;

const root = join(import.meta.dirname, '..');

export interface FoundSecret {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

/** Why: docs/decisions/tests-and-tools.md#the-secret-scan-is-secretlints-core-without-its-command */
export async function findSecrets(path: string, content: string): Promise<readonly FoundSecret[]> {
  const { messages } = await lintSource({
    source: { filePath: path, content, contentType: 'text' },
    options: { maskSecrets: true, config: { rules: [{ id: 'recommended', rule: creator }] } },
  });
  return messages.map(({ ruleId, loc }) => ({ path, line: loc.start.line, rule: ruleId }));
}

async function filesOfTheProject(): Promise<readonly string[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', list, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\0').filter((path) => path !== '');
}

/** A deleted file is still in git's list until the deletion is committed. */
async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(join(root, path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

async function main(): Promise<void> {
  const paths = await filesOfTheProject();
  const found: FoundSecret[] = [];
  for (const path of paths) {
    const content = await contentOf(path);
    // Pictures: a NUL in the first block is how git, too, tells what is not text.
    if (content.subarray(0, 8000).includes(0)) continue;
    found.push(...(await findSecrets(path, content.toString('utf8'))));
  }
  for (const { path, line, rule } of found) console.error(`${path}:${line}: looks like a secret (${rule})`);
  if (found.length > 0) {
    console.error('Take it out, and revoke it if it was ever pushed: git keeps what was committed.');
  } else {
    console.log(`No secret in ${paths.length} files.`);
  }
  process.exitCode = found.length > 0 ? 1 : 0;
}

if (import.meta.main) await runCommand({ usage, options: {}, run: main });
