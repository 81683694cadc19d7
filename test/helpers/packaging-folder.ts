import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { folderOfSources } from './sources.ts';

declare module 'vitest' {
  interface ProvidedContext {
    packagingFolder: string;
  }
}

/**
 * The folder in which the first test that asks has the service packaged, for all workers and for later runs of the same
 * sources.
 */
export default async function setup(project: TestProject): Promise<void> {
  const folder = await folderOfSources();
  await forgetUnfinished(folder);
  project.provide('packagingFolder', folder);
}

/** Forgets the packages that failed, and those whose test file ended before they were made. */
async function forgetUnfinished(folder: string): Promise<void> {
  const claims = (await readdir(folder)).filter((name) => name.endsWith('-claimed'));
  for (const claim of claims.map((name) => join(folder, name))) {
    const service = claim.slice(0, -'-claimed'.length);
    const failure = await readFile(`${service}-result`, 'utf8').catch(() => undefined);
    const isUnderWay = failure === undefined && isAlive(Number(await readFile(claim, 'utf8')));
    if (failure === '' || isUnderWay) continue;
    for (const path of [service, `${service}-result`, claim])
      await rm(path, { recursive: true, force: true });
  }
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
