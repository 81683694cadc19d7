import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import { parseWholeNumber, UsageError } from '../cli/command-line.ts';
import { runCommand, type ValuesOf } from '../cli/run-command.ts';
import { runLive } from './storm/live.ts';
import { pictureOf } from './storm/picture.ts';
import { allPolicies } from './storm/policies.ts';
import { tableOf, verdictOf } from './storm/report.ts';
import { runStorms } from './storm/run-storms.ts';
import { fullMatrix, nameOf, type Scenario, titleOf, usualMatrix } from './storm/scenario.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  /** Every size with every circumstance. */
  full: { type: 'boolean', default: false },
  live: { type: 'boolean', default: false },
  /** The names of single storms. */
  storm: { type: 'string', multiple: true, default: [] },
  seed: { type: 'string', default: '1' },
  /** Where the picture goes. */
  picture: { type: 'string', default: 'dist/bench/storm.svg' },
} as const satisfies ParseArgsOptionsConfig;

function usage(): string {
  const storms = usualMatrix().map((scenario) => `  ${nameOf(scenario).padEnd(24)} ${titleOf(scenario)}`);
  return `Usage: npm run bench:storm [-- --storm <name>]… [--full] [--picture <file>] [--seed <number>] [--json]
       npm run bench:storm -- --live [--seed <number>] [--json]

Measures in virtual time how many sessions of a reconnection storm each policy saves, beside the most that any could.

  --storm <name>     one of the storms below; may be given again
  --full             every size with every circumstance
  --live             a smaller storm on the local stack, in real time
  --picture <file>   where the picture goes (${OPTIONS.picture.default})
  --seed <number>    another course of chances (${OPTIONS.seed.default})
  --json             one JSON document
  --help             this text

Shows on stderr which storm is running. The usual storms, each by itself with --storm (--full has more):
${storms.join('\n')}
`;
}

/** @throws UsageError for a storm that there is not. */
function chosenScenarios(full: boolean, storms: readonly string[]): readonly Scenario[] {
  const matrix = full ? fullMatrix() : usualMatrix();
  if (storms.length === 0) return matrix;
  return storms.map((name) => {
    const scenario = [...matrix, ...fullMatrix()].find((one) => nameOf(one) === name);
    if (scenario === undefined) throw new UsageError(`There is no storm ${name}. --help lists them.`);
    return scenario;
  });
}

async function main(values: ValuesOf<typeof OPTIONS>): Promise<void> {
  const say = (text: string) => {
    if (!values.json) process.stdout.write(`${text}\n\n`);
  };
  const seed = parseWholeNumber(values.seed, '--seed', 0);
  if (values.live) {
    const { text, json } = await runLive(seed);
    process.stdout.write(values.json ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`);
    return;
  }
  const cells = await runStorms(chosenScenarios(values.full, values.storm), {
    seed,
    onCell: (cell) => say(tableOf(cell)),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const verdict = verdictOf(cells, allPolicies()[0]?.name ?? '');
  say(verdict.text);
  const drawn = cells.filter(
    ({ scenario }) => scenario.sessions === 1000 && (scenario.windows === 30 || scenario.windows === 'mixed'),
  );
  if (values.storm.length === 0) {
    mkdirSync(dirname(values.picture), { recursive: true });
    writeFileSync(values.picture, pictureOf(drawn.slice(0, 3)));
    say(`Picture: ${values.picture}`);
  }
  if (values.json) {
    const storms = cells.map(({ scenario, results }) => ({
      scenario,
      results: results.map(({ savedAtSeconds: _, ...result }) => result),
    }));
    process.stdout.write(`${JSON.stringify({ seed, goalsMet: verdict.met, storms }, null, 2)}\n`);
  }
  process.exitCode = verdict.met ? 0 : 1;
}

await runCommand({ usage: usage(), options: OPTIONS, run: main });
