/**
 * A session's place in line: one item, however many clients ask for the session. It knows the offers that have come lately,
 * so that the latest one wins and a repeat of an older one does not pass for a new one.
 */
import * as z from 'zod';
import type { SessionKey } from '../contracts/index.ts';
import { placeKey } from '../contracts/table-keys.ts';
import {
  epochSeconds,
  putIf,
  readItem,
  type Table,
  type Update,
  updateIf,
  wholeNumberSchema,
} from '../runtime/table.ts';
import { sha256Hex } from '../runtime/text.ts';
import { formerBucketOf, formerCounterOf } from './deadline-bucket.ts';

const placeItemSchema = z.object({
  /** Raised by every write, so that of two writers one reads again. */
  revision: wholeNumberSchema,
  /** The latest few, in full: all that the code before 2026-11-28 knows. It kept every offer here. */
  knownOffers: z.set(z.string()),
  /** The latest 256, the newest last, by eight characters each. */
  recentOffers: z.string().optional(),
  latestOffer: z.string(),
  askedAtMs: wholeNumberSchema,
  /** Until when the service keeps the session, as far as was known. */
  deadlineMs: wholeNumberSchema,
  /** The counter that the place has its number of. */
  lineCounter: z.string().optional(),
  /** The same of the code before 2026-11-28, which counted by two seconds. Where it is, that code wrote the place last. */
  lineBucket: wholeNumberSchema.optional(),
  lineNumber: wholeNumberSchema.optional(),
  /** The place has had its call; the next offer needs another one. */
  isServed: z.boolean().optional(),
  /** When the service said that it does not know the session. */
  notFoundAtMs: wholeNumberSchema.optional(),
  /** When the service's list had the session as waiting for a client. */
  listedAtMs: wholeNumberSchema.optional(),
  /** Set while the service may not have noticed the loss: when its player asked first, in epoch ms. */
  firstAskedAtMs: wholeNumberSchema.optional(),
  /** … and when the service was last seen not to have noticed. */
  lastRefusedAtMs: wholeNumberSchema.optional(),
  /** The offer whose page may be going away, and until when its player may come back. A newer offer makes it void. */
  leavingOffer: z.string().optional(),
  leavingUntilMs: wholeNumberSchema.optional(),
  /** When a termination before the deadline was about to be asked for. */
  endingSinceMs: wholeNumberSchema.optional(),
  /** The session's own deadline by its open window, in epoch ms, if it had passed before the place was taken. */
  windowEndedAtMs: wholeNumberSchema.optional(),
});

/**
 * A place in line. It has no number while every call that the quota allows before the deadline is promised to others,
 * and while the line takes no more writes.
 */
export type Place = Omit<z.infer<typeof placeItemSchema>, 'lineBucket'>;

/** A place that nobody returns to is of no use after its deadline; an hour is for whoever looks into a storm. */
const PLACE_RETENTION_MS = 3_600_000;

/** A caller with a made-up id comes back within seconds; an id that the service makes known later is not kept waiting. */
export const NOT_FOUND_MS = 5000;

/** Names a request without saying anything about it: repeats have the same ClientToken. */
export function offerIdOf(clientToken: string): string {
  return sha256Hex(clientToken).slice(0, 32);
}

/**
 * A client that makes an offer a second has its last four minutes remembered. Repeats come sooner: an SDK retries within
 * seconds, and a caller comes back within 15 s. 256 names of eight characters are 2 KB; the first one makes it eight bytes.
 */
const RECENT_OFFERS = 256;
/** 48 bits: one in 10¹² new offers is taken for one of 256 others. */
const NAME_HEX_DIGITS = 12;
const NAME_LENGTH = 8;
const KNOWN_OFFERS = 8;

/**
 * Whether another offer for the session has come after this one.
 *
 * Why: docs/decisions/quota-and-line.md#the-last-offer-wins-until-a-call-has-been-made
 */
export function isSuperseded(place: Place, offerId: string): boolean {
  if (place.latestOffer === offerId) return false;
  return place.knownOffers.has(offerId) || namesIn(place.recentOffers).includes(nameOf(offerId));
}

