import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';

/** What the framework prints and packages is made of these. */
const SOURCES = [
  ...['functions', 'resources', 'statemachines', 'scripts', 'cli', 'config', 'events', 'packages'],
  ...['serverless.yml', 'package.json', 'package-lock.json', 'tsconfig.json'],
  // What the service is packaged with.
  ...['test/helpers/parameter-sets.ts', 'test/helpers/packaged-service.ts'],
];
const KEPT = join(REPOSITORY_DIRECTORY, '.local', 'test-run');
const DAY_MS = 24 * 3_600_000;

/**
 * Returns a folder for what test runs make of the service's sources, which later runs of the same sources find again. Those of
 * other sources go after a day.
 */
export async function folderOfSources(): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const source of SOURCES) await addTo(hash, source);
  const name = hash.digest('hex').slice(0, 32);
  const folder = join(KEPT, name);
  await mkdir(folder, { recursive: true });
  for (const other of await readdir(KEPT)) {
    const path = join(KEPT, other);
    const isOld = async () => Date.now() - (await stat(path)).mtimeMs > DAY_MS;
    if (other !== name && (await isOld())) await rm(path, { recursive: true, force: true });
  }
  return folder;
}

async function addTo(hash: ReturnType<typeof createHash>, source: string): Promise<void> {
  const path = join(REPOSITORY_DIRECTORY, source);
  const files = (await stat(path)).isDirectory()
    ? (await readdir(path, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((file) => !file.includes('/node_modules/'))
        .toSorted()
    : [path];
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(await readFile(file))
      .update('\0');
}
