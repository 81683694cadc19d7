/**
 * A session's turn for its one call. Places are told apart by deadline, then by number; a near turn is waited for,
 * for a far one the caller is told when to come back. Every look at the line is a read: only a session's first
 * request, or a new offer, writes.
 */
import type { Clock } from '../shared/clock.ts';
import type { SessionKey } from '../shared/contracts.ts';
import { DependencyUnavailableException } from '../shared/errors.ts';
import { bucketOf, type Draw, drawNumber, type LineState, readLine } from '../shared/table/line.ts';
import { type PermitState, readPermits } from '../shared/table/permits.ts';
import { offerIdOf, type Place, readPlace, writePlace } from '../shared/table/places.ts';
import type { Table } from '../shared/table/table.ts';
import { isOpen, readWindow } from '../shared/table/window-item.ts';
import { nextNumber, sparePermits, turnMs, waitingInLine } from '../shared/turn.ts';

export type Turn =
  | { readonly kind: 'NOW' }
  /** The place is kept; the same request finds it again. */
  | { readonly kind: 'LATER'; readonly retryAfterSeconds: number }
  /** All calls before the deadline are promised. One may become free if somebody does not return. */
  | { readonly kind: 'NOT_IN_TIME'; readonly retryAfterSeconds: number }
  /** Another offer for the session came later. */
  | { readonly kind: 'SUPERSEDED' };

export interface AwaitTurnDependencies {
  readonly table: Table;
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly settings: {
    readonly CONNECTIONS_PER_SECOND: number;
    readonly DEFAULT_CONNECTION_TIMEOUT_SECONDS: number;
  };
}

const OPERATION = 'CreateStreamSessionConnection';
/** A longer wait would be idling in a Lambda; the caller's own waiting costs nothing. */
const WAIT_MS = 3000;
/** Sessions with earlier deadlines may come meanwhile, so the line is looked at again. */
const LOOK_AGAIN_MS = 500;
/** From here to the booking of the permit: an execution's start, a cold one excepted. */
const LEAD_MS = 300;
/** So much before its turn a session is asked to be back. */
const BACK_BEFORE_SECONDS = 1;
/** Turns come sooner than told when those before do not return, so nobody stays away for longer. */
const LONGEST_AWAY_SECONDS = 10;
/**
 * Permits that nobody takes mean that those before are not there: whoever has stood in line for a second goes first.
 * Many may see the same permit idle, so each takes it by chance: one in ten of the line for each idle permit. Who has
 * no number waits until half a second's worth is idle.
 */
const IDLE_AFTER_MS = 1000;
const IDLE_PERMITS = 3;
const IDLE_SECONDS_WITHOUT_NUMBER = 0.5;
const IDLE_SHARE_OF_LINE = 0.1;
/** Two tabs and a Lambda that has just called: more losers in a row than that are no coincidence. */
const MAX_TRIES = 6;

/**
 * Takes or finds the session's place and waits for its turn, three seconds at most.
 *
 * @throws DependencyUnavailableException
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
  for (let tries = 0; ; ) {
    const [deadline, place, seenLine, permits] = await Promise.all([
      deadlinePromise,
      readPlace(table, session),
      readLine(table, OPERATION),
      readPermits(table, OPERATION),
    ]);
    const nowMs = clock.nowMs();
    if (place !== undefined && place.latestOffer !== offerId && place.knownOffers.has(offerId)) {
      return { kind: 'SUPERSEDED' };
    }
    const standing = { permits, perSecond: settings.CONNECTIONS_PER_SECOND, nowMs };
    const placing = await placeOffer(place, offerId, deadline, { ...standing, line: seenLine }, dependencies);
    if (placing.place !== place && !(await writePlace(table, session, place, placing.place))) {
      if (++tries >= MAX_TRIES) throw new DependencyUnavailableException();
      continue;
    }
    const turn = lookAt(placing.place, { ...standing, line: placing.line }, startedAtMs, dependencies);
    if (turn.kind !== 'WAIT') return turn;
    await clock.sleep(turn.delayMs);
  }
}

interface Deadline {
  readonly atMs: number;
  /** Known from an open window, not guessed. */
  readonly isKnown: boolean;
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
  const isWaiting = window !== undefined && isOpen(window) && window.deadlineMs > clock.nowMs();
  if (isWaiting) return { atMs: window.deadlineMs, isKnown: true };
  const timeoutSeconds =
    window?.outcome === 'RECONNECTED'
      ? window.connectionTimeoutSeconds
      : settings.DEFAULT_CONNECTION_TIMEOUT_SECONDS;
  return { atMs: clock.nowMs() + timeoutSeconds * 1000, isKnown: false };
}

interface LineStanding {
  readonly line: LineState;
  readonly permits: PermitState;
  readonly perSecond: number;
  readonly nowMs: number;
}