/**
 * The offers that a place knows once this one has come.
 *
 * Why: docs/decisions/quota-and-line.md#a-place-remembers-the-latest-256-offers
 */
export function offersWith(
  place: Place | undefined,
  offerId: string,
): Required<Pick<Place, 'knownOffers' | 'recentOffers' | 'latestOffer'>> {
  const recent = namesIn(place?.recentOffers);
  const before = [...(place?.knownOffers ?? [])].filter((known) => known !== offerId);
  // The code before writes `knownOffers` alone, and a set has no order.
  const unnamed = before.map(nameOf).filter((name) => !recent.includes(name));
  const names = [...recent, ...unnamed].filter((name) => name !== nameOf(offerId));
  const ages = new Map(names.map((name, index) => [name, index]));
  const byAge = before.sort((a, b) => (ages.get(nameOf(a)) ?? 0) - (ages.get(nameOf(b)) ?? 0));
  return {
    latestOffer: offerId,
    knownOffers: new Set([...byAge.slice(-(KNOWN_OFFERS - 1)), offerId]),
    recentOffers: [...names.slice(-(RECENT_OFFERS - 1)), nameOf(offerId)].join(''),
  };
}

function namesIn(recentOffers = ''): string[] {
  return Array.from({ length: Math.floor(recentOffers.length / NAME_LENGTH) }, (_, index) =>
    recentOffers.slice(index * NAME_LENGTH, (index + 1) * NAME_LENGTH),
  );
}

function nameOf(offerId: string): string {
  return Buffer.from(offerId.slice(0, NAME_HEX_DIGITS), 'hex').toString('base64url');
}

/** @throws DependencyUnavailableException */
export async function readPlace(table: Table, session: SessionKey): Promise<Place | undefined> {
  const item = await readItem(table, placeKey(session));
  return item === undefined ? undefined : placeOf(item);
}

/**
 * Writes the place unless somebody else has written it since it was read.
 *
 * @param seen the place as it was read.
 * @returns whether it was written.
 * @throws DependencyUnavailableException
 */
export async function writePlace(
  table: Table,
  session: SessionKey,
  seen: Place | undefined,
  place: Omit<Place, 'revision'>,
): Promise<boolean> {
  const { lineCounter, lineNumber, recentOffers, listedAtMs, windowEndedAtMs } = place;
  const numbers =
    lineCounter === undefined || lineNumber === undefined ? {} : { ...counterItem(lineCounter), lineNumber };
  const names = ['lineCounter', 'lineBucket', 'lineNumber', 'windowEndedAtMs'] as const;
  const optional = {
    ...numbers,
    ...(windowEndedAtMs === undefined ? {} : { windowEndedAtMs }),
    ...(recentOffers === undefined ? {} : { recentOffers }),
    ...(listedAtMs === undefined ? {} : { listedAtMs }),
  };
  const kept = Object.keys(optional);
  return updatePlace(table, session, {
    UpdateExpression: [
      'SET revision = :next, knownOffers = :knownOffers, latestOffer = :latestOffer, askedAtMs = :askedAtMs,',
      'deadlineMs = :deadlineMs, expiresAt = :expiresAt',
      ...kept.map((name) => `, ${name} = :${name}`),
      `REMOVE ${['isServed', 'notFoundAtMs', 'leavingOffer', 'leavingUntilMs', 'endingSinceMs', ...names.filter((name) => !kept.includes(name))].join(', ')}`,
    ].join(' '),
    ConditionExpression: seen === undefined ? 'attribute_not_exists(pk)' : 'revision = :seen',
    ExpressionAttributeValues: {
      ':next': (seen?.revision ?? 0) + 1,
      ':knownOffers': place.knownOffers,
      ':latestOffer': place.latestOffer,
      ':askedAtMs': place.askedAtMs,
      ':deadlineMs': place.deadlineMs,
      ':expiresAt': epochSeconds(place.deadlineMs + PLACE_RETENTION_MS),
      ...Object.fromEntries(Object.entries(optional).map(([name, value]) => [`:${name}`, value])),
      ...(seen === undefined ? {} : { ':seen': seen.revision }),
    },
  });
}

