import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

export interface Mutation {
  /** The file that is changed, from the project's root. */
  readonly file: string;
  /** What is there once. */
  readonly find: string;
  readonly replace: string;
}

/** Where its imports of packages are found. */
const FOLDER = resolve('node_modules/.mutants');

/**
 * The exports of a source file with one change in it or in a file below it.
 *
 * @throws Error when there is nothing to change: the code has moved on, and the mutation must follow.
 */
export async function importMutant(entry: string, { file, find, replace }: Mutation): Promise<unknown> {
  const path = resolve(file);
  const source = await readFile(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`Not once in ${file}: ${find}`);
  const { outputFiles } = await build({
    entryPoints: [resolve(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: [
      {
        name: 'mutation',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
            loaded === path ? { contents: source.replace(find, () => replace), loader: 'ts' } : undefined,
          );
        },
      },
    ],
  });
  const text = outputFiles[0]?.text ?? '';
  await mkdir(FOLDER, { recursive: true });
  const mutant = resolve(FOLDER, `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.mjs`);
  await writeFile(mutant, text);
  onTestFinished(() => rm(mutant, { force: true }));
  return import(pathToFileURL(mutant).href);
}
