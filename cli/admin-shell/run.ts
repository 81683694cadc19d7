import type { Clock } from '../../functions/shared/clock.ts';
import { UsageError } from '../usage-error.ts';
import { apiClient } from './api-client.ts';
import { checkReason, parseArguments, USAGE } from './arguments.ts';
import { countDown, type Terminal } from './countdown.ts';
import { parseEndpoint } from './endpoint.ts';
import { explain } from './explain.ts';
import { findPlugin, PLUGIN, pluginArguments, pluginCommand } from './plugin.ts';
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
  readonly runPlugin: (path: string, args: readonly string[]) => Promise<number>;
}

/** @returns the exit code: the plugin's, 0 for a printed command, 1 when there is no shell, 2 for a wrong call. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const tell = (line: string) => surroundings.stderr.write(`${line}\n`);
  let endpoint = parseEndpoint();
  try {
    const parsed = parseArguments(args);
    if (parsed === 'help') {
      surroundings.stdout.write(USAGE);
      return 0;
    }
    endpoint = parseEndpoint(parsed.endpoint);
    const way = wayIn(parsed.print, surroundings);
    const { client, region } = await apiClient(endpoint, parsed.region);
    try {
      const reason = parsed.reason ?? (await askForReason(surroundings));
      tell(`Asking for an admin shell on ${parsed.streamSession} …`);
      const shell = await requestShell({ ...parsed, reason }, { client, clock: surroundings.clock, tell });
      return way.plugin === undefined
        ? await printCommand(shell, region, surroundings)
        : await openShell(way.plugin, shell, region, surroundings);
    } finally {
      client.destroy();
    }
  } catch (error) {
    tell(explain(error, endpoint));
    if (!(error instanceof UsageError)) return 1;
    tell('--help tells how it is called.');
    return 2;
  }
}

/**
 * Decided before a shell is asked for. Without the plugin the command is printed, to a terminal only: whatever
 * else the output goes to would keep the credentials.
 */
function wayIn(print: boolean, { environment, stdout }: Surroundings): { plugin: string | undefined } {
  const plugin = print ? undefined : findPlugin(environment);
  if (plugin === undefined && !print && stdout.isTTY !== true) {
    throw new UsageError(
      `${PLUGIN} is not on the PATH. Install it, or take the command that holds the credentials with --print.`,
    );
  }
  return { plugin };
}

async function askForReason({ askReason }: Surroundings): Promise<string | undefined> {
  const answer = (await askReason?.())?.trim() ?? '';
  return answer === '' ? undefined : checkReason(answer);
}

async function openShell(
  plugin: string,
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
    return await runPlugin(plugin, pluginArguments(shell, region));
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
