import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    packagingFolder: string;
  }
}

/** One folder for each run, shared by its workers, where the first test that asks has the service packaged. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'packaged-service-'));
  project.provide('packagingFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
}
