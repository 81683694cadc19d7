/**
 * Bundles every function to `dist/<function>/handler.mjs`: what is deployed, what the local stack runs and what
 * the tests look at are the same files.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

export async function buildFunctions(outDirectory = join(root, 'dist')): Promise<readonly string[]> {
  const folders = await readdir(join(root, 'functions'), { withFileTypes: true });
  const names = folders
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map(({ name }) => name);
  await rm(outDirectory, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `functions/${name}/handler.ts`, out: `${name}/handler` })),
    outdir: outDirectory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    // Some dependencies are CommonJS and ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
    },
    legalComments: 'none',
    logLevel: 'warning',
  });
  return names;
}

if (import.meta.main) {
  const names = await buildFunctions();
  console.log(`Bundled ${names.length} functions into dist/.`);
}
