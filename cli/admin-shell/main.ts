/** `npm run admin-shell`: a terminal on a live stream session. docs/admin-shells.md is its manual. */
import { createInterface } from 'node:readline/promises';
import { systemClock } from '../../functions/shared/runtime/clock.ts';
import { readPluginVersion, runPlugin } from './plugin.ts';
import { run } from './run.ts';

async function askReason(): Promise<string> {
  // On stderr, for stdout is the command's alone.
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C here is no answer: it ends the command.
  lines.once('SIGINT', () => process.exit(130));
  const noAnswer = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const answer = lines.question('Why do you need the shell? It is recorded: ');
  try {
    return await Promise.race([answer, noAnswer]);
  } finally {
    lines.close();
  }
}

process.exitCode = await run(process.argv.slice(2), {
  environment: process.env,
  clock: systemClock,
  stdout: process.stdout,
  stderr: process.stderr,
  askReason: process.stdin.isTTY ? askReason : undefined,
  readPluginVersion,
  runPlugin,
});
