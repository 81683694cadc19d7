/** What holds at the end of every day, by the service's own history of its sessions. */
import type { SessionRecord } from 'game-lift-streams-local';
import { toStatusReason } from '../../functions/shared/contracts/fields.ts';
import type { OutcomeDetail } from '../../functions/shared/contracts/index.ts';
import { sessionPartition } from '../../functions/shared/contracts/table-keys.ts';
import { CLOCK_SKEW_MS, LOSS_NOTICE_MS } from '../../functions/shared/window/deadline.ts';
import { type Cast, MAX_TRIES, type Player, WAITING } from './cast.ts';
import { SERVICE_QUOTAS } from './world.ts';

const ENDS: Readonly<Record<Exclude<OutcomeDetail['outcome'], 'NOT_DISCONNECTED'>, string>> = {
  RECONNECTED: 'CONNECTED',
  TERMINATED: 'TERMINATED',
  ERRORED: 'ERROR',
};
/** The watcher lists the waiting sessions every 5 s, and its calls take a while. */
const SEEN_AFTER_MS = 8000;
/** How inexact a feed's time may be (`commands.ts`), and a call's way. */
const REPORT_SKEW_MS = 1600;
/** On a day without faults: the margin, the next look of the watcher, and the calls' own time. */
const LATEST_CLOSE_MS = 15_000;
/** After the last fault: Lambda's repeats of an event (one minute and two), and the watcher's patience. */
const LATEST_CLOSE_AFTER_FAULTS_MS = 480_000;
/** Of two asks that start so close together, the one that reaches its number in line last has asked last. */
const SAME_MOMENT_MS = 100;
/** Two calls may be so much nearer to each other at the service than their permits are. */
const ARRIVAL_JITTER_MS = 20;

/** @throws Error that says what does not hold. */
export async function checkDay(cast: Cast, logs: readonly string[]): Promise<void> {
  await nothingIsLeft(cast);
  const outcomes = await cast.world.outcomes();
  for (const player of cast.players) {
    const truth = await cast.truth(player);
    const own = outcomes.filter(({ streamSessionId }) => streamSessionId === truth.streamSessionId);
    const recorded = oneOfEach(own);
    keptAsPublished(cast, truth, recorded);
    onlyWithoutLossIsNotDisconnected(cast, player, truth, recorded);
    agreesWithTheService(cast, player, truth, recorded);
    await everyDisconnectHasEnded(cast, player, truth, recorded);
    answersAreNotWithheld(cast, player, truth);
    nobodyIsPutOffForEver(cast, player, truth);
    inTime(cast, player, truth, recorded);
  }
  await underTheQuota(cast);
  await secretsNeverRest(cast, logs);
}

async function nothingIsLeft({ world, players }: Cast): Promise<void> {
  for (const { pk, phase, seq, ackSeq } of world.windows()) {
    if (phase !== 'CLOSED' && phase !== 'FAILED')
      throw new Error(`a window of ${pk} stays ${phase} (${ackSeq} of ${seq})`);
  }
  const running = (await world.executions()).filter(({ status }) => status === 'RUNNING');
  if (running.length > 0) throw new Error(`${running.map(({ name }) => name)} runs for ever`);
  for (const { asks } of players) {
    if (asks.some(({ endedAtMs }) => endedAtMs === undefined)) throw new Error('a caller waits for ever');
  }
}

/** One outcome for each window, however often it is published. */
function oneOfEach(published: readonly OutcomeDetail[]): OutcomeDetail[] {
  const byGeneration = new Map<number, OutcomeDetail>();
  for (const outcome of published) {
    const first = byGeneration.get(outcome.generation);
    if (first !== undefined && JSON.stringify(first) !== JSON.stringify(outcome)) {
      throw new Error(`window ${outcome.generation} has ${JSON.stringify([first, outcome])}`);
    }
    byGeneration.set(outcome.generation, first ?? outcome);
  }
  return [...byGeneration.values()].sort((one, other) => one.generation - other.generation);
}

