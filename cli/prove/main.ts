/** `npm run prove`: what only an AWS account can say. docs/prove.md is its manual. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../run-command.ts';
import { awsClients } from './clients.ts';
import { readLocalFiles } from './local-files.ts';
import { OPTIONS, prove, USAGE } from './run.ts';

const root = join(import.meta.dirname, '..', '..');

await runCommand({
  usage: USAGE,
  options: OPTIONS,
  run: async (values) => {
    const interruption = new AbortController();
    // Once: a second Ctrl-C ends the process. A later run removes what this one has left.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
    process.exitCode = await prove(values, {
      tell: (text) => process.stdout.write(text),
      nowMs: Date.now,
      sleep: (ms) => sleep(ms, undefined, { signal: interruption.signal }),
      pause: (ms) => sleep(ms),
      isInterrupted: () => interruption.signal.aborted,
      environment: process.env,
      clientsOf: awsClients,
      readFiles: (stackName, template) => readLocalFiles(root, stackName, template),
      writeFile,
    });
  },
});
