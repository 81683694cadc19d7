/**
 * A session's turn for its one call. Places are told apart by deadline, then by number; a near turn is waited for,
 * for a far one the caller is told when to come back. Every look at the line is a read: only a session's first
 * request, or a new offer, writes.
 */

import { findWaiting } from '../shared/api/find-waiting.ts';
import type { SessionKey } from '../shared/contracts/index.ts';
import { isBehind, type Rank } from '../shared/quota/deadline-bucket.ts';
import { counterIn, drawNumber, type LineState, readLine, type Wait } from '../shared/quota/line.ts';
import { readPermits } from '../shared/quota/permits.ts';
import {
  isEnding,
  isLatelyListed,
  isLatelyNotFound,
  isSuperseded,
  leavingUntilMs,
  liftLeaving,
  offerIdOf,
  offersWith,
  type Place,
  readPlace,
  writePlace,
} from '../shared/quota/places.ts';
import { ContentionException, DependencyUnavailableException } from '../shared/runtime/errors.ts';
import type { ListSessionsDependencies } from '../shared/service/list-sessions.ts';
import { isOpen, readWindow } from '../shared/window/window-item.ts';
import {
  decideTurn,
  LEAD_MS,
  nextNumber,
  type QuotaSnapshot,
  type Turn,
  turnOf,
  waitingInLine,
} from './decide-turn.ts';

export interface AwaitTurnDependencies extends ListSessionsDependencies {
  readonly settings: ListSessionsDependencies['settings'] & {
    readonly CONNECTIONS_PER_SECOND: number;
    readonly DEFAULT_CONNECTION_TIMEOUT_SECONDS: number;
  };
}

const OPERATION = 'CreateStreamSessionConnection';
/** Two tabs and a Lambda that has just called: more losers in a row than that are no coincidence. */
const MAX_TRIES = 6;
/** The line is made up if it has more sessions than the service waits for, and those of so many seconds' calls. */
const MADE_UP_SECONDS = 1;
/** A turn that is nearer than this is waited for: a look at the service's list takes as long. */
const FAR_MS = 1500;

/**
 * Takes or finds the session's place and waits for its turn, three seconds at most.
 *
 * Why: docs/decisions/quota-and-line.md#the-wait-for-a-near-turn-is-in-request-connection-before-the-execution
 *
 * @throws DependencyUnavailableException; ContentionException when others keep writing the session's place.
 */
export async function awaitTurn(
  session: SessionKey,
  clientToken: string,
  dependencies: AwaitTurnDependencies,
): Promise<Turn> {
  const { table, clock, settings } = dependencies;
  const offerId = offerIdOf(clientToken);
  const startedAtMs = clock.nowMs();
  const deadlinePromise = deadlineOf(session, dependencies);
  let listedAtMs: number | undefined;
  let hasAsked = false;
  for (let tries = 0; ; ) {
    const [told, place, seenLine, permits] = await Promise.all([
      deadlinePromise,
      readPlace(table, session),
      readLine(table, OPERATION),
      readPermits(table, OPERATION),
    ]);
    const nowMs = clock.nowMs();
    if (place !== undefined && isSuperseded(place, offerId)) {
      return { kind: 'SUPERSEDED' };
    }
    if (isEnding(place, nowMs)) return { kind: 'ENDING' };
    if (place !== undefined && leavingUntilMs(place) !== undefined) {
      await liftLeaving(table, session, place);
      if (++tries >= MAX_TRIES) throw new ContentionException();
      continue;
    }
    if (listedAtMs === undefined && isLatelyListed(place, nowMs)) listedAtMs = place?.listedAtMs;
    const deadline = {
      ...told,
      ...(listedAtMs === undefined ? {} : { rank: 'CONFIRMED' as const, listedAtMs }),
    };
    // The service knew every session with an open window. Any other id that it did not find takes no place and no call for 5 s.
    if (deadline.rank === 'UNKNOWN' && isLatelyNotFound(place, nowMs)) return { kind: 'NOT_FOUND' };
    const standing = { permits, perSecond: settings.CONNECTIONS_PER_SECOND, nowMs };
    const placing = await placeOffer(place, offerId, deadline, { ...standing, line: seenLine }, dependencies);
    if (placing.place !== place && !(await writePlace(table, session, place, placing.place))) {
      if (++tries >= MAX_TRIES) throw new ContentionException();
      continue;
    }
    const turn = decideTurn(
      { ...placing.place, ...placing.undrawn },
      { ...standing, line: placing.line },
      startedAtMs,
      dependencies.random,
    );
    if (turn.kind === 'NOW') return turn;
    if (!hasAsked && deadline.rank !== 'CONFIRMED' && isFar(turn, placing, standing)) {
      hasAsked = true;
      if (await goesBeforeMadeUp(session, deadline, placing.line, dependencies)) {
        listedAtMs = Math.floor(clock.nowMs());
        continue;
      }
    }
    if (turn.kind === 'NOT_IN_TIME' && placing.isBusy === true) return soonAgain(turn, deadline.atMs - nowMs);
    if (turn.kind !== 'WAIT') return turn;
    await clock.sleep(turn.delayMs);
  }
}

