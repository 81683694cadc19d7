/**
 * The same storm, smaller and for real: bundles, HTTP, the Step Functions endpoint and dynalite, in real time, on
 * whatever this machine is. Beside it the simulation of the same storm.
 */
import type { SessionRecord } from 'game-lift-streams-local';
import { seededRandom } from 'local-server-kit';
import { openWindow } from '../../functions/shared/window/open-window.ts';
import { startLocalStack } from '../../local/local-stack.ts';
import { documentsAt } from '../../local/simulation/documents.ts';
import { offerOf } from '../../local/simulation/offers.ts';
import type { Stack } from '../../local/stack.ts';
import { silenceFunctions } from '../shared/benched-service.ts';
import { boundOf } from './bound.ts';
import { ourPolicy } from './our-policy.ts';
import { PER_SECOND, quantile, runStorm } from './run-storm.ts';
import { AT_ONCE_SECONDS, type Player, playersOf, type Scenario, titleOf } from './scenario.ts';

const plain = { foreignPerSecond: 0, lostReplies: 0 };
/** Two cores run every part of the stack, so these are storms that leave them time. */
const SCENARIOS: readonly (Scenario & { readonly windows: 10 | 30 })[] = [
  { ...plain, sessions: 100, windows: 10, backWithinSeconds: AT_ONCE_SECONDS },
  { ...plain, sessions: 300, windows: 10, backWithinSeconds: 5 },
  { ...plain, sessions: 300, windows: 30, backWithinSeconds: 5 },
];
/** The windows are opened ahead of the drop, so that opening them is no part of the storm. */
const AHEAD_MS = 6000;

interface Numbers {
  readonly saved: number;
  readonly calls: number;
  readonly rejected: number;
  readonly p50Seconds: number;
  readonly p99Seconds: number;
}

interface LiveStorm {
  readonly scenario: Scenario;
  readonly bound: number;
  readonly live: Numbers;
  readonly simulated: Numbers;
}

export async function runLive(seed: number): Promise<{ readonly text: string; readonly json: object }> {
  silenceFunctions();
  // First, for a simulation replaces the process's timers, and a stack that is up needs its own.
  const simulations = new Map<Scenario, Numbers>();
  for (const scenario of SCENARIOS) simulations.set(scenario, await simulate(scenario, seed));
  const stack = await startLocalStack({ onProgress: () => {} });
  try {
    await warmUp(stack);
    const storms: LiveStorm[] = [];
    for (const scenario of SCENARIOS) {
      await stack.control.reset();
      // The stand-in's bucket begins full, and so must ours: both fill within a second.
      await sleep(1500);
      const { bound, live } = await runOne(stack, scenario, seed);
      const simulated = simulations.get(scenario);
      if (simulated !== undefined) storms.push({ scenario, bound, live, simulated });
    }
    return { text: storms.map(textOf).join('\n\n'), json: { seed, storms } };
  } finally {
    await stack.close();
  }
}

async function simulate(scenario: Scenario, seed: number): Promise<Numbers> {
  const { saved, calls, rejected, p50Seconds, p99Seconds } = await runStorm(scenario, ourPolicy(), seed);
  return { saved, calls, rejected, p50Seconds, p99Seconds };
}

/** The first invocation of a bundle loads it, which on AWS is another storm's story (cold starts). */
async function warmUp(stack: Stack): Promise<void> {
  const session = await stack.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });
  await post(stack, session, Date.now() + 20_000);
}

