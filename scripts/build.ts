/**
 * Bundles every function to `dist/<function>/handler.mjs`: what is deployed, what the local stack runs and what
 * the tests look at are the same files.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { runCommand } from '../cli/run-command.ts';

const root = join(import.meta.dirname, '..');

/**
 * `@aws-sdk/lib-dynamodb` does not say that its modules have no side effects, so its paginators would keep Query and
 * Scan in every bundle that has a table, and nobody could tell from a bundle what it calls.
 */
const withoutPaginators: Plugin = {
  name: 'without-paginators',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^\.\/pagination$/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === 'resolved' || !options.importer.includes('/lib-dynamodb/')) return undefined;
      return { ...(await resolve(path, { ...options, pluginData: 'resolved' })), sideEffects: false };
    });
  },
};

/** In the folder of the bundles: what each is made of, for those who did not build them. */
export const BUNDLES_FILE = 'bundles.json';

/**
 * How every function is bundled.
 *
 * Why: docs/decisions/deployment.md#esbuild-directly-not-serverless-esbuild
 */
export const bundleOptions = {
  absWorkingDir: root,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // Shorter names too: no error is told apart by its class's name, each carries its own as a literal.
  minify: true,
  // For stack traces that name our files and lines; without the sources, which nobody reads in a log.
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
  plugins: [withoutPaginators],
  alias: {
    '@aws-sdk/credential-provider-node': join(root, 'functions/shared/runtime/lambda-credentials.ts'),
  },
} satisfies BuildOptions;

export interface Bundle {
  /** The function's folder, such as `check-session`. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** What is in it: paths from the repository's root, each with the bytes that are left of it. */
  readonly inputs: ReadonlyMap<string, number>;
}

export async function buildFunctions(outDirectory = join(root, 'dist')): Promise<readonly Bundle[]> {
  const folders = await readdir(join(root, 'functions'), { withFileTypes: true });
  const names = folders
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map(({ name }) => name);
  await rm(outDirectory, { recursive: true, force: true });
  const { metafile } = await build({
    ...bundleOptions,
    entryPoints: names.map((name) => ({ in: `functions/${name}/handler.ts`, out: `${name}/handler` })),
    outdir: outDirectory,
    metafile: true,
  });
  const bundles = names.map((name) => {
    const output = Object.values(metafile.outputs).find(
      ({ entryPoint }) => entryPoint === `functions/${name}/handler.ts`,
    );
    if (output === undefined) throw new Error(`${name} was not bundled.`);
    const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
    return {
      name,
      path: join(outDirectory, name, 'handler.mjs'),
      bytes: output.bytes,
      inputs: new Map(inputs.map(([path, { bytesInOutput }]) => [path, bytesInOutput])),
    };
  });
  const listed = bundles.map((bundle) => ({ ...bundle, inputs: Object.fromEntries(bundle.inputs) }));
  await writeFile(join(outDirectory, BUNDLES_FILE), JSON.stringify(listed));
  return bundles;
}

const usage = `Usage: npm run build

Bundles each function into dist/.
`;

async function main(): Promise<void> {
  const bundles = await buildFunctions();
  console.log(`Bundled ${bundles.length} functions into dist/.`);
}

if (import.meta.main) await runCommand({ usage, options: {}, run: main });