/** Half of its time is left when the session comes back, because only the line's item was busy, not the quota. */
function soonAgain(
  turn: Extract<Turn, { readonly kind: 'NOT_IN_TIME' }>,
  remainingMs: number,
): Extract<Turn, { readonly kind: 'NOT_IN_TIME' }> {
  const halfSeconds = Math.max(1, Math.floor(remainingMs / 2000));
  return { ...turn, retryAfterSeconds: Math.min(turn.retryAfterSeconds, halfSeconds) };
}

function isFar(
  turn: ReturnType<typeof decideTurn>,
  { place, undrawn, line }: Placing,
  standing: Omit<QuotaSnapshot, 'line'>,
): boolean {
  const { lineCounter: counter, lineNumber: number } = { ...place, ...undrawn };
  if (turn.kind !== 'WAIT' || counter === undefined || number === undefined) return true;
  return turnOf({ ...standing, line }, { counter, number }) > standing.nowMs + FAR_MS;
}

/**
 * Whether the service waits for this session, and hardly for the others that stand in line. In a storm it waits for all of
 * them, and the order stays that of the deadlines. Where more sessions wait than a list holds, the session's own window
 * says whether it does, and the watcher how many do; a storm may have doubled since it counted.
 */
async function goesBeforeMadeUp(
  session: SessionKey,
  { rank, isSeenWaiting }: Deadline,
  line: LineState,
  dependencies: AwaitTurnDependencies,
): Promise<boolean> {
  const { clock, settings } = dependencies;
  const few = settings.CONNECTIONS_PER_SECOND * MADE_UP_SECONDS;
  const inLine = waitingInLine(line, clock.nowMs(), rank);
  if (inLine <= few) return false;
  const { isListed, listed, counted } = await findWaiting(session, dependencies);
  if (listed !== undefined) return isListed && inLine > listed + few;
  return (isListed || isSeenWaiting) && counted !== undefined && inLine > 2 * counted;
}

interface Deadline {
  readonly atMs: number;
  /** Told by an open window, not guessed. */
  readonly isTold: boolean;
  readonly rank: Rank;
  /** Whether the window has the service's word that it waits for a client. */
  readonly isSeenWaiting: boolean;
  /** When the service's list had the session. */
  readonly listedAtMs?: number;
  /** The deadline of the open window, if it has passed and the session's timeout is known. */
  readonly windowEndedAtMs?: number;
}

/**
 * Until when the service keeps the session: the open window knows. Without one it drops about now; and one whose
 * deadline has passed, for all we know, must not go before those that can be saved.
 */
async function deadlineOf(
  session: SessionKey,
  { table, clock, settings }: AwaitTurnDependencies,
): Promise<Deadline> {
  const window = await readWindow(table, session);
  const open = window !== undefined && isOpen(window) ? window : undefined;
  if (open !== undefined && open.deadlineMs > clock.nowMs()) {
    const isSeenWaiting = open.seenWaitingAtMs !== undefined;
    return { atMs: open.deadlineMs, isTold: true, rank: 'REPORTED', isSeenWaiting };
  }
  const timeoutSeconds =
    window?.outcome === 'RECONNECTED'
      ? window.connectionTimeoutSeconds
      : settings.DEFAULT_CONNECTION_TIMEOUT_SECONDS;
  const atMs = clock.nowMs() + timeoutSeconds * 1000;
  return {
    atMs,
    isTold: false,
    rank: 'UNKNOWN',
    isSeenWaiting: false,
    // A deadline that is the default's says little.
    ...(open === undefined || open.isDefaultTimeout === true ? {} : { windowEndedAtMs: open.deadlineMs }),
  };
}

type LineNumber = Required<Pick<Place, 'lineCounter' | 'lineNumber'>>;

