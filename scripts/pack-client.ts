/**
 * Builds the package `reconnection-client` for those who install it: JavaScript, type declarations and a manifest of its own,
 * because the repository runs the same sources as TypeScript. Then npm packs it.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { runCommand } from '../cli/run-command.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const folder = join(root, 'packages/reconnection-client');

/** A page loads the browser part before anything can be seen. */
export const MAX_BROWSER_BYTES = 6 * 1024;

const manifest: {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
} & Readonly<Record<string, unknown>> = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));

/** "simulate" for "./simulate". */
const entries = Object.entries(manifest.exports).map(([path, source]) => ({
  path,
  source,
  out: path === '.' ? 'index' : path.slice(2),
}));

/** Returns the bytes of the browser part, minified and compressed. */
export async function browserBytes(): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'src/index.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

/** Builds `dist` and returns the path of its tarball in `outFolder`. */
export async function packClient(outFolder: string): Promise<string> {
  const dist = join(folder, 'dist');
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await mkdir(outFolder, { recursive: true });
  await Promise.all([
    build({
      entryPoints: entries.map(({ source, out }) => ({ in: join(folder, source), out })),
      outdir: dist,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'neutral',
      packages: 'external',
      target: 'es2022',
    }),
    run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(folder, 'tsconfig.build.json'),
    ]),
    cp(join(root, 'LICENSE'), join(dist, 'LICENSE')),
    cp(join(folder, 'README.md'), join(dist, 'README.md')),
    writeFile(join(dist, 'package.json'), `${JSON.stringify(distManifest(), null, 2)}\n`),
  ]);
  await nameJavaScript(dist);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', outFolder], { cwd: dist });
  const [packed]: readonly { readonly filename: string }[] = JSON.parse(stdout);
  return join(outFolder, packed?.filename ?? '');
}

/** The package's own manifest, without what only the repository needs. */
function distManifest(): object {
  const { private: _, scripts: __, devDependencies: ___, ...published } = manifest;
  return {
    ...published,
    exports: Object.fromEntries(
      entries.map(({ path, source, out }) => [
        path,
        { types: source.replace('./src/', './').replace(/\.ts$/, '.d.ts'), default: `./${out}.js` },
      ]),
    ),
  };
}

/** Declarations name each other by the files that they stand beside. */
async function nameJavaScript(dist: string): Promise<void> {
  const names = (await readdir(dist, { recursive: true })).filter((name) => name.endsWith('.d.ts'));
  await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(dist, name), 'utf8');
      // Only paths end so: no package that they name does.
      await writeFile(join(dist, name), text.replaceAll('.ts"', '.js"').replaceAll(".ts'", ".js'"));
    }),
  );
}

const usage = `Usage: npm run pack:client [-- --out <folder>]

Packs the client for browsers and backends as an npm tarball, and says how large its browser part is, minified and
compressed with gzip. Exits with 1 when that is more than ${MAX_BROWSER_BYTES} bytes.

  --out <folder>   where the tarball goes: packages/reconnection-client/dist by default
  --help           this text
`;

async function main(values: { readonly out: string }): Promise<void> {
  const tarball = await packClient(resolve(root, values.out));
  const bytes = await browserBytes();
  console.log(`${tarball}\nBrowser part: ${bytes} of ${MAX_BROWSER_BYTES} bytes, minified and compressed`);
  if (bytes > MAX_BROWSER_BYTES) process.exitCode = 1;
}

if (import.meta.main) {
  const out = 'packages/reconnection-client/dist';
  await runCommand({ usage, options: { out: { type: 'string', default: out } }, run: main });
}
