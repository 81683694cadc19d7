/**
 * `npm run demo`: five sessions drop at once on a stack of their own, and each ends in its own way. Exits 0
 * only when what was recorded is what happened.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { runCommand, type ValuesOf } from '../../cli/run-command.ts';
import { startLocalStack } from '../local-stack.ts';
import type { Stack } from '../stack.ts';
import { Player } from './player.ts';
import { Progress, type ProgressRow } from './progress.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { readStories, type Story } from './story.ts';
import { judge, type Verdict } from './verdict.ts';

/** A window that is still open by then has failed; the slowest takes about 13 s. */
const PATIENCE_MS = 35_000;
const DRAW_MS = 200;

interface Ending {
  readonly name: string;
  readonly scenario: Scenario;
  readonly player: Player;
  readonly stories: readonly Story[];
  readonly verdict: Verdict;
}

const usage = `Usage: npm run demo [-- --json]

Five players lose their connection on a local stack of their own; each window ends in its own way. Exits 0 only if each
outcome that was recorded is what happened.

  --json   print one JSON document, when everything is over
  --help   this text
`;
const options = { json: { type: 'boolean', default: false } } as const;

async function main(values: ValuesOf<typeof options>): Promise<void> {
  const startMs = Date.now();
  const say = (text: string) => {
    if (!values.json) process.stdout.write(text);
  };
  const stack = await startLocalStack({ onProgress: (step) => say(`${step} …\n`) });
  try {
    say('\nFive players lose their connection at the same moment.\n');
    const endings = await playAll(stack, say, values.json);
    const right = endings.every(({ verdict }) => verdict.problems.length === 0);
    const durationSeconds = Math.round((Date.now() - startMs) / 100) / 10;
    if (values.json)
      process.stdout.write(`${JSON.stringify(asJson(endings, right, durationSeconds), null, 2)}\n`);
    for (const ending of endings) say(tellEnding(ending));
    say(`\n${right ? 'Every outcome is right.' : 'Something is wrong, see above.'} (${durationSeconds} s)\n`);
    process.exitCode = right ? 0 : 1;
  } finally {
    await stack.close();
  }
}

async function playAll(stack: Stack, say: (text: string) => void, quiet: boolean): Promise<Ending[]> {
  const players = await Promise.all(
    scenarios.map(async (scenario, index) => {
      const { connectionTimeoutSeconds } = scenario;
      const player = new Player(stack, await stack.control.startSession({ connectionTimeoutSeconds }));
      const row: ProgressRow = { name: `Player ${index + 1}`, lastTold: 'is connected', window: undefined };
      return { scenario, player, row };
    }),
  );
  for (const { row, scenario, player } of players) {
    say(`  ${row.name} (${player.session.streamSessionId}) ${scenario.title}.\n`);
  }
  say('\n');
  const progress = new Progress(
    players.map(({ row }) => row),
    process.stdout,
  );
  const drawing = setInterval(() => {
    for (const { player, row } of players) {
      player.window().then(
        (window) => {
          row.window = window ?? row.window;
        },
        () => {},
      );
    }
    if (!quiet) progress.draw();
  }, DRAW_MS);
  try {
    await Promise.all(
      players.map(async ({ scenario, player, row }) => {
        await scenario.play(player, stack.control, (what) => {
          row.lastTold = what;
        });
        await windowCloses(player);
        row.window = await player.window();
      }),
    );
    if (!quiet) progress.draw();
  } finally {
    clearInterval(drawing);
  }
  return judgeAll(stack, players);
}

async function windowCloses(player: Player): Promise<void> {
  const patientUntilMs = Date.now() + PATIENCE_MS;
  while (Date.now() < patientUntilMs) {
    const window = await player.window();
    if (window?.phase === 'CLOSED' || window?.phase === 'FAILED') break;
    await new Promise((resolve) => setTimeout(resolve, DRAW_MS));
  }
  // The window is closed in the table before its outcome is published and its execution ends.
  await new Promise((resolve) => setTimeout(resolve, 500));
}

async function judgeAll(
  stack: Stack,
  players: readonly { scenario: Scenario; player: Player; row: ProgressRow }[],
): Promise<Ending[]> {
  const client = new SFNClient({
    endpoint: stack.endpoints.stepFunctions,
    region: stack.service.region,
    credentials: LOCAL_CREDENTIALS,
  });
  const machine = stack.service.stateMachines.find(({ type }) => type === 'STANDARD');
  const endings: Ending[] = [];
  for (const { scenario, player, row } of players) {
    const stories = await readStories(client, machine?.arn ?? '', player.session.streamSessionId);
    const verdict = await judge(scenario, player, stories, stack);
    endings.push({ name: row.name, scenario, player, stories, verdict });
    player.close();
  }
  client.destroy();
  return endings;
}

function tellEnding({ name, scenario, stories, verdict }: Ending): string {
  const lines = [`\n${name} ${scenario.title}.`];
  for (const { executionName, status, steps } of stories) {
    lines.push(`  Execution ${executionName}: ${status}`);
    for (const { atSeconds, state, note } of steps) {
      lines.push(
        `    ${atSeconds.toFixed(1).padStart(5)} s  ${state}${note === undefined ? '' : ` (${note})`}`,
      );
    }
  }
  const { outcome, problems } = verdict;
  if (outcome !== undefined) {
    const reason = outcome.statusReason === null ? '' : `, ${outcome.statusReason}`;
    const cause = outcome.cause === undefined ? '' : `, cause ${outcome.cause}`;
    const calls = outcome.connectionAttempts;
    lines.push(
      `  Recorded: ${outcome.outcome}${reason}${cause}; ${calls} call${calls === 1 ? '' : 's'} to the service`,
    );
  }
  lines.push(...problems.map((problem) => `  WRONG: ${problem}`));
  return `${lines.join('\n')}\n`;
}

function asJson(endings: readonly Ending[], right: boolean, durationSeconds: number): object {
  return {
    right,
    durationSeconds,
    sessions: endings.map(({ name, scenario, player, stories, verdict }) => ({
      name,
      title: scenario.title,
      streamSessionId: player.session.streamSessionId,
      expected: scenario.expected,
      recorded: verdict.outcome ?? null,
      problems: verdict.problems,
      executions: stories,
    })),
  };
}

runCommand({ usage, options, run: main }).catch((error: unknown) => {
  process.stderr.write(`The demo could not run: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