function keptAsPublished({ world }: Cast, truth: SessionRecord, recorded: readonly OutcomeDetail[]): void {
  const kept = world
    .items()
    .filter(({ pk, sk }) => pk === sessionPartition(truth) && String(sk).startsWith('outcome#'))
    .map(({ generation, outcome }) => `${generation} ${outcome}`);
  const published = recorded.map(({ generation, outcome }) => `${generation} ${outcome}`);
  if (kept.join() !== published.join())
    throw new Error(`kept: ${kept.join()}, published: ${published.join()}`);
}

/**
 * On a day without faults the watcher sees every session that waits for some seconds, so no window that had such a
 * wait ends as NOT_DISCONNECTED.
 */
function onlyWithoutLossIsNotDisconnected(
  { isDisturbed, habits }: Cast,
  { lastReportAtMs }: Player,
  { history }: SessionRecord,
  recorded: readonly OutcomeDetail[],
): void {
  if (isDisturbed) return;
  for (const { outcome, disconnectedAt, outcomeAt, generation } of recorded) {
    if (outcome !== 'NOT_DISCONNECTED') continue;
    const earliestMs = Date.parse(disconnectedAt) - CLOCK_SKEW_MS;
    const seen = history.find(
      ({ status, atMs }, index) =>
        WAITING.includes(status) &&
        atMs >= earliestMs &&
        // Before a feed's report there was no window to see it.
        (history[index + 1]?.atMs ?? Number.POSITIVE_INFINITY) - Math.max(atMs, lastReportAtMs) >
          SEEN_AFTER_MS &&
        asTold(atMs + SEEN_AFTER_MS, habits) < Date.parse(outcomeAt),
    );
    if (seen !== undefined) {
      throw new Error(`window ${generation} is said to be without a loss: ${JSON.stringify(history)}`);
    }
  }
}

/** A time as the service tells it. */
function asTold(atMs: number, { timestampUnit }: Cast['habits']): number {
  return timestampUnit === 'second' ? Math.floor(atMs / 1000) * 1000 : atMs;
}

/** The reason as the service tells it, in the form that outcomes promise. */
function reasonAsTold(
  { reason }: SessionRecord['history'][number],
  { statusReason }: Cast['habits'],
): string | null {
  if (reason === undefined || statusReason?.kind === 'absent') return null;
  return toStatusReason(statusReason?.kind === 'text' ? statusReason.text : reason);
}

function agreesWithTheService(
  { habits }: Cast,
  { falselyReported }: Player,
  { history }: SessionRecord,
  recorded: readonly OutcomeDetail[],
): void {
  const said = new Set<string>();
  for (const { outcome, disconnectedAt, outcomeAt, statusReason, generation } of recorded) {
    if (outcome === 'NOT_DISCONNECTED') continue;
    const endedAtMs = Date.parse(outcomeAt);
    // A feed's clock may put the loss after the return; no outcome is before its disconnect.
    const earliestMs = outcomeAt === disconnectedAt ? endedAtMs - CLOCK_SKEW_MS : endedAtMs;
    const entry = history.find(({ status, atMs }) => {
      const toldAtMs = asTold(atMs, habits);
      return status === ENDS[outcome] && toldAtMs >= earliestMs && toldAtMs <= endedAtMs;
    });
    if (entry === undefined)
      throw new Error(`window ${generation}: ${outcome} at ${outcomeAt} contradicts the service`);
    const reason = reasonAsTold(entry, habits);
    if (reason !== statusReason) throw new Error(`${statusReason} is not why, but ${reason}`);
    if (said.has(outcomeAt) && !falselyReported)
      throw new Error(`two windows ended with ${outcome} at ${outcomeAt}`);
    said.add(outcomeAt);
  }
  const ended = recorded.findIndex(({ outcome }) => outcome === 'TERMINATED' || outcome === 'ERRORED');
  if (ended >= 0 && ended < recorded.length - 1 && !falselyReported)
    throw new Error('a session ended, and then again');
}

