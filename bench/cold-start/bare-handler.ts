import { build } from 'esbuild';
import { sdkCommands } from '../../cli/prove/sdk-use.ts';
import { FUNCTION_DEFINITIONS } from '../../local/simulation/definitions.ts';
import { type Bundle, bundleOptions } from '../../scripts/build.ts';

/** Returns the names of the SDK clients that a bundle carries. */
export function clientNames({ name }: Bundle): readonly string[] {
  const key = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return FUNCTION_DEFINITIONS[key]?.clients ?? [];
}

/**
 * Bundles a handler that has a function's SDK clients, made as the function makes them, and the commands that it
 * sends, and nothing else: what remains of a cold start when all of our own code and every other library is gone.
 *
 * @param credentials `as-installed` leaves the SDK as it comes; `as-shipped` leaves out of it what our bundles leave out.
 */
export async function buildBareHandler(
  bundle: Bundle,
  path: string,
  credentials: 'as-installed' | 'as-shipped',
): Promise<{ readonly bytes: number }> {
  const clients = `export { ${clientNames(bundle).join(', ')} } from './functions/shared/runtime/clients.ts';`;
  const commands = sdkCommands(bundle).map(
    ({ client, command }, index) => `export { ${command} as command${index} } from '${client}';`,
  );
  const { metafile } = await build({
    ...bundleOptions,
    alias: credentials === 'as-installed' ? {} : bundleOptions.alias,
    stdin: {
      contents: [clients, ...commands, 'export async function handler() {}'].join('\n'),
      resolveDir: bundleOptions.absWorkingDir,
      loader: 'ts',
    },
    outfile: path,
    metafile: true,
  });
  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined);
  if (output === undefined) throw new Error(`The bare handler beside ${bundle.name} was not bundled.`);
  return { bytes: output.bytes };
}
