/** What a package is built from: the commit, and whether the work tree was as committed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Source {
  readonly commit: string;
  readonly isClean: boolean;
}

const run = promisify(execFile);

/** Returns undefined when the folder is in no git repository, or git is not installed. */
export async function readSource(directory: string): Promise<Source | undefined> {
  const git = async (...args: string[]) => (await run('git', args, { cwd: directory })).stdout.trim();
  try {
    const commit = await git('rev-parse', 'HEAD');
    return { commit, isClean: (await git('status', '--porcelain')) === '' };
  } catch {
    return undefined;
  }
}

export function describeSource(source: Source | undefined): string {
  if (source === undefined) return 'files of no known commit (no git repository)';
  return `commit ${source.commit}${source.isClean ? '' : ' with changes that are not committed'}`;
}