/** The place with the offer in it, and with a number where one can be had; the same object if nothing changes. */
async function placeOffer(
  place: Place | undefined,
  offerId: string,
  deadline: Deadline,
  standing: LineStanding,
  { table }: AwaitTurnDependencies,
): Promise<{ readonly place: Place; readonly line: LineState }> {
  const { nowMs, line } = standing;
  const isRepeat = place?.latestOffer === offerId;
  if (isRepeat && place?.isServed === true) return { place, line };
  const isOver = place === undefined || place.isServed === true || place.deadlineMs < nowMs;
  const deadlineMs = isOver || deadline.isKnown ? deadline.atMs : place.deadlineMs;
  // The last bucket that can still be served: clocks differ, and the service alone knows that it is too late.
  const bucket = bucketOf(Math.max(deadlineMs, nowMs));
  const keepsNumber =
    !isOver && place.lineNumber !== undefined && place.lineBucket !== undefined && place.lineBucket <= bucket;
  const draw = keepsNumber ? undefined : await drawIfInTime(table, bucket, deadlineMs, standing);
  if (isRepeat && draw === undefined && place !== undefined) return { place, line };
  const kept = keepsNumber ? { lineBucket: place.lineBucket, lineNumber: place.lineNumber } : {};
  return {
    line: draw?.line ?? line,
    place: {
      revision: place?.revision ?? 0,
      knownOffers: new Set([...(place?.knownOffers ?? []), offerId]),
      latestOffer: offerId,
      askedAtMs: isOver ? nowMs : place.askedAtMs,
      deadlineMs,
      ...(draw === undefined ? kept : { lineBucket: bucket, lineNumber: draw.number }),
    },
  };
}

/** No number for a session that cannot be saved: it would only be in the way, and cost the line a write. */
async function drawIfInTime(
  table: Table,
  bucket: number,
  deadlineMs: number,
  standing: LineStanding,
): Promise<Draw | undefined> {
  const { line, nowMs } = standing;
  const nextTurnMs = turnMs(standing, { bucket, number: nextNumber(line, bucket) });
  if (nextTurnMs > Math.max(deadlineMs, nowMs + LEAD_MS)) return undefined;
  try {
    return await drawNumber(table, OPERATION, { bucket, seen: line, nowMs });
  } catch (error) {
    // One item takes about 1,000 writes a second. Whoever finds it busy is asked to come back.
    if (error instanceof DependencyUnavailableException) return undefined;
    throw error;
  }
}

function lookAt(
  place: Place,
  standing: LineStanding,
  startedAtMs: number,
  { random }: AwaitTurnDependencies,
): Turn | { readonly kind: 'WAIT'; readonly delayMs: number } {
  const { nowMs } = standing;
  const { lineBucket: bucket, lineNumber: number, deadlineMs } = place;
  // Its turn has come before, and its call may have been made: only the service can answer the same request.
  if (place.isServed === true) return { kind: 'NOW' };
  if (takesIdlePermit(place, standing, random)) return { kind: 'NOW' };
  const atMs =
    bucket === undefined || number === undefined ? undefined : turnMs(standing, { bucket, number });
  if (atMs !== undefined && atMs <= nowMs + LEAD_MS) return { kind: 'NOW' };
  if (atMs === undefined || atMs > deadlineMs) {
    const remainingSeconds = Math.max(1, Math.floor((deadlineMs - nowMs) / 1000));
    const retryAfterSeconds = Math.min(remainingSeconds, Math.ceil(LONGEST_AWAY_SECONDS * (0.5 + random())));
    return { kind: 'NOT_IN_TIME', retryAfterSeconds };
  }
  if (atMs > startedAtMs + WAIT_MS) {
    const awaySeconds = Math.floor((atMs - nowMs) / 1000) - BACK_BEFORE_SECONDS;
    return { kind: 'LATER', retryAfterSeconds: Math.min(LONGEST_AWAY_SECONDS, Math.max(1, awaySeconds)) };
  }
  return { kind: 'WAIT', delayMs: Math.min(LOOK_AGAIN_MS, atMs - LEAD_MS - nowMs) };
}

function takesIdlePermit(place: Place, standing: LineStanding, random: () => number): boolean {
  const { line, nowMs, perSecond } = standing;
  if (nowMs - place.askedAtMs < IDLE_AFTER_MS) return false;
  const spare = sparePermits(standing);
  const isInLine = place.lineNumber !== undefined;
  if (spare < (isInLine ? IDLE_PERMITS : perSecond * IDLE_SECONDS_WITHOUT_NUMBER)) return false;
  return random() < spare / (1 + waitingInLine(line, nowMs) * IDLE_SHARE_OF_LINE);
}
