import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { SessionRecord } from 'game-lift-streams-local';
import { z } from 'zod';
import { outcomeDetailSchema, type WindowPhase } from '../../functions/shared/contracts/index.ts';
import { sessionPartition } from '../../functions/shared/contracts/table-keys.ts';
import { windowItemSchema } from '../../functions/shared/window/window-item.ts';
import type { World } from './world.ts';

/** How a scenario's session must stand when everything has come to rest. */
export interface Expected {
  readonly session: SessionRecord;
  /** How many outcomes there are: a number, or the least and the most where a fault may join two disconnects. */
  readonly outcomes: number | readonly [least: number, most: number];
  /** The phases that the session's window may be in; undefined for no window. */
  readonly phases: readonly (WindowPhase | undefined)[];
  /** How many executions may end red by themselves. None, if not said. */
  readonly redEnds?: number;
  /** What else is wrong, each in a sentence. */
  readonly also?: () => Promise<readonly string[]> | readonly string[];
}

const itemSchema = z.looseObject({ pk: z.string(), sk: z.string() });

/**
 * Everything that is wrong with how a run has ended: one window at a time, one outcome for each disconnect, the right
 * one, nothing that waits, at most one accepted connection for each offer.
 */
export async function wrongsOf(world: World, expected: Expected): Promise<string[]> {
  const { session, redEnds = 0 } = expected;
  const key = { streamGroupId: session.streamGroupId, streamSessionId: session.streamSessionId };
  const wrongs: string[] = [...((await expected.also?.()) ?? [])];
  const check = (holds: boolean, wrong: string) => {
    if (!holds) wrongs.push(wrong);
  };
  const items = z.array(itemSchema).parse(await world.allItems());
  const ofSession = items.filter(({ pk }) => pk === sessionPartition(key));
  const window = ofSession.find(({ sk }) => sk === 'window');
  const phase = window === undefined ? undefined : windowItemSchema.parse(window).phase;
  check(expected.phases.includes(phase), `the window is ${phase}, not ${expected.phases.join(' or ')}`);

  const recorded = ofSession.filter(({ sk }) => sk.startsWith('outcome#')).map(outcomeOf);
  const [least, most] =
    typeof expected.outcomes === 'number' ? [expected.outcomes, expected.outcomes] : expected.outcomes;
  check(
    least <= recorded.length && recorded.length <= most,
    `${recorded.length} outcomes for ${least} to ${most} disconnects`,
  );
  const published = new Set((await world.outcomes(session)).map((detail) => JSON.stringify(detail)));
  const written = new Set(recorded.map((detail) => JSON.stringify(detail)));
  check(
    published.size === written.size && [...written].every((detail) => published.has(detail)),
    `published ${[...published].join(' and ') || 'nothing'}, recorded ${[...written].join(' and ')}`,
  );

  const now = await world.control.session(session.streamSessionId).catch(() => undefined);
  for (const { outcome, statusReason, disconnectedAt, outcomeAt } of recorded) {
    const atMs = Date.parse(outcomeAt);
    if (outcome === 'NOT_DISCONNECTED') {
      check(
        now === undefined || !(await isLossKnown(world, now)),
        `${outcome}, though the service has waited for a client`,
      );
      continue;
    }
    const change = now?.history.find((one) => one.atMs === atMs && one.status === STATUS_OF[outcome]);
    check(change !== undefined, `${outcome} at ${outcomeAt}, which the service does not know`);
    check(atMs >= Date.parse(disconnectedAt), `${outcome} at ${outcomeAt}, before the disconnect`);
    check((change?.reason ?? null) === statusReason, `${outcome} for ${statusReason}, not ${change?.reason}`);
  }
  const offers = (now?.connections ?? []).map(({ signalRequestSha256: offer }) => offer);
  check(new Set(offers).size === offers.length, 'an offer was accepted twice');

  const executions = await world.executionsOf(session);
  const red = executions.filter(({ status }) => status === 'FAILED' || status === 'TIMED_OUT');
  check(red.length <= redEnds, `${red.length} executions ended red`);
  for (const [index, { name, executionArn, status, startDate, stopDate }] of executions.entries()) {
    check(status !== 'RUNNING', `${name} runs still`);
    const next = executions[index + 1]?.startDate;
    if (next === undefined || (stopDate !== undefined && stopDate <= next)) continue;
    const onlyRecords = status === 'SUCCEEDED' && recordsOnlyFrom(next, await world.history(executionArn));
    check(onlyRecords, `${name} and the next run at once, from ${startDate?.toISOString()}`);
  }
  return wrongs;
}

/**
 * Whether a window could know that its session was disconnected. One that has ended for a reason of its own, before a
 * function was told that the service waits for the client, has no outcome but NOT_DISCONNECTED (docs/guarantees.md).
 */
async function isLossKnown(world: World, session: SessionRecord): Promise<boolean> {
  const { history, connections } = session;
  const lost = history.findIndex(({ status }) => status === 'PENDING_CLIENT_RECONNECTION');
  if (lost < 0) return false;
  const after = history.slice(lost + 1);
  const isBack = after.some(({ status }) => status === 'CONNECTED');
  const endedWaiting = after.some(
    ({ reason }) => reason !== undefined && REASONS_OF_WAITING.includes(reason),
  );
  if (isBack || endedWaiting || connections.length > 0) return true;
  const forgetful = await stoppedBeforeWaiting(world, session);
  return world
    .toldWaiting(session)
    .some(
      (told) => told.functionKey === 'watchSessions' || !forgetful.some((isWithin) => isWithin(told.atMs)),
    );
}

/**
 * The lives of the executions that were stopped before their first wait: what their first look was told was not on the
 * window yet, so the next execution cannot know it.
 */
async function stoppedBeforeWaiting(
  world: World,
  session: SessionRecord,
): Promise<((atMs: number) => boolean)[]> {
  const stopped = (await world.executionsOf(session)).filter(({ status }) => status === 'ABORTED');
  const lives = await Promise.all(
    stopped.map(async ({ executionArn, startDate, stopDate }) => {
      const hasWaited = (await world.history(executionArn)).some(({ type }) => type === 'TaskSubmitted');
      return (atMs: number) =>
        !hasWaited && atMs >= (startDate?.getTime() ?? 0) && atMs <= (stopDate?.getTime() ?? 0);
    }),
  );
  return lives;
}

const REASONS_OF_WAITING = ['connectionTimeout', 'reconnectionTimeout', 'invalidSignalRequest'];

/**
 * Whether an execution did nothing from that time on but repeat its record. Its window is closed by then, or the next
 * could not have opened, so the two do not wait for one session. A call of RecordOutcome that gets no reply takes seconds.
 */
function recordsOnlyFrom(time: Date, history: readonly HistoryEvent[]): boolean {
  const entered = history.flatMap(({ timestamp, stateEnteredEventDetails: state }) =>
    timestamp === undefined || state?.name === undefined ? [] : [{ name: state.name, timestamp }],
  );
  const before = entered.findLast(({ timestamp }) => timestamp <= time);
  const later = entered.filter(({ timestamp }) => timestamp > time).map(({ name }) => name);
  return before?.name === 'RecordOutcome' && later[0] === 'WhichOutcome' && later.length === 2;
}

const STATUS_OF = { RECONNECTED: 'CONNECTED', TERMINATED: 'TERMINATED', ERRORED: 'ERROR' } as const;

function outcomeOf({ pk: _, sk: __, expiresAt: ___, ...item }: z.output<typeof itemSchema>) {
  return outcomeDetailSchema.parse(item);
}
