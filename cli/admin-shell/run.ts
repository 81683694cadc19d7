import type { Clock } from '../../functions/shared/runtime/clock.ts';
import { explainUsageError, printable, USAGE_EXIT_CODE, UsageError } from '../command-line.ts';
import { apiClient } from './api-client.ts';
import { checkReason, parseArguments, USAGE } from './arguments.ts';
import { countDown, type Terminal } from './countdown.ts';
import { parseEndpoint } from './endpoint.ts';
import { explain } from './explain.ts';
import { findPlugin, PLUGIN, type PluginRun, pluginCommand, pluginRun } from './plugin.ts';
import { type AdminShell, requestShell } from './request-shell.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** For the command to paste, and nothing else. */
  readonly stdout: Terminal;
  /** For everything that is told. */
  readonly stderr: Terminal;
  /** Asks the operator; undefined when nobody is there to answer. */
  readonly askReason: (() => Promise<string>) | undefined;
  /** What the plugin prints as its version; undefined when it prints none. */
  readonly readPluginVersion: (path: string) => Promise<string | undefined>;
  readonly runPlugin: (path: string, run: PluginRun) => Promise<number>;
}

/** @returns the exit code: the plugin's, 0 for a printed command, 1 when there is no shell, 2 for a wrong call. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const tell = (line: string) => surroundings.stderr.write(printable(`${line}\n`));
  let endpoint = parseEndpoint();
  try {
    const parsed = parseArguments(args);
    if (parsed === 'help') {
      surroundings.stdout.write(USAGE);
      return 0;
    }
    endpoint = parseEndpoint(parsed.endpoint);
    const plugin = await pluginToRun(parsed.print, surroundings);
    const { client, region } = await apiClient(endpoint, parsed.region);
    try {
      const reason = parsed.reason ?? (await askForReason(surroundings));
      tell(`Asking for an admin shell on ${parsed.streamSession} …`);
      const shell = await requestShell({ ...parsed, reason }, { client, clock: surroundings.clock, tell });
      return plugin === undefined
        ? await printCommand(shell, region, surroundings)
        : await openShell(plugin, shell, region, surroundings);
    } finally {
      client.destroy();
    }
  } catch (error) {
    if (error instanceof UsageError) {
      surroundings.stderr.write(printable(explainUsageError(error)));
      return USAGE_EXIT_CODE;
    }
    tell(explain(error, endpoint));
    return 1;
  }
}

interface InstalledPlugin {
  readonly path: string;
  readonly version: string | undefined;
}

/**
 * Finds the plugin before a shell is requested, because its credentials expire after 60 s.
 *
 * @returns undefined when the command is to be printed: with --print, or without a plugin on a terminal. Anything
 *   else that the output goes to would keep the credentials.
 * @throws UsageError when there is neither a plugin nor a terminal.
 */
async function pluginToRun(
  print: boolean,
  { environment, stdout, readPluginVersion }: Surroundings,
): Promise<InstalledPlugin | undefined> {
  const path = print ? undefined : findPlugin(environment);
  if (path !== undefined) return { path, version: await readPluginVersion(path) };
  if (print || stdout.isTTY === true) return undefined;
  throw new UsageError(
    `${PLUGIN} is not on the PATH. Install it, or take the command that holds the credentials with --print.`,
  );
}

async function askForReason({ askReason }: Surroundings): Promise<string | undefined> {
  const answer = (await askReason?.())?.trim() ?? '';
  return answer === '' ? undefined : checkReason(answer);
}

async function openShell(
  plugin: InstalledPlugin,
  shell: AdminShell,
  region: string,
  { clock, stderr, runPlugin }: Surroundings,
): Promise<number> {
  const countdown = countDown({
    clock,
    untilMs: shell.expiresAtMs,
    terminal: stderr,
    style: 'title',
    text: (seconds) => `Admin shell: ${seconds} s left to open it`,
  });
  try {
    return await runPlugin(plugin.path, pluginRun(shell, region, plugin.version));
  } finally {
    countdown.stop();
  }
}

async function printCommand(
  shell: AdminShell,
  region: string,
  { clock, stdout, stderr }: Surroundings,
): Promise<number> {
  if (stdout.isTTY !== true) {
    stdout.write(`${pluginCommand(shell, region)}\n`);
    return 0;
  }
  stderr.write(
    'The command below holds the credentials. Keep it out of history files: open a shell without one,\n' +
      '  HISTFILE= sh\nand paste it there, wherever session-manager-plugin is installed:\n\n',
  );
  stdout.write(` ${pluginCommand(shell, region)}\n`);
  stderr.write('\n');
  await countDown({
    clock,
    untilMs: shell.expiresAtMs,
    terminal: stderr,
    style: 'line',
    text: (seconds) =>
      seconds > 0
        ? `${seconds} s left to open the shell. Ctrl-C stops counting.`
        : 'The credentials have expired. Ask again for new ones.',
  }).ended;
  return 0;
}
