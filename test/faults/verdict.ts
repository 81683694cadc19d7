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
  /** Whether nobody may have seen the service wait, because the window began late and no watcher looks. */
  readonly mayBeUnseen?: boolean;
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
      const waits = now?.history.filter((one) => one.status === 'PENDING_CLIENT_RECONNECTION') ?? [];
      check(
        waits.length === 0 || expected.mayBeUnseen === true,
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
  for (const [index, { name, status, startDate, stopDate }] of executions.entries()) {
    check(status !== 'RUNNING', `${name} runs still`);
    const next = executions[index + 1]?.startDate;
    const overlaps = next !== undefined && (stopDate === undefined || next.getTime() < stopDate.getTime());
    check(!overlaps, `${name} and the next run at once, from ${startDate?.toISOString()}`);
  }
  return wrongs;
}

const STATUS_OF = { RECONNECTED: 'CONNECTED', TERMINATED: 'TERMINATED', ERRORED: 'ERROR' } as const;

function outcomeOf({ pk: _, sk: __, expiresAt: ___, ...item }: z.output<typeof itemSchema>) {
  return outcomeDetailSchema.parse(item);
}
