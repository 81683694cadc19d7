import { join } from 'node:path';
import { parseWholeNumber } from '../cli/command-line.ts';
import { runCommand } from '../cli/run-command.ts';
import { resolveEnvironment } from '../local/service/read-service.ts';
import type { Service } from '../local/service/service.ts';
import { temporaryFolder } from '../local/shared/temporary-folder.ts';
import { type Bundle, buildFunctions } from '../scripts/build.ts';
import { buildBareHandler, clientNames } from './cold-start/bare-handler.ts';
import { type LoadTimes, measureLoads } from './cold-start/measure-loads.ts';
import { benchedService } from './shared/benched-service.ts';
import { exitCodeOf, type Goal, tellGoals, tellProgress } from './shared/goals.ts';
import { formatTable } from './shared/report.ts';

const usage = `Usage: npm run bench:cold-start [-- --runs <number>] [--json]

Compares every bundle as it is deployed with a bare handler that has the same SDK clients and is built the same way: bytes,
and time from the beginning of the import to a handler that is ready. Exits with 1 when a goal is not met.

  --runs <number>   loads of each bundle (15)
  --json            one JSON document
  --help            this text
`;
const options = {
  json: { type: 'boolean', default: false },
  runs: { type: 'string', default: '15' },
} as const;

/** The design's goal, as a ratio to the bare handler. */
const GOAL_RATIO = 1.2;

interface Load extends LoadTimes {
  readonly bytes: number;
}

interface Row {
  readonly name: string;
  readonly clients: readonly string[];
  readonly shipped: Load;
  /** With the SDK as it is installed. */
  readonly bare: Load;
  /** With the SDK's credential providers replaced as they are in what is shipped. */
  readonly leanBare: Load;
}

const MEASURES = ['bytes', 'readyMs', 'cpuMs'] as const;
type Ratios = Readonly<Record<(typeof MEASURES)[number], number>>;

async function main(values: { readonly json: boolean; readonly runs: string }): Promise<void> {
  const runs = parseWholeNumber(values.runs, '--runs');
  const service = await benchedService();
  const temporary = await temporaryFolder('cold-start-');
  const folder = temporary.path;
  try {
    const rows: Row[] = [];
    for (const bundle of await buildFunctions(join(folder, 'shipped'))) {
      tellProgress(`${runs} loads of ${bundle.name} and of two bare handlers`);
      rows.push(await measure(bundle, folder, service, runs));
    }
    const goals = goalsOf(rows, 'a bare handler', ({ bare }) => bare);
    const goalsBesideLeanBare = goalsOf(rows, 'one that leaves out the same', ({ leanBare }) => leanBare);
    const report = {
      node: process.version,
      runs,
      goalRatio: GOAL_RATIO,
      bundles: rows.map((row) => ({ ...row, ratio: ratios(row.shipped, row.bare) })),
      goals,
      goalsBesideLeanBare,
    };
    process.stdout.write(
      values.json ? `${JSON.stringify(report, null, 2)}\n` : tell(rows, runs, goals, goalsBesideLeanBare),
    );
    process.exitCode = exitCodeOf(goals);
  } finally {
    temporary.remove();
  }
}

async function measure(bundle: Bundle, folder: string, service: Service, runs: number): Promise<Row> {
  const barePath = join(folder, 'bare', `${bundle.name}.mjs`);
  const leanBarePath = join(folder, 'lean-bare', `${bundle.name}.mjs`);
  const bare = await buildBareHandler(bundle, barePath, 'as-installed');
  const leanBare = await buildBareHandler(bundle, leanBarePath, 'as-shipped');
  const paths = [bundle.path, barePath, leanBarePath];
  const sizes = [bundle.bytes, bare.bytes, leanBare.bytes];
  const times = await measureLoads(paths, environmentOf(bundle, service), runs);
  const loadOf = (index: number): Load => ({
    bytes: sizes[index] ?? Number.NaN,
    ...(times[index] ?? { readyMs: Number.NaN, cpuMs: Number.NaN }),
  });
  return {
    name: bundle.name,
    clients: clientNames(bundle),
    shipped: loadOf(0),
    bare: loadOf(1),
    leanBare: loadOf(2),
  };
}

/** What the functions read when they load; the region and the credentials that Lambda sets. */
function environmentOf({ name }: Bundle, service: Service): Record<string, string> {
  const fn = service.functions.find(({ handler }) => handler.module === `dist/${name}/handler`);
  if (fn === undefined) throw new Error(`serverless.yml has no function of the bundle ${name}.`);
  return {
    ...resolveEnvironment(service, fn.key),
    AWS_REGION: service.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
}

function ratios(one: Load, other: Load): Ratios {
  const ratio = (measured: (typeof MEASURES)[number]) =>
    Math.round((one[measured] / other[measured]) * 100) / 100;
  return { bytes: ratio('bytes'), readyMs: ratio('readyMs'), cpuMs: ratio('cpuMs') };
}

const MEASURED_AS: Readonly<Record<(typeof MEASURES)[number], string>> = {
  bytes: 'has at most',
  readyMs: 'is ready within',
  cpuMs: 'takes at most',
};
const UNITS = { bytes: 'bytes', readyMs: 'time', cpuMs: 'CPU time' } as const;

function goalsOf(rows: readonly Row[], name: string, beside: (row: Row) => Load): Goal[] {
  const all = rows.map((row) => ratios(row.shipped, beside(row)));
  return MEASURES.map((measured) => ({
    goal: `Each bundle ${MEASURED_AS[measured]} ${GOAL_RATIO} times the ${UNITS[measured]} of ${name}.`,
    met: all.every((of) => of[measured] <= GOAL_RATIO),
  }));
}

function tell(
  rows: readonly Row[],
  runs: number,
  goals: readonly Goal[],
  goalsBesideLeanBare: readonly Goal[],
): string {
  return `
Every bundle beside a bare handler with its SDK clients and commands (median of ${runs} fresh processes each, by turns):

${besideTable(rows, ({ bare }) => bare)}
Beside a bare handler that leaves out of the SDK what our bundles leave out, all credentials but the environment's:

${besideTable(rows, ({ leanBare }) => leanBare)}
"ready" is from the beginning of the import to a handler, its settings read; "CPU" the same without what else ran.
Node ${process.version} on this machine, not on Lambda: the ratios carry over, the milliseconds do not.

${tellGoals(goals)}
For comparison, no goal:
${tellGoals(goalsBesideLeanBare)}`;
}

function besideTable(rows: readonly Row[], beside: (row: Row) => Load): string {
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} KB`;
  return formatTable([
    ['', 'bytes', 'bare', 'ratio', 'ready', 'bare', 'ratio', 'CPU', 'bare', 'ratio'],
    ...rows.map((row) => {
      const { name, shipped } = row;
      const bare = beside(row);
      const { bytes, readyMs, cpuMs } = ratios(shipped, bare);
      return [
        name,
        ...[kilobytes(shipped.bytes), kilobytes(bare.bytes), bytes.toFixed(2)],
        ...[`${shipped.readyMs} ms`, `${bare.readyMs} ms`, readyMs.toFixed(2)],
        ...[`${shipped.cpuMs} ms`, `${bare.cpuMs} ms`, cpuMs.toFixed(2)],
      ];
    }),
  ]);
}

await runCommand({ usage, options, run: main });
