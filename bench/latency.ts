import { seededRandom } from 'local-server-kit';
import { runCommand } from '../cli/run-command.ts';
import { resolveEnvironment } from '../local/service/read-service.ts';
import { startBuiltStack } from './latency/built-stack.ts';
import { measureDrops } from './latency/drops.ts';
import { measureLooks } from './latency/noticing.ts';
import { measureReconnections } from './latency/reconnections.ts';
import { benchedService } from './shared/benched-service.ts';
import { exitCodeOf, type Goal, tellGoals, tellProgress } from './shared/goals.ts';
import { formatTable, percentile } from './shared/report.ts';

const usage = `Usage: npm run bench:latency [-- --json]

Measures how late the watcher notices a disconnect, and what the service adds to one reconnection.
Exits with 1 when a goal is not met. Takes two minutes.

  --json   one JSON document
  --help   this text
`;

const SEED = 1;
const VIRTUAL_DROPS = 1000;
const REAL_DROPS = 40;
const RECONNECTIONS = 200;
const WARM_UP = 20;
const SERVICE_MS = 100;
/** The design's goal for a reconnection, as a ratio to the direct call. */
const GOAL_RATIO = 1.5;

interface Quantiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

function quantilesOf(values: readonly number[]): Quantiles {
  const rounded = (share: number) => Math.round(percentile(values, share) * 10) / 10;
  return { count: values.length, p50Ms: rounded(0.5), p99Ms: rounded(0.99), maxMs: rounded(1) };
}

async function main({ json }: { readonly json: boolean }): Promise<void> {
  const service = await benchedService();
  tellProgress(`${VIRTUAL_DROPS.toLocaleString('en-US')} drops in virtual time`);
  const looks = quantilesOf(await measureLooks(service, VIRTUAL_DROPS, SEED));
  tellProgress('Starting the local stack');
  const built = await startBuiltStack();
  try {
    tellProgress(`${REAL_DROPS} drops, a second apart`);
    const drops = quantilesOf(await measureDrops(built, REAL_DROPS, seededRandom(SEED)));
    tellProgress(`${RECONNECTIONS} reconnections each, direct and through the API, by turns`);
    const measured = await measureReconnections(built, {
      count: RECONNECTIONS,
      warmUp: WARM_UP,
      serviceMs: SERVICE_MS,
    });
    const direct = quantilesOf(measured.direct);
    const throughTheApi = quantilesOf(measured.throughTheApi);
    const ratio = {
      p50: Math.round((throughTheApi.p50Ms / direct.p50Ms) * 100) / 100,
      p99: Math.round((throughTheApi.p99Ms / direct.p99Ms) * 100) / 100,
    };
    const { WATCH_INTERVAL_SECONDS: intervalSeconds = '' } = resolveEnvironment(service, 'watchSessions');
    const goals: Goal[] = [
      {
        goal: `A reconnection takes at most ${GOAL_RATIO} times the direct call, at p50 and p99.`,
        met: ratio.p50 <= GOAL_RATIO && ratio.p99 <= GOAL_RATIO,
      },
    ];
    const report = {
      seed: SEED,
      noticing: { watchIntervalSeconds: Number(intervalSeconds), virtualTime: looks, realTime: drops },
      reconnection: { serviceMs: SERVICE_MS, direct, throughTheApi, ratio },
      goals,
    };
    process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : tell(report));
    process.exitCode = exitCodeOf(goals);
  } finally {
    await built.stack.close();
  }
}

interface Report {
  readonly noticing: {
    readonly watchIntervalSeconds: number;
    readonly virtualTime: Quantiles;
    readonly realTime: Quantiles;
  };
  readonly reconnection: {
    readonly serviceMs: number;
    readonly direct: Quantiles;
    readonly throughTheApi: Quantiles;
    readonly ratio: { readonly p50: number; readonly p99: number };
  };
  readonly goals: readonly Goal[];
}

function tell({ noticing, reconnection, goals }: Report): string {
  const row = (name: string, { count, p50Ms, p99Ms, maxMs }: Quantiles) => [
    name,
    count,
    `${p50Ms} ms`,
    `${p99Ms} ms`,
    `${maxMs} ms`,
  ];
  const { ratio, serviceMs } = reconnection;
  return `
From drop to open window, found by the watcher alone, which looks every ${noticing.watchIntervalSeconds} s:

${formatTable([
  ['', 'drops', 'p50', 'p99', 'most'],
  row('virtual time: the schedule alone', noticing.virtualTime),
  row('real time, built bundles', noticing.realTime),
])}
One reconnection with a service that takes ${serviceMs} ms, one call at a time, by turns, built bundles:

${formatTable([
  ['', 'calls', 'p50', 'p99', 'most'],
  row('CreateStreamSessionConnection itself', reconnection.direct),
  row('through the API', reconnection.throughTheApi),
  ['ratio', '', `${ratio.p50}`, `${ratio.p99}`, ''],
])}
The API's Lambda, Step Functions, EventBridge and DynamoDB are the local stand-ins here, all on this machine.

${tellGoals(goals)}`;
}

await runCommand({ usage, options: { json: { type: 'boolean', default: false } }, run: main });
