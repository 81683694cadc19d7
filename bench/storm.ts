/**
 * `npm run bench:storm`: how many sessions of a reconnection storm each policy saves, beside the most that any could.
 * The shipped permits and places, in virtual time; `--live` also runs a smaller storm on the local stack.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { backoffPolicy } from './storm/backoff-policy.ts';
import { runLive } from './storm/live.ts';
import { ourPolicy } from './storm/our-policy.ts';
import { pictureOf } from './storm/picture.ts';
import { type Cell, tableOf, verdictOf } from './storm/report.ts';
import { runStorm } from './storm/run-storm.ts';
import { fullMatrix, type Scenario, usualMatrix } from './storm/scenario.ts';
import { sdkPolicy } from './storm/sdk-policy.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** Every size with every circumstance: some twenty minutes. */
    full: { type: 'boolean', default: false },
    live: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    /** Where the picture goes. */
    picture: { type: 'string', default: 'dist/bench/storm.svg' },
  },
});

async function runCell(scenario: Scenario, seed: number): Promise<Cell> {
  const policies = [ourPolicy(), sdkPolicy('standard'), sdkPolicy('adaptive'), backoffPolicy];
  const results = [];
  for (const policy of policies) results.push(await runStorm(scenario, policy, seed));
  return { scenario, results };
}

async function main(): Promise<void> {
  const say = (text: string) => {
    if (!values.json) process.stdout.write(`${text}\n\n`);
  };
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new Error('--seed takes a whole number.');
  if (values.live) {
    const { text, json } = await runLive(seed);
    process.stdout.write(values.json ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`);
    return;
  }
  const cells: Cell[] = [];
  for (const scenario of values.full ? fullMatrix() : usualMatrix()) {
    const cell = await runCell(scenario, seed);
    cells.push(cell);
    say(tableOf(cell));
  }
  const verdict = verdictOf(cells, ourPolicy().name);
  say(verdict.text);
  const drawn = cells.filter(
    ({ scenario }) => scenario.sessions === 1000 && (scenario.windows === 30 || scenario.windows === 'mixed'),
  );
  mkdirSync(dirname(values.picture), { recursive: true });
  writeFileSync(values.picture, pictureOf(drawn.slice(0, 3)));
  say(`Picture: ${values.picture}`);
  if (values.json) {
    const storms = cells.map(({ scenario, results }) => ({
      scenario,
      results: results.map(({ savedAtSeconds: _, ...result }) => result),
    }));
    process.stdout.write(`${JSON.stringify({ seed, goalsMet: verdict.met, storms }, null, 2)}\n`);
  }
  process.exitCode = verdict.met ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(
    `The bench could not run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
