import * as z from 'zod';
import type { SessionKey } from '../shared/contracts/index.ts';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import {
  isEnding,
  leavingUntilMs,
  markEnding,
  type Place,
  readPlace,
  unmarkEnding,
} from '../shared/quota/places.ts';
import { type ReadSwitch, switchReader } from '../shared/runtime/switch.ts';
import { defineTask, epochMsSchema, taskInputShape } from '../shared/runtime/task.ts';
import { callService, isNotCarriedOut } from '../shared/service/call-service.ts';
import { terminateStreamSession } from '../shared/service/operations.ts';
import {
  type ReadSessionDependencies,
  readSession,
  type SessionState,
} from '../shared/service/read-session.ts';
import { CLOCK_SKEW_MS } from '../shared/window/deadline.ts';
import { type EndMark, markEnd, noteRefusedEnd } from '../shared/window/end-mark.ts';
import { type EndEarlyFor, endEarlyForSchema } from '../shared/window/window-item.ts';

export const terminateSessionInputSchema = z.object({
  ...taskInputShape,
  /** When the present disconnect happened, as the window's last look knew it. */
  pendingSinceMs: epochMsSchema,
  marginSeconds: z.number().min(0),
  /** Set where the session is to be terminated before its deadline. */
  endEarlyFor: endEarlyForSchema.nullish(),
});
export type TerminateSessionInput = z.infer<typeof terminateSessionInputSchema>;

export interface TerminateSessionDependencies extends ReadSessionDependencies {
  readonly readSwitch: ReadSwitch;
  readonly settings: QuotaSettings<'GetStreamSession' | 'TerminateStreamSession'>;
}

/** How old the read may be when the call goes out. An answer or a permit that takes longer is given up. */
const MAX_READ_AGE_MS = 2000;

/**
 * Ends a session that nobody came back to and that the service kept past its window, to give its capacity back.
 * A termination cannot be undone, and the window's decision may be minutes old by now. So this attempt reads the
 * session itself, directly before the call, and leaves it alone unless the service still waits for a client that is
 * overdue. While the service is switched off, windows only observe.
 *
 * The window looks at the session again whatever comes of this. So a 4xx of the call is no failure: the session is
 * gone or its status has moved.
 *
 * Why: docs/decisions/windows.md#a-termination-is-preceded-by-a-read-in-the-same-attempt
 *
 * @throws what `callService` throws.
 */
export async function terminateSession(
  input: TerminateSessionInput,
  dependencies: TerminateSessionDependencies,
): Promise<TerminateSessionResult | undefined> {
  const { log, metrics } = dependencies;
  const switchState = await dependencies.readSwitch(log);
  if (switchState !== 'on') {
    log.warn('TerminationLeftOut', { switch: switchState });
    return undefined;
  }
  if (input.endEarlyFor != null) return endEarly({ ...input, endEarlyFor: input.endEarlyFor }, dependencies);
  const session = await readSession(input, dependencies, undefined, 'LOW');
  if (!isAbandoned(session, input)) {
    log.info('SessionNotAbandoned', { status: session.status });
    return undefined;
  }
  if (await terminate(input, session, dependencies)) metrics.add('AbandonedSessionsEnded', 1);
  return undefined;
}

export interface TerminateSessionResult {
  /** The session is not to be terminated before its deadline any more: somebody has asked for it, or it is done. */
  readonly isLifted: true;
}

const LIFTED: TerminateSessionResult = { isLifted: true };

/**
 * Ends a session that the service still keeps for its player. Only one that waits for its client is ended, and only after a
 * mark on its place that fails if a request for it has come since the place was read. A request that comes later finds the
 * mark and is refused, unless the service has not taken the termination: then the mark is taken back.
 *
 * Why: docs/decisions/leaving.md#a-session-is-ended-early-only-while-nobody-has-asked-for-it
 */
