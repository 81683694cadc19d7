import { parseWholeNumber } from '../cli/command-line.ts';
import { runCommand, type ValuesOf } from '../cli/run-command.ts';
import { ITEM_BOUNDS } from '../functions/shared/contracts/table-keys.ts';
import { benchedService } from './shared/benched-service.ts';
import { formatTable } from './shared/report.ts';
import { type LongSoak, runLongSoak } from './soak-long/run.ts';
import { verdictOf } from './soak-long/verdict.ts';

const OPTIONS = {
  minutes: { type: 'string', default: '60' },
  seats: { type: 'string', default: '8' },
  'offer-every': { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
} as const;

const usage = `Usage: npm run soak:long [-- options]

Runs sessions with timeouts of 600 s and 3,600 s for hours of virtual time. A quarter of the players make new offers all the
time. Exits with 1 when an item of the table exceeds its bound, when the table refuses a call, or when an outcome is not what
the service's own history says.

  --minutes <number>       virtual minutes in which players lose their connections (${OPTIONS.minutes.default})
  --seats <number>         sessions at one time (${OPTIONS.seats.default})
  --offer-every <seconds>  pause between two offers of a player who makes them all the time (${OPTIONS['offer-every'].default})
  --seed <number>          another course of chances (${OPTIONS.seed.default})
  --json                   one JSON document
  --help                   this text
`;

async function main(values: ValuesOf<typeof OPTIONS>): Promise<void> {
  const soak = await runLongSoak({
    service: await benchedService(),
    minutes: parseWholeNumber(values.minutes, '--minutes'),
    seats: parseWholeNumber(values.seats, '--seats'),
    offerEverySeconds: parseWholeNumber(values['offer-every'], '--offer-every'),
    seed: parseWholeNumber(values.seed, '--seed', 0),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const verdict = verdictOf(soak);
  process.stdout.write(
    values.json ? `${JSON.stringify({ verdict, ...soak }, null, 2)}\n` : tell(soak, verdict),
  );
  process.exitCode = Object.values(verdict).every((holds) => holds) ? 0 : 1;
}

function tell(soak: LongSoak, verdict: ReturnType<typeof verdictOf>): string {
  const { sessions, drops, offers, outcomes, wrong, refused, largestBytes } = soak;
  const listed = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  const answer = (yes: boolean) => (yes ? 'yes' : 'NO');
  return `
${sessions} sessions, ${drops} drops, ${offers} offers. Outcomes: ${listed(outcomes)}.

${formatTable([
  ['item', 'largest', 'bound'],
  ...Object.entries(largestBytes).map(([kind, bytes]) => [
    kind,
    `${bytes.toLocaleString('en-US')} B`,
    `${ITEM_BOUNDS[kind]?.toLocaleString('en-US') ?? 'none'} B`,
  ]),
])}
Every item has stayed within its bound: ${answer(verdict.itemsBounded)}.
The table has refused no call: ${answer(verdict.nothingRefused)} (${listed(refused)}).
Every outcome is what the service's own history says: ${answer(verdict.outcomesRight)}.
${wrong
  .slice(0, 10)
  .map((line) => `  ${line}\n`)
  .join('')}`;
}

await runCommand({ usage, options: OPTIONS, run: main });
