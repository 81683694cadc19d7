import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { build } from 'esbuild';
import { PAGES } from './pages.ts';

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

let built: Promise<ReadonlyMap<string, Asset>> | undefined;

/**
 * Bundles the pages in memory, once in a process, with everything that they need: no request leaves this machine. What both pages
 * use is in chunks of its own.
 *
 * @returns the files by name, such as `console.js`.
 * @throws esbuild's BuildFailure, which names the file and the line.
 */
export function buildAssets(): Promise<ReadonlyMap<string, Asset>> {
  built ??= bundle();
  return built;
}

async function bundle(): Promise<ReadonlyMap<string, Asset>> {
  const { outputFiles } = await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: PAGES.map(({ entry }) => ({ in: `${entry}/main.tsx`, out: entry })),
    outdir: 'assets',
    bundle: true,
    write: false,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    logLevel: 'warning',
  });
  const icon = await readFile(join(import.meta.dirname, 'shared/icon.svg'));
  return new Map([
    ...outputFiles.map(({ path, contents }) => [basename(path), assetOf(path, contents)] as const),
    ['icon.svg', assetOf('icon.svg', icon)] as const,
  ]);
}

function assetOf(path: string, contents: Uint8Array): Asset {
  const contentType = CONTENT_TYPES[extname(path)];
  if (contentType === undefined) throw new Error(`No content type is known for ${path}.`);
  return { contentType, body: Buffer.from(contents) };
}