/**
 * The offer's call goes out: the place is used up.
 *
 * @returns whether it was not before, and the offer is still the latest.
 * @throws DependencyUnavailableException
 */
export async function markServed(table: Table, session: SessionKey, offerId: string): Promise<boolean> {
  return updatePlace(table, session, {
    UpdateExpression: 'SET isServed = :true, revision = revision + :one',
    ConditionExpression: 'latestOffer = :offer AND attribute_not_exists(isServed)',
    ExpressionAttributeValues: { ':true': true, ':one': 1, ':offer': offerId },
  });
}

/**
 * Remembers that the service does not know the session. A session without a place is left without one.
 *
 * @throws DependencyUnavailableException
 */
export async function rememberNotFound(table: Table, session: SessionKey, nowMs: number): Promise<void> {
  await updatePlace(table, session, {
    UpdateExpression: 'SET notFoundAtMs = :now',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':now': nowMs },
  });
}

/** Whether the service has said within the last seconds that it does not know the session. */
export function isLatelyNotFound(place: Place | undefined, nowMs: number): boolean {
  return place?.notFoundAtMs !== undefined && Math.abs(nowMs - place.notFoundAtMs) < NOT_FOUND_MS;
}

/** A session that was listed waits until its player is back, which is seldom longer. */
const LISTED_MS = 60_000;

/** Whether the service said within the last minute that it waits for the session. */
export function isLatelyListed(place: Place | undefined, nowMs: number): boolean {
  return place?.listedAtMs !== undefined && Math.abs(nowMs - place.listedAtMs) < LISTED_MS;
}

/**
 * Notes that the service still says CONNECTED, for the requests that follow.
 *
 * @throws DependencyUnavailableException
 */
export async function writeLossRefusal(
  table: Table,
  session: SessionKey,
  { firstAskedAtMs, lastRefusedAtMs }: Required<Pick<Place, 'firstAskedAtMs' | 'lastRefusedAtMs'>>,
): Promise<void> {
  await updatePlace(table, session, {
    UpdateExpression: 'SET firstAskedAtMs = :first, lastRefusedAtMs = :last',
    // A place that has expired meanwhile is not to be made of these two.
    ConditionExpression: 'attribute_exists(latestOffer)',
    ExpressionAttributeValues: { ':first': firstAskedAtMs, ':last': lastRefusedAtMs },
  });
}

/**
 * The offer has its answer: a later loss is another one.
 *
 * @throws DependencyUnavailableException
 */
export async function forgetLossRefusal(table: Table, session: SessionKey, offerId: string): Promise<void> {
  await updatePlace(table, session, {
    UpdateExpression: 'REMOVE firstAskedAtMs, lastRefusedAtMs',
    ConditionExpression: 'latestOffer = :offer',
    ExpressionAttributeValues: { ':offer': offerId },
  });
}

/**
 * Notes that the page of an offer may be going away.
 *
 * @returns false when another offer has come since.
 * @throws DependencyUnavailableException
 */
export async function noteLeaving(
  table: Table,
  session: SessionKey,
  offerId: string,
  { untilMs, nowMs }: { readonly untilMs: number; readonly nowMs: number },
): Promise<boolean> {
  const leaving = { leavingOffer: offerId, leavingUntilMs: untilMs };
  const expiresAt = epochSeconds(untilMs + PLACE_RETENTION_MS);
  // The session's first connection came without us.
  const first = { ...servedPlace(offerId, nowMs), ...leaving, expiresAt };
  if (
    await putIf(
      table,
      { ...placeKey(session), ...first },
      { ConditionExpression: 'attribute_not_exists(pk)' },
    )
  ) {
    return true;
  }
  return updatePlace(table, session, {
    UpdateExpression:
      'SET leavingOffer = :offer, leavingUntilMs = :until, expiresAt = :expiresAt, revision = revision + :one',
    ConditionExpression: 'latestOffer = :offer',
    ExpressionAttributeValues: { ':offer': offerId, ':until': untilMs, ':expiresAt': expiresAt, ':one': 1 },
  });
}