async function endEarly(
  input: TerminateSessionInput & { readonly endEarlyFor: EndEarlyFor },
  dependencies: TerminateSessionDependencies,
): Promise<TerminateSessionResult | undefined> {
  const { table, clock, log, metrics } = dependencies;
  const { endEarlyFor } = input;
  const place = await readPlace(table, input);
  if (isAskedFor(place, input, clock.nowMs())) {
    log.info('EarlyEndLifted', { endEarlyFor });
    return LIFTED;
  }
  const session = await readSession(input, dependencies, undefined, 'LOW');
  // CONNECTED may be a loss that the service has not noticed: the window waits for it, and comes back here.
  if (session.status !== 'PENDING_CLIENT_RECONNECTION') {
    log.info('SessionNotAbandoned', { status: session.status });
    return undefined;
  }
  const markedAtMs = Math.floor(clock.nowMs());
  if (!(await markEnding(table, input, place, markedAtMs))) {
    if (endEarlyFor === 'OPERATOR') {
      // A request alone lifts no operator's end. If it fails, the next attempt finds the session still waiting.
      log.info('SessionNotAbandoned', { status: session.status });
      return undefined;
    }
    log.info('EarlyEndLifted', { endEarlyFor });
    return LIFTED;
  }
  // Who did not come back in the time that a report has set has not left: that is a loss.
  const mark =
    endEarlyFor === 'GIVE_UP'
      ? undefined
      : await markEnd(table, input, { endedBy: endEarlyFor, nowMs: clock.nowMs() });
  let isRefused = true;
  try {
    isRefused = !(await terminate(input, session, dependencies));
  } catch (error) {
    isRefused = isNotCarriedOut(error);
    throw error;
  } finally {
    if (isRefused) await takeBack(input, markedAtMs, mark, dependencies);
  }
  if (isRefused) return undefined;
  metrics.add('SessionsEndedEarly', 1);
  return LIFTED;
}

/** The session goes on until the next attempt, and its player may come back. What fails here, the mark's own age makes good. */
async function takeBack(
  session: SessionKey,
  markedAtMs: number,
  mark: EndMark | undefined,
  { table, log }: TerminateSessionDependencies,
): Promise<void> {
  try {
    await unmarkEnding(table, session, markedAtMs);
    if (mark !== undefined) await noteRefusedEnd(table, session, mark);
  } catch (error) {
    log.error('RefusalNotNoted', error);
  }
}

/** Whether the player wants the session back, so that only an operator may end it early. */
export function isAskedFor(
  place: Place | undefined,
  { endEarlyFor, pendingSinceMs }: Pick<TerminateSessionInput, 'endEarlyFor' | 'pendingSinceMs'>,
  nowMs: number,
): boolean {
  // The attempt before this one has marked it, and whether the service has taken its termination is not known.
  if (isEnding(place, nowMs)) return false;
  if (endEarlyFor === 'LEFT')
    return (leavingUntilMs(place) ?? Number.POSITIVE_INFINITY) > nowMs + CLOCK_SKEW_MS;
  if (endEarlyFor === 'OPERATOR' || place === undefined) return false;
  const isInLine = place.isServed !== true && place.deadlineMs >= nowMs;
  return isInLine || place.askedAtMs >= pendingSinceMs - CLOCK_SKEW_MS;
}

/** @returns false when the service has refused: the session is gone, or its status has moved. */
async function terminate(
  input: TerminateSessionInput,
  { asOfMs }: SessionState,
  dependencies: TerminateSessionDependencies,
): Promise<boolean> {
  const terms = { inVainAfterMs: asOfMs + MAX_READ_AGE_MS };
  const termination = await callService(terminateStreamSession(input), terms, dependencies);
  if (termination.ok) dependencies.log.info('SessionTerminated');
  return termination.ok;
}

/**
 * Whether the service should have ended the session by its own ConnectionTimeoutSeconds, counted from the later of
 * the times that are known for the loss. An ACTIVE session is never abandoned: somebody has just been given an answer.
 * SessionLengthSeconds does not count, because the service does not document when it begins. What the read does not
 * tell is not guessed.
 */
function isAbandoned(
  { status, lastUpdatedAtMs, connectionTimeoutSeconds, asOfMs }: SessionState,
  { pendingSinceMs, marginSeconds }: TerminateSessionInput,
): boolean {
  if (status !== 'PENDING_CLIENT_RECONNECTION') return false;
  if (lastUpdatedAtMs === null || connectionTimeoutSeconds === null) return false;
  const sinceMs = Math.max(pendingSinceMs, lastUpdatedAtMs);
  return asOfMs >= sinceMs + (connectionTimeoutSeconds + marginSeconds) * 1000;
}

export const terminateSessionTask = defineTask({
  settings: ['READS_PER_SECOND', 'TERMINATIONS_PER_SECOND'],
  clients: ['gameLiftStreams'],
  input: terminateSessionInputSchema,
  prepare: (dependencies) => {
    const readSwitch = switchReader(dependencies);
    return (input, tools) => terminateSession(input, { ...dependencies, ...tools, readSwitch });
  },
});
