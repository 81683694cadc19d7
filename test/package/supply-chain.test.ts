import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findSecrets } from '../../scripts/scan-secrets.ts';

const root = join(import.meta.dirname, '..', '..');

const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
  allowScripts: z.record(z.string(), z.boolean()),
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
      dev: z.boolean().optional(),
      devOptional: z.boolean().optional(),
    }),
  ),
});

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(root, file), 'utf8'));
}

const manifest = manifestSchema.parse(await readJson('package.json'));
const lock = lockSchema.parse(await readJson('package-lock.json'));
const installed = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({ path, name: path.slice(path.lastIndexOf('node_modules/') + 13), ...entry }));

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

describe('what the project installs', () => {
  it('is named by exact versions', () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies };

    const loose = Object.entries(versions).filter(
      ([, version]) => !/^(npm:osls@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );

    expect(loose).toEqual([]);
  });

  it('is held by a hash, whatever host it comes from', () => {
    const unheld = installed.filter(({ integrity = '' }) => !integrity.startsWith('sha512-'));

    expect(unheld.map(({ path }) => path)).toEqual([]);
  });

  it('runs no install script but those that package.json lists', () => {
    const withScripts = installed.filter(({ hasInstallScript = false }) => hasInstallScript);

    expect([...new Set(withScripts.map(({ name }) => name))].sort()).toEqual(
      Object.keys(manifest.allowScripts).sort(),
    );
  });

  it('has licences that allow what is done with it', () => {
    const unfit = installed.filter(({ license = 'none', dev = false, devOptional = false }) => {
      const allowed = dev || devOptional ? TOOL_LICENCES : DEPLOYED_LICENCES;
      return !allowed.has(license);
    });

    expect(unfit.map(({ path, license }) => `${path}: ${license}`)).toEqual([]);
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
