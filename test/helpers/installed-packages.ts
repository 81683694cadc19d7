import { createHash } from 'node:crypto';
import { open, readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/** What npm has put into a project's `node_modules`, compared with the lock file and the archives behind it. */

const manifestSchema = z.looseObject({ version: z.string() });

/** The version of each installed package by its path as the lock names it; links to packages of the repository are left out. */
export async function installedPackages(root: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const path of await packageFolders(root, 'node_modules')) {
    const manifest = await readFile(join(root, path, 'package.json'), 'utf8').catch(() => undefined);
    if (manifest !== undefined) found.set(path, manifestSchema.parse(JSON.parse(manifest)).version);
  }
  return found;
}

async function packageFolders(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  const nested = await Promise.all(
    folders.map(async ({ name }) => {
      const path = `${folder}/${name}`;
      if (name.startsWith('@')) return packageFolders(root, path);
      return [path, ...(await packageFolders(root, `${path}/node_modules`))];
    }),
  );
  return nested.flat();
}

/** The package that `npm run` takes `node` from, as the lock names it. */
export async function nodeOnPath(root: string): Promise<string> {
  const file = await realpath(join(root, 'node_modules/.bin/node'));
  return relative(await realpath(root), dirname(dirname(file)));
}

/** The files with machine code (ELF, Mach-O or PE) of each installed package that has any. */
export async function installedBinaries(root: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const path of (await installedPackages(root)).keys()) {
    for (const file of await filesOf(join(root, path))) {
      if (!(await isBinary(join(root, path, file)))) continue;
      found.set(path, [...(found.get(path) ?? []), file]);
    }
  }
  return found;
}

async function filesOf(folder: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      // Packages below it are packages of their own.
      if (entry.isDirectory()) return path === 'node_modules' ? [] : filesOf(folder, path);
      return entry.isFile() ? [path] : [];
    }),
  );
  return nested.flat();
}

const MAGIC = /^(7f454c46|cffaedfe|cefaedfe|feedfacf|cafebabe|4d5a)/;

async function isBinary(file: string): Promise<boolean> {
  // By name first: opening each of 30,000 files takes seconds.
  if (!/(^|\/)[^./]+$|\.(node|so|dylib|dll|exe)$/.test(relative(dirname(file), file))) return false;
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return MAGIC.test(buffer.toString('hex'));
  } finally {
    await handle.close();
  }
}

/**
 * The files of the archive with this hash, from npm's cache. Undefined when the cache does not have it.
 *
 * @throws Error when what the cache has is not what the hash covers.
 */
export async function cachedFiles(integrity: string): Promise<ReadonlyMap<string, Buffer> | undefined> {
  const hash = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64');
  const [first, second, rest] = [
    hash.toString('hex').slice(0, 2),
    hash.toString('hex').slice(2, 4),
    hash.toString('hex').slice(4),
  ];
  const cache = process.env['npm_config_cache'] ?? join(homedir(), '.npm');
  const archive = await readFile(join(cache, '_cacache/content-v2/sha512', first, second, rest)).catch(
    () => undefined,
  );
  if (archive === undefined) return undefined;
  if (!createHash('sha512').update(archive).digest().equals(hash))
    throw new Error(`npm's cache is damaged: ${integrity}`);
  return new Map(entriesOf(gunzipSync(archive)));
}

/** The plain files of a tar archive (POSIX ustar, with pax headers for long names). */
function* entriesOf(tar: Buffer): Generator<[path: string, content: Buffer]> {
  let longName: string | undefined;
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const content = tar.subarray(at + 512, at + 512 + size);
    const type = text(156, 1);
    if (type === 'x') {
      longName = /^\d+ path=(.*)$/m.exec(content.toString('utf8'))?.[1];
    } else {
      const prefix = text(345, 155);
      const name = longName ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`);
      longName = undefined;
      // Every archive of npm has one folder, whatever its name; npm leaves it out.
      if (type === '0' || type === '') yield [name.replace(/^[^/]+\//, ''), content];
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
