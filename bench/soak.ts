import { seededRandom } from 'local-server-kit';
import { parseWholeNumber } from '../cli/command-line.ts';
import { runCommand, type ValuesOf } from '../cli/run-command.ts';
import { startLocalStack } from '../local/local-stack.ts';
import { formatTable } from './shared/report.ts';
import { openHandles, type Reading, readAtRest } from './soak/readings.ts';
import { RecordedOutcomes, type Round, runRound } from './soak/round.ts';

const usage = `Usage: npm run soak [-- options]

Keeps thousands of windows open at once on the local stack, round after round, in real time. Exits with 1 when an outcome is
not what the service's own history says, or when memory or open handles grow.

  --rounds <number>     rounds of some six minutes (4)
  --sessions <number>   sessions in a round (2000)
  --window <seconds>    the sessions' ConnectionTimeoutSeconds (90)
  --json                one JSON document
  --help                this text
`;
const OPTIONS = {
  json: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '4' },
  sessions: { type: 'string', default: '2000' },
  window: { type: 'string', default: '90' },
} as const;

const SEED = 1;
/** Heaps breathe: what grows by more than this from the middle of the run to its end is a leak to look for. */
const FLAT_RATIO = 1.15;

/** Histories of executions that have waited for a permit again and again are long: a few hundred, so that they hide no leak. */
const KEPT_EXECUTIONS = 200;

interface MeasuredRound extends Round {
  readonly atRest: Reading;
}

async function main(values: ValuesOf<typeof OPTIONS>): Promise<void> {
  const say = (text: string) => process.stderr.write(text);
  const rounds = parseWholeNumber(values.rounds, '--rounds');
  const options = {
    sessions: parseWholeNumber(values.sessions, '--sessions'),
    windowSeconds: parseWholeNumber(values.window, '--window'),
    random: seededRandom(SEED),
    onProgress: (line: string) => say(`  ${line}\n`),
  };
  const outcomes = new RecordedOutcomes();
  const stack = await startLocalStack({
    onProgress: (step) => say(`${step} …\n`),
    onLog: (_functionName, line) => outcomes.read(line),
    keptExecutions: KEPT_EXECUTIONS,
  });
  const measured: MeasuredRound[] = [];
  try {
    for (let number = 1; number <= rounds; number++) {
      say(`Round ${number} of ${rounds}: ${options.sessions} sessions drop …\n`);
      const round = await runRound(stack, outcomes, options);
      measured.push({ ...round, atRest: await readAtRest() });
    }
  } finally {
    await stack.close();
  }
  const verdict = judge(measured);
  const report = { seed: SEED, verdict, rounds: measured };
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : tell(measured, verdict));
  process.exitCode = Object.values(verdict).every((holds) => holds) ? 0 : 1;
}

interface Verdict {
  readonly outcomesRight: boolean;
  readonly functionsFlat: boolean;
  readonly standInsFlat: boolean;
  readonly handlesFlat: boolean;
}

/** The first round fills what is kept on purpose: the last executions and events, warm workers. The table's items go on. */
function judge(rounds: readonly MeasuredRound[]): Verdict {
  const middle = rounds[Math.floor((rounds.length - 1) / 2)];
  const last = rounds.at(-1);
  const ratioOf = (value: (reading: Reading) => number) =>
    middle === undefined || last === undefined ? Number.NaN : value(last.atRest) / value(middle.atRest);
  return {
    outcomesRight: rounds.every(({ wrong }) => wrong.length === 0),
    functionsFlat: ratioOf(({ functionsMegabytes }) => functionsMegabytes) <= FLAT_RATIO,
    standInsFlat: ratioOf(({ standInsMegabytes }) => standInsMegabytes) <= FLAT_RATIO,
    handlesFlat: ratioOf(openHandles) <= FLAT_RATIO,
  };
}

function tell(rounds: readonly MeasuredRound[], verdict: Verdict): string {
  const rows = rounds.map(({ disconnects, recorded, wrong, seconds, calls, throttled, atRest }, index) => [
    `round ${index + 1}`,
    disconnects,
    recorded['RECONNECTED'] ?? 0,
    recorded['TERMINATED'] ?? 0,
    recorded['ERRORED'] ?? 0,
    wrong.length,
    calls,
    throttled,
    `${seconds} s`,
    `${atRest.functionsMegabytes} MB`,
    `${atRest.standInsMegabytes} MB`,
    openHandles(atRest),
  ]);
  const head = [
    '',
    'disconnects',
    'RECONNECTED',
    'TERMINATED',
    'ERRORED',
    'wrong',
    'calls',
    'throttled',
    'took',
  ];
  const answer = (yes: boolean) => (yes ? 'yes' : 'NO');
  const wrong = rounds.flatMap((round) => round.wrong.slice(0, 5).map((line) => `  ${line}\n`)).join('');
  return `
${formatTable([[...head, 'functions', 'stand-ins', 'handles'], ...rows])}
Every outcome is what the service's own history says: ${answer(verdict.outcomesRight)}.
${wrong}At rest, from the middle of the run to its end, within ${FLAT_RATIO} times:
  what the functions hold in memory: ${answer(verdict.functionsFlat)};
  what the stand-ins hold, the table's items and the last executions among it: ${answer(verdict.standInsFlat)};
  sockets, servers and workers: ${answer(verdict.handlesFlat)}.
One process runs everything: the functions' workers, the stand-ins and the players.
`;
}

await runCommand({ usage, options: OPTIONS, run: main });
