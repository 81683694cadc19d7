import { execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { asciiJson } from '../command-line.ts';
import type { AdminShell } from './request-shell.ts';

export const PLUGIN = 'session-manager-plugin';

/** Names the variable that carries the response; AWS CLI and plugin agree on the name. */
const RESPONSE_VARIABLE = 'AWS_SSM_START_SESSION_RESPONSE';
/** The last version that reads the response from its arguments only (AWS CLI, customizations/sessionmanager.py). */
const LAST_WITHOUT_VARIABLE = [1, 2, 497, 0];
/** A local program that prints one line; a cold disk may take a second or two. */
const VERSION_TIMEOUT_MS = 5000;

/** How one run of the plugin is started. */
export interface PluginRun {
  readonly args: readonly string[];
  /** Variables that the plugin gets beside those of this process. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The plugin's arguments: the session's credentials as JSON, Region, operation, profile (none), the parameters of
 * the operation, and the endpoint of Systems Manager (GameLift Streams Developer Guide, "Stream session admin
 * shell"). Every version reads them. Other users of the machine can read them too, in its list of processes.
 */
export function pluginArguments(shell: AdminShell, region: string): readonly string[] {
  return argumentsWith(responseOf(shell), shell, region);
}

/**
 * Starts the plugin with the credentials in its environment where its version reads them there, else in its arguments.
 *
 * @param version what `session-manager-plugin --version` printed; undefined when it printed nothing.
 */
export function pluginRun(shell: AdminShell, region: string, version: string | undefined): PluginRun {
  return readsVariable(version)
    ? {
        args: argumentsWith(RESPONSE_VARIABLE, shell, region),
        environment: { [RESPONSE_VARIABLE]: responseOf(shell) },
      }
    : { args: pluginArguments(shell, region), environment: {} };
}

function argumentsWith(response: string, { sessionId }: AdminShell, region: string): readonly string[] {
  const target = asciiJson({ Target: sessionId });
  return [response, region, 'StartSession', '', target, `https://ssm.${region}.api.aws`];
}

function responseOf({ sessionId, streamUrl, tokenValue }: AdminShell): string {
  return asciiJson({ SessionId: sessionId, StreamUrl: streamUrl, TokenValue: tokenValue });
}

/** Whether the version is a newer one than the last that reads arguments only. An unreadable version is not. */
function readsVariable(version = ''): boolean {
  const parts = /^\d+(\.\d+)+$/.test(version) ? version.split('.').map(Number) : [];
  const newer = parts.map((part, index) => part - (LAST_WITHOUT_VARIABLE[index] ?? 0));
  return (newer.find((difference) => difference !== 0) ?? 0) > 0;
}

/**
 * The command that opens the shell, as a line for a POSIX shell. It may be pasted on another machine, whose plugin's
 * version is not known, so the credentials are in its arguments.
 */
export function pluginCommand(shell: AdminShell, region: string): string {
  const quoted = pluginArguments(shell, region).map((text) => `'${text.replaceAll("'", "'\\''")}'`);
  return [PLUGIN, ...quoted].join(' ');
}

/** The version that the installed plugin prints; undefined when it fails or does not answer within 5 s. */
export function readPluginVersion(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: VERSION_TIMEOUT_MS }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined);
    });
  });
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
export async function runPlugin(path: string, { args, environment }: PluginRun): Promise<number> {
  const ignore = () => {};
  process.on('SIGINT', ignore);
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(path, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
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
