/**
 * A session's turn for its one call. Places are told apart by deadline, then by number; a near turn is waited for,
 * for a far one the caller is told when to come back. Every look at the line is a read: only a session's first
 * request, or a new offer, writes.
 */
import type { Clock } from '../shared/clock.ts';
import type { SessionKey } from '../shared/contracts.ts';
import { DependencyUnavailableException } from '../shared/errors.ts';
import { bucketOf, type Draw, drawNumber, type LineState, readLine } from '../shared/table/line.ts';
import { readPermits } from '../shared/table/permits.ts';
import { offerIdOf, type Place, readPlace, writePlace } from '../shared/table/places.ts';
import type { Table } from '../shared/table/table.ts';
import { isOpen, readWindow } from '../shared/table/window-item.ts';
import { nextNumber, type Standing, turnMs } from '../shared/turn.ts';
import { decideTurn, LEAD_MS, type Turn } from './decide-turn.ts';

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
    const turn = decideTurn(
      placing.place,
      { ...standing, line: placing.line },
      startedAtMs,
      dependencies.random,
    );
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

/** The place with the offer in it, and with a number where one can be had; the same object if nothing changes. */
async function placeOffer(
  place: Place | undefined,
  offerId: string,
  deadline: Deadline,
  standing: Standing,
  { table }: AwaitTurnDependencies,
): Promise<{ readonly place: Place; readonly line: LineState }> {
  const { nowMs, line } = standing;
  const isRepeat = place?.latestOffer === offerId;
  if (isRepeat && place.isServed === true) return { place, line };
  const isOver = place === undefined || place.isServed === true || place.deadlineMs < nowMs;
  const deadlineMs = isOver || deadline.isKnown ? deadline.atMs : place.deadlineMs;
  // The last bucket that can still be served: clocks differ, and the service alone knows that it is too late.
  const bucket = bucketOf(Math.max(deadlineMs, nowMs));
  const keepsNumber = !isOver && place.lineBucket !== undefined && place.lineBucket <= bucket;
  const draw = keepsNumber ? undefined : await drawIfInTime(table, bucket, deadlineMs, standing);
  if (isRepeat && draw === undefined) return { place, line };
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
  standing: Standing,
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