interface Drawing {
  readonly line: LineState;
  readonly drawn?: LineNumber;
  /** The line takes no more writes: the caller may have been in time. */
  readonly isBusy?: boolean;
  /** The number that would have been drawn, if the line could not be written. It is not kept. */
  readonly undrawn?: LineNumber;
}

interface Placing extends Drawing {
  /** The place with the offer in it, and with a number where one can be had; the same object if nothing changes. */
  readonly place: Place;
}

async function placeOffer(
  place: Place | undefined,
  offerId: string,
  deadline: Deadline,
  standing: QuotaSnapshot,
  dependencies: AwaitTurnDependencies,
): Promise<Placing> {
  const { nowMs, line } = standing;
  const isRepeat = place?.latestOffer === offerId;
  // A call that has found no such session does not answer later requests.
  const isAnswered = place?.isServed === true && place.notFoundAtMs === undefined;
  if (isRepeat && isAnswered) return { place, line };
  const isOver = place === undefined || place.isServed === true || place.deadlineMs < nowMs;
  // A guess counts from the first ask. One that is later than a guess of now comes from a clock that was ahead.
  const deadlineMs = isOver || deadline.isTold ? deadline.atMs : Math.min(place.deadlineMs, deadline.atMs);
  const wait = { deadlineMs, nowMs, rank: deadline.rank };
  const number = isOver ? undefined : numberOf(place, wait, line);
  const drawing = number === undefined ? await drawIfInTime(wait, standing, dependencies) : { line };
  if (isRepeat && place.isServed !== true && drawing.drawn === undefined) return { place, ...drawing };
  return {
    ...drawing,
    place: {
      revision: place?.revision ?? 0,
      ...offersWith(place, offerId),
      askedAtMs: isOver ? nowMs : place.askedAtMs,
      deadlineMs,
      ...(deadline.listedAtMs === undefined ? {} : { listedAtMs: deadline.listedAtMs }),
      ...(deadline.windowEndedAtMs === undefined ? {} : { windowEndedAtMs: deadline.windowEndedAtMs }),
      ...(drawing.drawn ?? number),
    },
  };
}

/**
 * The place's number, if it still holds. A deadline that turned out to be earlier needs another one, and so does a session
 * that has more to vouch for it than when it drew, and a number of a counter that is gone: a clock that was ahead took it for over. (A
 * counter may also be missing because a look at the line can be a moment behind; that costs one number more.)
 */
function numberOf(
  { lineCounter, lineNumber }: Place,
  { deadlineMs, nowMs, rank }: Wait,
  line: LineState,
): LineNumber | undefined {
  if (lineCounter === undefined || lineNumber === undefined) return undefined;
  const bucket = line.find(({ counter }) => counter === lineCounter);
  if (bucket === undefined || bucket.startMs > Math.max(deadlineMs, nowMs)) return undefined;
  return isBehind(bucket.rank, rank) ? undefined : { lineCounter, lineNumber };
}

/** No number for a session that cannot be saved: it would only be in the way, and cost the line a write. */
async function drawIfInTime(
  wait: Wait,
  standing: QuotaSnapshot,
  { table, log }: AwaitTurnDependencies,
): Promise<Drawing> {
  const { line, nowMs, permits } = standing;
  // The last booking is by another clock. Where the two differ, the earlier one says what is over.
  const bookedMs = permits.bookedUntilMs ?? nowMs;
  const removable = { overBeforeMs: Math.min(nowMs, bookedMs), latestMs: Math.max(nowMs, bookedMs) };
  const counter = counterIn(line, wait, removable);
  if (counter === undefined) return { line };
  const next = nextNumber(line, counter);
  const nextTurnMs = turnOf(standing, { counter, number: next });
  if (nextTurnMs > Math.max(wait.deadlineMs, nowMs + LEAD_MS)) return { line };
  try {
    const draw = await drawNumber(table, OPERATION, { counter, seen: line, ...removable });
    return { line: draw.line, drawn: { lineCounter: draw.counter, lineNumber: draw.number } };
  } catch (error) {
    // One item takes about 1,000 writes a second. Whoever finds it busy is asked to come back.
    if (error instanceof DependencyUnavailableException) return { line, isBusy: true };
    // A line that cannot be written must not stop every reconnection: permits keep the quota without it.
    log.error('NumberNotDrawn', error);
    return { line, undrawn: { lineCounter: counter, lineNumber: next } };
  }
}
