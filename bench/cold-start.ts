/**
 * `npm run bench:cold-start`: every bundle as it is deployed, beside a bare handler with the same SDK clients, built
 * the same way: bytes, and time from the beginning of the import to a handler that is ready. `--json` prints one
 * JSON document; `--runs 31` makes it surer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveEnvironment } from '../local/service/read-service.ts';
import type { Service } from '../local/service/service.ts';
import { type Bundle, buildFunctions } from '../scripts/build.ts';
import { clientFiles } from '../scripts/sdk-use.ts';
import { buildBareHandler } from './cold-start/bare-handler.ts';
import { type LoadTimes, measureLoads } from './cold-start/measure-loads.ts';
import { formatTable } from './shared/report.ts';
import { benchedService } from './shared/virtual-stack.ts';

/** The design's goal, as a ratio to the bare handler. */
const GOAL_RATIO = 1.2;

interface Row {
  readonly name: string;
  readonly clients: readonly string[];
  readonly shipped: LoadTimes & { readonly bytes: number };
  readonly bare: LoadTimes & { readonly bytes: number };
  readonly ratio: { readonly bytes: number; readonly ready: number; readonly cpu: number };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '15' } },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs must be a whole number, 1 or more.');
  const service = await benchedService();
  const folder = await mkdtemp(join(tmpdir(), 'cold-start-'));
  try {
    const rows: Row[] = [];
    for (const bundle of await buildFunctions(join(folder, 'shipped'))) {
      rows.push(await measure(bundle, join(folder, 'bare', `${bundle.name}.mjs`), service, runs));
    }
    const goals = {
      ready: rows.every(({ ratio }) => ratio.ready <= GOAL_RATIO),
      bytes: rows.every(({ ratio }) => ratio.bytes <= GOAL_RATIO),
    };
    const report = { node: process.version, runs, goalRatio: GOAL_RATIO, bundles: rows, goals };
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : tell(rows, runs, goals));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(bundle: Bundle, barePath: string, service: Service, runs: number): Promise<Row> {
  const bare = await buildBareHandler(bundle, barePath);
  const environment = environmentOf(bundle, service);
  const [shippedTimes, bareTimes] = await measureLoads(
    { path: bundle.path, environment },
    { path: barePath, environment },
    runs,
  );
  return {
    name: bundle.name,
    clients: clientFiles(bundle).map((file) => file.replace(/^.*\/|\.ts$/g, '')),
    shipped: { bytes: bundle.bytes, ...shippedTimes },
    bare: { bytes: bare.bytes, ...bareTimes },
    ratio: {
      bytes: ratioOf(bundle.bytes, bare.bytes),
      ready: ratioOf(shippedTimes.readyMs, bareTimes.readyMs),
      cpu: ratioOf(shippedTimes.cpuMs, bareTimes.cpuMs),
    },
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

function ratioOf(one: number, other: number): number {
  return Math.round((one / other) * 100) / 100;
}

function tell(rows: readonly Row[], runs: number, goals: { ready: boolean; bytes: boolean }): string {
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} KB`;
  const beside = (one: string, other: string, ratio: number) => [one, other, ratio.toFixed(2)];
  const verdict = (met: boolean) => (met ? 'YES' : 'NO');
  return `
Every bundle beside a bare handler with its SDK clients and commands (median of ${runs} fresh processes each, by turns):

${formatTable([
  ['', 'bytes', 'bare', 'ratio', 'ready', 'bare', 'ratio', 'CPU', 'bare', 'ratio'],
  ...rows.map(({ name, shipped, bare, ratio }) => [
    name,
    ...beside(kilobytes(shipped.bytes), kilobytes(bare.bytes), ratio.bytes),
    ...beside(`${shipped.readyMs} ms`, `${bare.readyMs} ms`, ratio.ready),
    ...beside(`${shipped.cpuMs} ms`, `${bare.cpuMs} ms`, ratio.cpu),
  ]),
])}
"ready" is from the beginning of the import to a handler, its settings read; "CPU" the same without what else ran.
Node ${process.version} on this machine, not on Lambda: the ratios carry over, the milliseconds do not.

At most ${GOAL_RATIO} times the bare handler until ready: ${verdict(goals.ready)}.  In bytes: ${verdict(goals.bytes)}.
`;
}

await main();
