import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeSource, readSource } from '../../scripts/serverless/source.ts';

let folder = '';
const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'source-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function commitSomething(): Promise<string> {
  git('init', '--quiet');
  await writeFile(join(folder, 'file'), 'one');
  git('add', 'file');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '--quiet', '--message', 'one');
  return git('rev-parse', 'HEAD');
}

describe('what a package is built from', () => {
  it('is a commit', async () => {
    const commit = await commitSomething();

    expect(describeSource(await readSource(folder))).toBe(`commit ${commit}`);
  });

  it.each(['file', 'another'])('is a commit with changes, when %s is not as committed', async (name) => {
    const commit = await commitSomething();
    await writeFile(join(folder, name), 'two');

    expect(describeSource(await readSource(folder))).toBe(
      `commit ${commit} with changes that are not committed`,
    );
  });

  it('is said to be unknown without git', async () => {
    expect(describeSource(await readSource(folder))).toBe('files of no known commit (no git repository)');
  });
});
