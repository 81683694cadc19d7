import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { packagedService, resourcesOfType } from '../helpers/packaged-service.ts';

const { template, zipFolder, bundleFolder } = await packagedService();
const functions = resourcesOfType(template, 'AWS::Lambda::Function');
const zips = (await readdir(zipFolder)).filter((file) => file.endsWith('.zip')).sort();

/** `checkSession.zip` is of `check-session`. */
function folderOf(zip: string): string {
  return zip.replace('.zip', '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

describe('the archives', () => {
  it('are one for each function, and one for each folder of functions/', async () => {
    expect(zips).toHaveLength(functions.length);
    const built = await readdir(bundleFolder, { withFileTypes: true });
    const folders = built.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(zips.map(folderOf).sort()).toEqual(folders.sort());
  });

  it.each(zips)('%s holds its bundle and the source map, and nothing else', async (zip) => {
    const entries = unzipSync(new Uint8Array(await readFile(join(zipFolder, zip))));

    const bundle = `dist/${folderOf(zip)}/handler.mjs`;
    expect(Object.keys(entries).sort()).toEqual([bundle, `${bundle}.map`]);
    const built = await readFile(join(bundleFolder, folderOf(zip), 'handler.mjs'));
    expect(Buffer.from(entries[bundle] ?? []).equals(built)).toBe(true);
  });
});
