import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { readAlarms } from './alarms/read-alarms.ts';
import { DOCUMENT, failureTable, RUNBOOK, withTable, withTimes } from './alarms/tables.ts';
import { timesOf } from './alarms/times.ts';

const usage = `Usage: npm run alarms [-- --write | --json]

Computes which alarm tells of which failure, and after how long, from the alarms that the template declares and the
failures of bench/alarms/failures.ts, as CloudWatch evaluates alarms.

  --write   puts the table into ${DOCUMENT} and the times into ${RUNBOOK}
  --json    one JSON document
  --help    this text
`;
const options = {
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const;

async function main(values: { readonly json: boolean; readonly write: boolean }): Promise<void> {
  const alarms = await readAlarms();
  const times = timesOf(alarms);
  if (values.write) {
    await change(DOCUMENT, (text) => withTable(text, failureTable(times)));
    await change(RUNBOOK, (text) => withTimes(text, alarms, times));
    console.log(`${DOCUMENT} and ${RUNBOOK} have the times.`);
  } else if (values.json) {
    const failures = times.map(({ failure: { what }, told }) => ({ what, told }));
    process.stdout.write(`${JSON.stringify({ alarms, failures }, null, 2)}\n`);
  } else {
    process.stdout.write(`\n${failureTable(times)}`);
  }
}

async function change(path: string, edit: (text: string) => string): Promise<void> {
  const file = join(import.meta.dirname, '..', path);
  await writeFile(file, edit(await readFile(file, 'utf8')));
}

await runCommand({ usage, options, run: main });
