import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { AdminShell } from './request-shell.ts';

export const PLUGIN = 'session-manager-plugin';

/**
 * The arguments that the plugin documents: the session's credentials as JSON, Region, operation, profile (none),
 * the parameters of the operation, and the endpoint of Systems Manager
 * (GameLift Streams Developer Guide, "Stream session admin shell").
 */
export function pluginArguments(
  { sessionId, streamUrl, tokenValue }: AdminShell,
  region: string,
): readonly string[] {
  return [
    JSON.stringify({ SessionId: sessionId, StreamUrl: streamUrl, TokenValue: tokenValue }),
    region,
    'StartSession',
    '',
    JSON.stringify({ Target: sessionId }),
    `https://ssm.${region}.api.aws`,
  ];
}

/** The same as a line for a POSIX shell. */
export function pluginCommand(shell: AdminShell, region: string): string {
  const quoted = pluginArguments(shell, region).map((text) => `'${text.replaceAll("'", "'\\''")}'`);
  return [PLUGIN, ...quoted].join(' ');
}

/** Where the plugin is installed, as the PATH says; looked for before a shell is asked for. */
export function findPlugin(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const folders = (environment['PATH'] ?? environment['Path'] ?? '').split(delimiter);
  const name = process.platform === 'win32' ? `${PLUGIN}.exe` : PLUGIN;
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs the plugin in this terminal until the shell is closed. Ctrl-C is for the remote shell, so this process
 * does not end by it.
 *
 * @returns its exit code; 1 when a signal ended it.
 * @throws the system's error when it cannot be started. It names the file; its arguments are left out.
 */
export async function runPlugin(path: string, args: readonly string[]): Promise<number> {
  const ignore = () => {};
  process.on('SIGINT', ignore);
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(path, args, { stdio: 'inherit' });
      const end = () => child.kill('SIGTERM');
      process.once('SIGTERM', end);
      // The system's error carries the arguments in `spawnargs`.
      child.once('error', (error) => reject(new PluginNotStartedError(codeOf(error))));
      child.once('exit', (code) => {
        process.off('SIGTERM', end);
        resolve(code ?? 1);
      });
    });
  } finally {
    process.off('SIGINT', ignore);
  }
}

export class PluginNotStartedError extends Error {
  override readonly name = 'PluginNotStartedError';
  constructor(code: string) {
    super(`${PLUGIN} could not be started (${code}).`);
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