async function runOne(
  stack: Stack,
  scenario: (typeof SCENARIOS)[number],
  seed: number,
): Promise<Pick<LiveStorm, 'bound' | 'live'>> {
  const { control } = stack;
  const startMs = Date.now() + AHEAD_MS;
  const sessions = await control.startSessions({
    count: scenario.sessions,
    connectionTimeoutSeconds: scenario.windows,
  });
  await openWindows(stack, sessions, startMs, scenario.windows);
  await sleep(startMs - Date.now());
  await control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));
  const players = playersOf(scenario, startMs, seededRandom(seed));
  const waits = await Promise.all(
    players.map((player, index) => {
      const session = sessions[index];
      return session === undefined ? undefined : savePlayer(stack, session, player);
    }),
  );
  const waitsOfSaved = waits.filter((seconds) => seconds !== undefined);
  const counters = (await control.counters()).CreateStreamSessionConnection;
  return {
    bound: boundOf(players, { perSecond: PER_SECOND, burst: PER_SECOND, foreignPerSecond: 0 }),
    live: {
      saved: waitsOfSaved.length,
      calls: counters.calls,
      rejected: counters.throttled,
      p50Seconds: quantile(waitsOfSaved, 0.5),
      p99Seconds: quantile(waitsOfSaved, 0.99),
    },
  };
}

/** By the shipped function, without their executions: the machine's time is the storm's. */
async function openWindows(
  { endpoints, service }: Stack,
  sessions: readonly SessionRecord[],
  disconnectedAtMs: number,
  connectionTimeoutSeconds: number,
): Promise<void> {
  const documents = documentsAt(endpoints.dynamoDb);
  const table = { documents, name: service.tables[0]?.name ?? '' };
  const disconnect = { disconnectedAtMs, connectionTimeoutSeconds, sessionEndsAtMs: undefined };
  const settings = {
    DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
    WINDOW_MARGIN_SECONDS: 2,
    TERMINATE_ABANDONED_SESSIONS: false,
  };
  for (const { streamGroupId, streamSessionId } of sessions) {
    const key = { streamGroupId, streamSessionId };
    await openWindow(table, key, disconnect, settings, async () => true);
  }
  documents.destroy();
}

/** @returns the seconds from the player's return to the answer; undefined when there was none in time. */
async function savePlayer(
  stack: Stack,
  session: SessionRecord,
  { backAtMs, deadlineMs }: Player,
): Promise<number | undefined> {
  await sleep(backAtMs - Date.now());
  while (Date.now() < deadlineMs) {
    const reply = await post(stack, session, deadlineMs);
    if (reply.status === 200) return (Date.now() - backAtMs) / 1000;
    if (reply.status !== 429 && reply.status !== 500) return undefined;
    await sleep(reply.retryAfterSeconds * 1000);
  }
  return undefined;
}

async function post({ endpoints }: Stack, session: SessionRecord, deadlineMs: number) {
  const { streamGroupId, streamSessionId } = session;
  const path = `streamgroups/${streamGroupId}/streamsessions/${streamSessionId}/connections`;
  const response = await fetch(`${endpoints.api}/${path}`, {
    method: 'POST',
    body: JSON.stringify({ SignalRequest: offerOf(streamSessionId) }),
    signal: AbortSignal.timeout(Math.max(1000, deadlineMs + 10_000 - Date.now())),
  });
  await response.arrayBuffer();
  return { status: response.status, retryAfterSeconds: Number(response.headers.get('retry-after') ?? 1) };
}

function textOf({ scenario, bound, live, simulated }: LiveStorm): string {
  const row = (name: string, { saved, calls, rejected, p50Seconds, p99Seconds }: Numbers) =>
    `| ${[
      name.padEnd(11),
      String(saved).padStart(5),
      `${((saved / bound) * 100).toFixed(1)} %`.padStart(8),
      (calls / saved).toFixed(3).padStart(11),
      String(rejected).padStart(8),
      p50Seconds.toFixed(1).padStart(5),
      p99Seconds.toFixed(1).padStart(5),
    ].join(' | ')} |`;
  return [
    `${titleOf(scenario)} (bound ${bound})`,
    '',
    '|             | saved | of bound | calls/saved | rejected | p50 s | p99 s |',
    '|-------------|------:|---------:|------------:|---------:|------:|------:|',
    row('local stack', live),
    row('simulation', simulated),
  ].join('\n');
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, delayMs)));
}