/** Each drop that somebody has told the service of this project about has its end, or a later one, on record. */
async function everyDisconnectHasEnded(
  { world, isDisturbed, habits }: Cast,
  player: Player,
  { history, streamSessionId }: SessionRecord,
  recorded: readonly OutcomeDetail[],
): Promise<void> {
  if ((await world.deadLetters()).length > 0) return;
  const events = await world.events();
  for (const [from, drop] of history.entries()) {
    const end = history.slice(from).find(({ status }) => Object.values(ENDS).includes(status));
    if (drop.status !== 'PENDING_CLIENT_RECONNECTION' || end === undefined) continue;
    // Who came back, and whose session has ended before anybody looked, has the outcome that the look found.
    if (recorded.some(({ outcomeAt }) => Date.parse(outcomeAt) >= asTold(end.atMs, habits))) continue;
    const lostAtMs = player.lossesAtMs.findLast((atMs) => atMs <= drop.atMs) ?? drop.atMs;
    const noticed = events.some(
      ({ detail, time }) =>
        // A feed's false alarm may be over before the client is lost.
        Date.parse(time) >= drop.atMs &&
        detail['streamSessionId'] === streamSessionId &&
        detail['status'] === 'PENDING_CLIENT_RECONNECTION' &&
        Math.abs(Date.parse(String(detail['statusChangedAt'])) - drop.atMs) <
          REPORT_SKEW_MS + (habits.listedLaterMs ?? 0),
    );
    // Connected within the clocks' tolerance of the loss, and not noticed yet, is taken for a return: docs/guarantees.md.
    const connectedAtMs = history.slice(0, from).findLast(({ status }) => status === 'CONNECTED')?.atMs ?? 0;
    const isAmbiguous = lostAtMs < drop.atMs && lostAtMs - connectedAtMs < CLOCK_SKEW_MS + REPORT_SKEW_MS;
    const wasToldInTime =
      !isAmbiguous &&
      player.reports.some((report) => report.lostAtMs === lostAtMs && report.publishedAtMs < end.atMs);
    // A session whose player has an answer by then waits no more.
    const waitedMs = (history[from + 1]?.atMs ?? end.atMs) - drop.atMs;
    if (noticed || wasToldInTime || (waitedMs > SEEN_AFTER_MS && !isDisturbed)) {
      throw new Error(
        `the drop at ${drop.atMs} ended with ${end.status} at ${end.atMs}, on record: ${JSON.stringify(recorded)}`,
      );
    }
  }
}

function answersAreNotWithheld(
  { isDisturbed }: Cast,
  { asks }: Player,
  { connections, history }: SessionRecord,
): void {
  // On a bad day the number of an ask may be drawn by its repeat.
  const sameMomentMs = isDisturbed ? Number.POSITIVE_INFINITY : SAME_MOMENT_MS;
  for (const [index, { sha256, startedAtMs, endedAtMs = 0, statuses }] of asks.entries()) {
    // A tab that asks twice with one offer needs its answer once.
    if (asks.some((same) => same.sha256 === sha256 && same.answer !== undefined)) continue;
    const accepted = connections.find(
      ({ signalRequestSha256, outcome, acceptedAtMs }) =>
        signalRequestSha256 === sha256 &&
        outcome === 'answered' &&
        acceptedAtMs >= startedAtMs &&
        acceptedAtMs <= endedAtMs,
    );
    const others = asks.filter((other) => other.sha256 !== sha256 && other.startedAtMs <= endedAtMs);
    const isLast = others.every(
      (other) =>
        asks.indexOf(other) < index &&
        // Which of two is the last is the network's to say; then the other's answer is the one to be kept.
        (other.answer === undefined ||
          (other.endedAtMs ?? 0) < startedAtMs ||
          other.startedAtMs <= startedAtMs - sameMomentMs),
    );
    if (accepted === undefined || !isLast) continue;
    // Whose client is there already, or whose session is over, has no use for an answer.
    const isOver = history.some(
      ({ status, atMs }) =>
        ['CONNECTED', 'TERMINATED', 'ERROR'].includes(status) &&
        atMs > accepted.acceptedAtMs &&
        atMs <= endedAtMs,
    );
    if (!isOver)
      throw new Error(`an answer was withheld: ${statuses.join(', ')} for an offer that was accepted`);
  }
}

