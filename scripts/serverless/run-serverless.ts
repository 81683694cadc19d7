import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const REPOSITORY_DIRECTORY = fileURLToPath(new URL('../../', import.meta.url));

export interface PrintOptions {
  /** Where `serverless.yml` is. */
  readonly directory?: string;
  readonly stage: string;
  /** Overrides of the file's `params`. */
  readonly params?: Readonly<Record<string, string>>;
}

/** The CLI could not print or package the service. The message holds everything it said. */
export class ServerlessPrintError extends Error {
  override readonly name = 'ServerlessPrintError';
}

const packageSchema = z.looseObject({ bin: z.looseObject({ serverless: z.string() }) });

/**
 * The service with its variables, parameters and files resolved, as `serverless print` has it: what a
 * deployment would start from. Takes about 1.5 s.
 *
 * @throws ServerlessPrintError with the CLI's whole output when it fails.
 */
export async function printService(options: PrintOptions): Promise<unknown> {
  const { directory = REPOSITORY_DIRECTORY, stage, params = {} } = options;
  const output = await runServerless(directory, [
    'print',
    '--format',
    'json',
    '--stage',
    stage,
    ...Object.entries(params).flatMap(([key, value]) => ['--param', `${key}=${value}`]),
  ]);
  try {
    const printed: unknown = JSON.parse(output);
    return printed;
  } catch (cause) {
    throw new ServerlessPrintError(`serverless print did not print JSON:\n${output}`, { cause });
  }
}

/**
 * Runs the framework's command in a folder and gives what it prints.
 *
 * @throws ServerlessPrintError with the CLI's whole output when it fails.
 */
export async function runServerless(
  directory: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const packageFile = createRequire(import.meta.url).resolve('serverless/package.json');
  const { bin } = packageSchema.parse(JSON.parse(await readFile(packageFile, 'utf8')));
  const cli = join(dirname(packageFile), bin.serverless);
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [cli, ...args],
      {
        cwd: directory,
        env: { ...process.env, ...environment, SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
        maxBuffer: 64 * 1024 * 1024,
        timeout: 120_000,
      },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout);
          return;
        }
        const said = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== '');
        reject(
          new ServerlessPrintError(
            `serverless ${args.join(' ')} failed in ${directory}:\n${said.join('\n') || error.message}`,
            { cause: error },
          ),
        );
      },
    );
  });
}
