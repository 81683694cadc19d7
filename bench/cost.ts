import { runCommand } from '../cli/run-command.ts';
import { resolveEnvironment } from '../local/service/read-service.ts';
import { measureWatcher, type WatcherCost } from './cost/watcher.ts';
import { measureWindow, type WindowCost } from './cost/windows.ts';
import { benchedService } from './shared/benched-service.ts';
import { exitCodeOf, type Goal, tellGoals, tellProgress } from './shared/goals.ts';
import { formatTable } from './shared/report.ts';

const usage = `Usage: npm run bench:cost [-- --json]

Counts what windows and the watcher cost in calls and state transitions, on the deployed state machines and functions in
virtual time. Exits with 1 when a goal is not met.

  --json   one JSON document
  --help   this text
`;

const WINDOW_SECONDS = [10, 120, 3600];
const WAITING_SESSIONS = [0, 100, 1000, 10_000];
/** Design goals: transitions of a reconnected window, and no more for a longer one that expires. */
const MAX_TRANSITIONS_RECONNECTED = 12;

async function main({ json }: { readonly json: boolean }): Promise<void> {
  const service = await benchedService();
  const windows: WindowCost[] = [];
  for (const foundBy of ['backend', 'watcher'] as const) {
    for (const seconds of WINDOW_SECONDS) {
      for (const ends of ['expires', 'reconnects'] as const) {
        tellProgress(`A window of ${seconds} s, found by the ${foundBy}, ${ends}`);
        windows.push(await measureWindow(service, seconds, foundBy, ends));
      }
    }
  }
  const watcher: WatcherCost[] = [];
  for (const waiting of WAITING_SESSIONS) {
    tellProgress(`A day of the watcher, ${waiting.toLocaleString('en-US')} sessions waiting`);
    watcher.push(await measureWatcher(service, waiting));
  }
  const finding = await measureWatcher(service, 0, true);
  const goals = goalsOf(windows);
  const { DEFAULT_CONNECTION_TIMEOUT_SECONDS: defaultSeconds } = resolveEnvironment(service, 'watchSessions');
  if (json) process.stdout.write(`${JSON.stringify({ windows, watcher, finding, goals }, null, 2)}\n`);
  else process.stdout.write(tell(windows, watcher, finding, goals, defaultSeconds));
  process.exitCode = exitCodeOf(goals);
}

function goalsOf(windows: readonly WindowCost[]): Goal[] {
  const reconnected = windows.filter(({ ends }) => ends === 'reconnects');
  const expired = windows.filter(({ ends, foundBy }) => ends === 'expires' && foundBy === 'backend');
  return [
    {
      goal: `A reconnected window takes at most ${MAX_TRANSITIONS_RECONNECTED} transitions.`,
      met: reconnected.every(({ stateTransitions }) => stateTransitions <= MAX_TRANSITIONS_RECONNECTED),
    },
    {
      goal: 'A longer window that expires, its timeout told, costs no more.',
      met: expired.every(({ stateTransitions }) => stateTransitions === expired[0]?.stateTransitions),
    },
  ];
}

function tell(
  windows: readonly WindowCost[],
  watcher: readonly WatcherCost[],
  finding: WatcherCost,
  goals: readonly Goal[],
  defaultSeconds: string | undefined,
): string {
  const measured = [...watcher, finding];
  const operations = [...new Set(measured.flatMap(({ callsPerDay }) => Object.keys(callsPerDay)))].sort();
  return `
One window, half of it waited out before anything else happens, the watcher on (virtual time):

${formatTable([
  ['window', 'found by', 'ends', 'outcome', 'state transitions', 'GetStreamSession'],
  ...windows.map(({ windowSeconds, foundBy, ends, outcome, stateTransitions, reads }) => [
    `${windowSeconds} s`,
    foundBy,
    ends,
    outcome,
    stateTransitions,
    reads,
  ]),
])}
The watcher's list does not tell a session's timeout. A window that it has found waits for the configured default
(${defaultSeconds} s) and reads once to learn of a longer one; a shorter one ends when the list does not have the session any more.

The watcher of one stream group, a day of it, by the sessions that wait at any time (a minute counted):

${formatTable([
  [
    'a day',
    ...watcher.map(({ waitingSessions }) => `${waitingSessions.toLocaleString('en-US')} waiting`),
    '0 waiting, found by tag',
  ],
  ['looks', ...measured.map(({ looksPerDay }) => looksPerDay)],
  ...operations.map((name) => [name, ...measured.map(({ callsPerDay }) => callsPerDay[name] ?? 0)]),
  ['state transitions', ...measured.map(({ stateTransitionsPerDay }) => stateTransitionsPerDay)],
  ['Lambda GB-s', ...measured.map(({ gigabyteSecondsPerDay }) => gigabyteSecondsPerDay)],
])}
The last column beside the first is what finding the stream groups adds: a list a minute, a read of each group's tags, and the item that
keeps both.
ListStreamSessions has a quota of 20 a second; at 100 sessions a call, a look at 10,000 takes five seconds of it.
Each disconnect costs one event and one window beside this. CONNECTED sessions cost nothing.

${tellGoals(goals)}`;
}

await runCommand({ usage, options: { json: { type: 'boolean', default: false } }, run: main });