/** Two sessions never fill a quota: who asks again as told is answered before the session is gone. */
function nobodyIsPutOffForEver({ isDisturbed }: Cast, { asks }: Player, { history }: SessionRecord): void {
  if (isDisturbed) return;
  for (const { startedAtMs, endedAtMs = 0, statuses } of asks) {
    if (statuses.length < MAX_TRIES || statuses.some((status) => status !== 429)) continue;
    const before = history.findLast(({ atMs }) => atMs <= startedAtMs);
    const during = history.filter(({ atMs }) => atMs > startedAtMs && atMs <= endedAtMs);
    const waited = [before, ...during].every(
      (entry) => entry !== undefined && WAITING.includes(entry.status),
    );
    if (waited) throw new Error(`a player was put off ${MAX_TRIES} times, for ${endedAtMs - startedAtMs} ms`);
  }
}

function inTime(cast: Cast, player: Player, truth: SessionRecord, recorded: readonly OutcomeDetail[]): void {
  const window = cast.world.windows().find(({ pk }) => pk === sessionPartition(truth));
  const last = recorded.at(-1);
  if (window?.phase !== 'CLOSED' || window.generation !== last?.generation) return;
  const closedAtMs = window.closedAtMs ?? 0;
  // A loss that the service has not noticed may be noticed yet.
  const { lossNoticeMs = 0, terminationMs = 0, overstayMs = 0 } = cast.habits;
  const alarmMs = player.falselyReported || lossNoticeMs > 0 ? LOSS_NOTICE_MS : 0;
  // Looks at a session that is slow to end are as far apart as they have lasted, and their first ones 2 s.
  const slowMs = 2 * Math.max(terminationMs, overstayMs);
  const endedAtMs = Math.max(Date.parse(last.outcomeAt), window.disconnectedAtMs + alarmMs);
  // A report that comes after the end opens a window only then.
  const latestMs = cast.isDisturbed
    ? Math.max(endedAtMs, cast.healedAtMs) + LATEST_CLOSE_AFTER_FAULTS_MS + slowMs
    : Math.max(endedAtMs, player.lastReportAtMs + alarmMs) + LATEST_CLOSE_MS + slowMs;
  if (closedAtMs > latestMs) {
    throw new Error(`the window was closed ${closedAtMs - endedAtMs} ms after its ${last.outcome}`);
  }
}

async function underTheQuota({ world, isDisturbed }: Cast): Promise<void> {
  for (const [operation, perSecond] of Object.entries(SERVICE_QUOTAS)) {
    const times = world.arrivals.filter(({ request }) => request === operation).map(({ atMs }) => atMs);
    for (const [first, fromMs] of times.entries()) {
      for (let last = first; last < times.length; last++) {
        const seconds = ((times[last] ?? fromMs) - fromMs + ARRIVAL_JITTER_MS) / 1000;
        const calls = last - first + 1;
        if (calls > perSecond * (1 + seconds) + 1e-6) {
          throw new Error(
            `calls of ${operation} at ${times.slice(first, last + 1).join(', ')}, with ${perSecond}/s`,
          );
        }
      }
    }
  }
  if (isDisturbed) return;
  for (const [operation, { throttled }] of Object.entries(await world.control.counters())) {
    if (throttled > 0) throw new Error(`${throttled} calls of ${operation} were throttled`);
  }
}

async function secretsNeverRest({ world, secrets }: Cast, logs: readonly string[]): Promise<void> {
  const rested: unknown[] = [world.items(), await world.events(), logs];
  for (const { executionArn } of await world.executions()) rested.push(await world.history(executionArn));
  const text = JSON.stringify(rested);
  for (const secret of secrets) {
    const escaped = JSON.stringify(secret).slice(1, -1);
    if (text.includes(secret) || text.includes(escaped)) throw new Error('a secret rests where it must not');
  }
}
