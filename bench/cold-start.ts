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
import { formatTable } from './shared/report.ts';

const usage = `Usage: npm run bench:cold-start [-- --runs <number>] [--json]

Compares every bundle as it is deployed with a bare handler that has the same SDK clients and is built the same way: bytes,
and time from the beginning of the import to a handler that is ready.

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
      rows.push(await measure(bundle, folder, service, runs));
    }
    const report = {
      node: process.version,
      runs,
      goalRatio: GOAL_RATIO,
      bundles: rows.map((row) => ({ ...row, ratio: ratios(row.shipped, row.bare) })),
      goals: goalsOf(rows, ({ bare }) => bare),
      goalsBesideLeanBare: goalsOf(rows, ({ leanBare }) => leanBare),
    };
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : tell(rows, runs));
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

/** Whether every bundle is within the goal. */
function goalsOf(rows: readonly Row[], beside: (row: Row) => Load) {
  const all = rows.map((row) => ratios(row.shipped, beside(row)));
  const within = (measured: (typeof MEASURES)[number]) => all.every((of) => of[measured] <= GOAL_RATIO);
  return { bytes: within('bytes'), readyMs: within('readyMs'), cpuMs: within('cpuMs') };
}

function tell(rows: readonly Row[], runs: number): string {
  return `
Every bundle beside a bare handler with its SDK clients and commands (median of ${runs} fresh processes each, by turns):

${besideTable(rows, ({ bare }) => bare)}
Beside a bare handler that leaves out of the SDK what our bundles leave out, all credentials but the environment's:

${besideTable(rows, ({ leanBare }) => leanBare)}
"ready" is from the beginning of the import to a handler, its settings read; "CPU" the same without what else ran.
Node ${process.version} on this machine, not on Lambda: the ratios carry over, the milliseconds do not.

At most ${GOAL_RATIO} times a bare handler:          ${verdicts(goalsOf(rows, ({ bare }) => bare))}
At most ${GOAL_RATIO} times the one that leaves out: ${verdicts(goalsOf(rows, ({ leanBare }) => leanBare))}
`;
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

function verdicts({ bytes, readyMs, cpuMs }: ReturnType<typeof goalsOf>): string {
  const verdict = (met: boolean) => (met ? 'YES' : 'NO');
  return `bytes ${verdict(bytes)}, until ready ${verdict(readyMs)}, CPU ${verdict(cpuMs)}`;
}

await runCommand({ usage, options, run: main });
