import { parseWholeNumber } from '../cli/command-line.ts';
import { runCommand } from '../cli/run-command.ts';
import { CAPACITY } from './openings/account.ts';
import { type Openings, runOpenings } from './openings/run.ts';
import { throughQueue, throughQueueWithoutBus, WAYS } from './openings/ways.ts';
import { benchedService } from './shared/benched-service.ts';
import { exitCodeOf, type Goal, tellGoals, tellProgress } from './shared/goals.ts';
import { formatTable } from './shared/report.ts';

const usage = `Usage: npm run bench:openings [-- --seed <number>] [--json]

Measures in virtual time how fast windows open when many players drop at once, with the queue before on-status-change and
without it. Exits with 1 when a goal is not met.

  --seed <number>   another course of chances (1)
  --json            one JSON document
  --help            this text
`;
const options = {
  json: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
} as const;
const STORMS = [1, 1_000, 10_000, 20_000];
/** The last window starts within a tenth of what the quota allows, … */
const MOST_OF_BOUND = 1.1;
/** … where there are more drops than start in the first seconds anyway. */
const LEAST_DROPS = 10_000;
/** At a quiet time a window starts at most so much later than without the queue. */
const MOST_LATER_SECONDS = 0.5;

async function main(values: { readonly json: boolean; readonly seed: string }): Promise<void> {
  const seed = parseWholeNumber(values.seed, '--seed', 0);
  const service = await benchedService();
  const results: Openings[] = [];
  for (const drops of STORMS) {
    for (const way of WAYS) {
      tellProgress(`${drops.toLocaleString('en-US')} drops: ${way.name}`);
      results.push(await runOpenings(way, drops, service, seed));
    }
  }
  const goals = goalsOf(results);
  if (values.json) process.stdout.write(`${JSON.stringify({ results, goals }, null, 2)}\n`);
  else process.stdout.write(tell(results, goals));
  process.exitCode = exitCodeOf(goals);
}

function goalsOf(results: readonly Openings[]): Goal[] {
  const isOurs = ({ way }: Openings) => way === throughQueue.name || way === throughQueueWithoutBus.name;
  const ours = results.filter(isOurs);
  const large = ours.filter(({ drops }) => drops >= LEAST_DROPS);
  const [before] = results.filter((result) => result.drops === 1 && !isOurs(result));
  const [quiet] = ours.filter(({ drops }) => drops === 1);
  return [
    {
      goal: 'Each window is opened, and no event is lost.',
      met: ours.every(({ started, drops, lost }) => started === drops && lost === 0),
    },
    {
      goal: 'Each window is announced, even after the event bus took nothing for five minutes.',
      met: ours.every(({ announced, drops }) => announced === drops),
    },
    {
      goal: "Lambda throttles no player's request.",
      met: ours.every(({ throttledRequests }) => throttledRequests === 0),
    },
    {
      goal: 'The last window starts within a tenth of what the quota allows.',
      met: large.every(({ lastSeconds, boundSeconds }) => lastSeconds <= boundSeconds * MOST_OF_BOUND),
    },
    {
      goal: `At a quiet time a window starts at most ${MOST_LATER_SECONDS} s later than without the queue.`,
      met: (quiet?.lastSeconds ?? Number.NaN) <= (before?.lastSeconds ?? Number.NaN) + MOST_LATER_SECONDS,
    },
  ];
}

function tell(results: readonly Openings[], goals: readonly Goal[]): string {
  const { startBucket, startsPerSecond, concurrency } = CAPACITY;
  return `
Players drop at once, each drop is reported within a second, and every player asks through the API (virtual time).
StartExecution takes ${startBucket} and ${startsPerSecond} a second; Lambda runs ${concurrency} executions at one time.

${formatTable([
  [
    'drops',
    'way',
    'windows',
    'lost',
    'p50 s',
    'last s',
    'bound s',
    'announced',
    'announcements',
    'starts throttled',
    'requests throttled',
    'Lambda peak',
  ],
  ...results.map((row) => [
    row.drops.toLocaleString('en-US'),
    row.way,
    row.started,
    row.lost,
    row.p50Seconds,
    row.lastSeconds,
    row.boundSeconds,
    row.announced,
    row.announcements,
    row.throttledStarts,
    row.throttledRequests,
    row.peakConcurrency,
  ]),
])}
${tellGoals(goals)}`;
}

await runCommand({ usage, options, run: main });