/** Until when a player whose page may be going away may come back; undefined when none is, or an offer has come since. */
export function leavingUntilMs(place: Place | undefined): number | undefined {
  return place !== undefined && place.leavingOffer === place.latestOffer ? place.leavingUntilMs : undefined;
}

/**
 * A request has come, so its player is not leaving.
 *
 * @param seen the place as it was read.
 * @returns false when it was written since.
 * @throws DependencyUnavailableException
 */
export async function liftLeaving(table: Table, session: SessionKey, seen: Place): Promise<boolean> {
  return updatePlace(table, session, {
    UpdateExpression: 'SET revision = :next REMOVE leavingOffer, leavingUntilMs',
    ConditionExpression: 'revision = :seen',
    ExpressionAttributeValues: { ':seen': seen.revision, ':next': seen.revision + 1 },
  });
}

/** The attempt that has marked the place ends within this time, and its termination with it. */
const ENDING_MS = 20_000;

/** Whether the session is being terminated before its deadline, so that no connection is to be asked for any more. */
export function isEnding(place: Place | undefined, nowMs: number): boolean {
  return place?.endingSinceMs !== undefined && Math.abs(nowMs - place.endingSinceMs) < ENDING_MS;
}

/**
 * Marks that the session is about to be terminated before its deadline. Each offer writes the place, so the mark fails if
 * one has come since the place was read, and one that comes later finds it.
 *
 * @param seen the place as it was read; undefined when there was none.
 * @returns whether it was marked.
 * @throws DependencyUnavailableException
 */
export async function markEnding(
  table: Table,
  session: SessionKey,
  seen: Place | undefined,
  nowMs: number,
): Promise<boolean> {
  const expiresAt = epochSeconds(nowMs + PLACE_RETENTION_MS);
  if (seen === undefined) {
    const nobody = {
      ...servedPlace(offerIdOf(`nobody at ${nowMs}`), nowMs),
      endingSinceMs: nowMs,
      expiresAt,
    };
    return putIf(
      table,
      { ...placeKey(session), ...nobody },
      { ConditionExpression: 'attribute_not_exists(pk)' },
    );
  }
  return updatePlace(table, session, {
    UpdateExpression: 'SET endingSinceMs = :now, expiresAt = :expiresAt, revision = :next',
    ConditionExpression: 'revision = :seen',
    ExpressionAttributeValues: {
      ':now': nowMs,
      ':expiresAt': expiresAt,
      ':seen': seen.revision,
      ':next': seen.revision + 1,
    },
  });
}

/**
 * Takes a mark of `markEnding` back, because the service has not taken the termination: a request may be made again. The
 * revision stays, because a request that was refused for the mark has written nothing.
 *
 * @throws DependencyUnavailableException
 */
export async function unmarkEnding(table: Table, session: SessionKey, markedAtMs: number): Promise<void> {
  await updatePlace(table, session, {
    UpdateExpression: 'REMOVE endingSinceMs',
    ConditionExpression: 'endingSinceMs = :mark',
    ExpressionAttributeValues: { ':mark': markedAtMs },
  });
}

/** A place of a session that has had its call, without a number in line. */
function servedPlace(offerId: string, nowMs: number): Place {
  return {
    revision: 1,
    ...offersWith(undefined, offerId),
    askedAtMs: 0,
    deadlineMs: nowMs,
    isServed: true,
  };
}

/** Returns the place that an item of the table holds. */
export function placeOf(item: unknown): Place {
  const { lineBucket, lineCounter, lineNumber, ...place } = placeItemSchema.parse(item);
  const counter = lineBucket === undefined ? lineCounter : formerCounterOf(lineBucket);
  if (counter === undefined || lineNumber === undefined) return place;
  return { ...place, lineCounter: counter, lineNumber };
}

/** A former counter stays what it is, so that both versions of the code count in the same attributes. */
function counterItem(counter: string): { lineCounter: string } | { lineBucket: number } {
  const lineBucket = formerBucketOf(counter);
  return lineBucket === undefined ? { lineCounter: counter } : { lineBucket };
}

async function updatePlace(table: Table, session: SessionKey, update: Update): Promise<boolean> {
  return (await updateIf(table, placeKey(session), update)) !== undefined;
}
