/**
 * The account's quota for one operation, as one item that mirrors the service's token bucket (the "generic cell
 * rate algorithm"): `bookedUntilMs` is when the bucket will be full again if no further call is made. A permit moves
 * it on by the time that one call is worth, in one conditional write, and the old value says when the call may go
 * out. So permits are spaced, a waiting caller does not retry, and a turn too late is refused by a read.
 *
 * Times are by the clock of the process that writes. Where clocks differ by d, or a write or a call takes d longer
 * than it should, calls come up to d early or late: in any stretch of t seconds no more than quota × (t + 2d) and one
 * burst go out, and in the long run never more than the quota, because each call moves the booking on by its worth,
 * whoever books it. A clock that is off by more than `MOST_SKEW_MS` is outvoted (`doubtOrReset`).
 *
 * Only whole numbers rest in the item. DynamoDB adds decimals exactly and a double does not, so a sum of fractions would
 * never be found again. A call's worth is whole microseconds, rounded up, because whole milliseconds would waste 2 % of
 * a quota of 30 a second and 37 % of 800. `bookedUntilMs` moves by whole milliseconds, rounded up, and `earlyMicros`
 * counts what that is too much, because the code before 2026-11-28 reads and moves `bookedUntilMs` alone: it may run
 * beside this code during a deployment.
 */
import * as z from 'zod';
import type { QuotaOperation } from '../contracts/quotas.ts';
import { type ItemKey, permitKey } from '../contracts/table-keys.ts';
import type { Clock } from '../runtime/clock.ts';
import { readItem, type Table, type Update, updateIf, wholeNumberSchema } from '../runtime/table.ts';

export interface Quota {
  readonly operation: QuotaOperation;
  /** The account's quota for the operation. */
  readonly perSecond: number;
}

export interface PermitRequest extends Quota {
  /** Epoch ms until which the caller waits. Nobody waits longer than `LONGEST_WAIT_MS`. */
  readonly latestMs: number;
  /** LOW for calls that nobody waits for: they leave a part of the quota to the others. NORMAL when absent. */
  readonly priority?: 'NORMAL' | 'LOW' | undefined;
  /** Called when the permit is the caller's, before the wait for its time. */
  readonly onBooked?: (() => void) | undefined;
}

export interface PermitDependencies {
  readonly table: Table;
  readonly clock: Clock;
}

// The code before 2026-11-28 writes fractions to the three that are any number; conditions compare them as they rest.
const permitItemSchema = z.object({
  bookedUntilMs: z.number().optional(),
  /** By how much `bookedUntilMs` is too late. Below a thousand, and some thousands when many have booked at once. */
  earlyMicros: wholeNumberSchema.optional(),
  /** Set by the last throttling: the rate from then on before recovery, in thousandths of a call a second. */
  slowedToMilli: wholeNumberSchema.optional(),
  /** The same in calls a second, for the code before 2026-11-28. That code writes fractions here and no `slowedToMilli`. */
  slowedTo: z.number().optional(),
  slowedAtMs: z.number().optional(),
  /** How many callers in a row have found the booking too far ahead to be true. */
  doubts: wholeNumberSchema.optional(),
});
/** How far the quota of an operation is spoken for. */
export type PermitState = z.infer<typeof permitItemSchema>;

/** A longer wait for a permit would be idling in a Lambda; the state machine waits more cheaply. */
export const LONGEST_WAIT_MS = 3000;
/**
 * The service's burst is not documented; the stand-in saves one second's worth, and so do we, less what two calls
 * may change their distance by on the way: a call that overtakes another finds no token.
 */
const BURST_MS = 1000;
const ARRIVAL_JITTER_MS = 20;
/** While somebody else uses the account too, its saved tokens are not ours to count on. */
const SLOWED_BURST_SHARE = 0.25;
/**
 * The first throttled call lowers the rate by a tenth, because it may be chance. Another one within three seconds says
 * that a tenth was not enough, and lowers it by three tenths. All that come within the same half second count as one:
 * they were booked at the rate before. By simulation (docs/storms.md) a tenth each second takes too long to find what
 * somebody else leaves of the quota, and more than three tenths leaves too much of it unused.
 */
const SLOWED_SHARE = 0.9;
const SLOWED_AGAIN_SHARE = 0.7;
const AGAIN_WITHIN_MS = 3000;
const SLOWING_MS = 500;
/** Never so slow that a quota that is free again stays unused for long. */
const SLOWEST_SHARE = 0.1;
/** A hundredth of the quota each second: back from a tenth in ten seconds. */
const RECOVERY_SHARE_PER_SECOND = 0.01;
/**
 * Of the quota, what calls of low priority may take together.
 *
 * Why: docs/decisions/quota-and-line.md#checks-of-windows-take-three-quarters-of-the-read-quota-at-most
 */
export const LOW_PRIORITY_SHARE = 0.75;
/** Lost only against somebody who moved the item between our read and our write; each of these moves it on. */
const MAX_TRIES = 20;
/** Two clocks may be this far apart and still believe each other. Lambda's are within milliseconds of each other. */
const MOST_SKEW_MS = 5000;
/** A booking that so many callers in a row do not believe is reset by the last of them. */
const DOUBTS_TO_RESET = 3;
/** A caller that doubts looks again after this time. A caller with a right clock books meanwhile, if there is one. */
const DOUBT_PAUSE_MS = 250;

export interface Pace {
  readonly ratePerSecond: number;
  /** What one call is worth, in ms: a whole number of microseconds. */
  readonly intervalMs: number;
  /** How far ahead of the even spacing calls may run, in whole ms. */
  readonly burstMs: number;
}

/** The present pace: the quota's, or less after a throttling, recovering by the clock. */
export function paceOf(state: PermitState, perSecond: number, nowMs: number): Pace {
  const ratePerSecond = Math.max(
    perSecond * SLOWEST_SHARE,
    Math.min(perSecond, recoveredRate(state, perSecond, nowMs)),
  );
  const intervalMs = Math.ceil(1_000_000 / ratePerSecond) / 1000;
  const share = ratePerSecond < perSecond ? SLOWED_BURST_SHARE : 1;
  const burstMs = Math.max(0, Math.floor(share * BURST_MS - intervalMs - ARRIVAL_JITTER_MS));
  return { ratePerSecond, intervalMs, burstMs };
}

function recoveredRate(state: PermitState, perSecond: number, nowMs: number): number {
  const { slowedAtMs } = state;
  // A throttling that is still to come was written by a clock that is ahead. Its slowness would never recover.
  if (slowedAtMs === undefined || slowedAtMs > nowMs + MOST_SKEW_MS) return perSecond;
  const slowForMs = Math.max(0, nowMs - slowedAtMs);
  return slowedRate(state, perSecond) + (perSecond * RECOVERY_SHARE_PER_SECOND * slowForMs) / 1000;
}

function slowedRate({ slowedTo, slowedToMilli }: PermitState, perSecond: number): number {
  const isLatest =
    slowedToMilli !== undefined && (slowedTo === undefined || wholeRate(slowedToMilli) === slowedTo);
  return isLatest ? slowedToMilli / 1000 : (slowedTo ?? perSecond);
}

/** At least 1, because the code before 2026-11-28 would divide by a rate of 0. */
function wholeRate(milli: number): number {
  return Math.max(1, Math.floor(milli / 1000));
}

/**
 * When the next permit is free, in epoch ms. In the past where permits were saved up: one for each `intervalMs`,
 * and one more.
 */
export function nextPermitMs(state: PermitState, pace: Pace, nowMs: number): number {
  // As after the reset that the next callers make.
  if (isTooFarAhead(state, pace, nowMs)) return nowMs + pace.intervalMs;
  return Math.max(bookedUntil(state), nowMs) - pace.burstMs;
}

function bookedUntil({ bookedUntilMs = 0, earlyMicros = 0 }: PermitState): number {
  return bookedUntilMs - earlyMicros / 1000;
}

/** Whether no clock that is about right can have booked so far ahead: nobody waits longer than `LONGEST_WAIT_MS`. */
function isTooFarAhead({ bookedUntilMs = 0 }: PermitState, pace: Pace, nowMs: number): boolean {
  return bookedUntilMs > farthestMs(pace, nowMs);
}

function farthestMs({ intervalMs }: Pace, nowMs: number): number {
  return Math.ceil(nowMs + LONGEST_WAIT_MS + BURST_MS + intervalMs + MOST_SKEW_MS);
}

/** @throws DependencyUnavailableException */
export async function readPermits(
  table: Table,
  operation: QuotaOperation,
  options: { readonly consistent?: boolean } = {},
): Promise<PermitState> {
  return readState(table, permitKey(operation), options.consistent ?? false);
}

/**
 * Takes one call's share of the account's quota and waits until the call may go out. A caller who dies while
 * waiting loses that one call's share, nothing else.
 *
 * Why: docs/decisions/quota-and-line.md#one-item-mirrors-the-services-token-bucket-and-a-permit-is-a-booking
 * Why: docs/decisions/quota-and-line.md#a-booking-that-is-too-far-ahead-is-outvoted
 *
 * @returns whether there is a permit; if not, none was free by `latestMs`, which is known at once.
 * @throws DependencyUnavailableException
 */
export async function takePermit(request: PermitRequest, dependencies: PermitDependencies): Promise<boolean> {
  const { operation, perSecond, priority, onBooked = () => {} } = request;
  const latestMs = Math.min(request.latestMs, dependencies.clock.nowMs() + LONGEST_WAIT_MS);
  if (priority === 'LOW') {
    // A line of its own at a part of the rate: what is left of the quota is there for everybody else.
    const share = perSecond * LOW_PRIORITY_SHARE;
    if (!(await book(permitKey(operation, '#low'), share, latestMs, () => {}, dependencies))) return false;
  }
  return book(permitKey(operation), perSecond, latestMs, onBooked, dependencies);
}

async function book(
  key: ItemKey,
  perSecond: number,
  latestMs: number,
  onBooked: () => void,
  { table, clock }: PermitDependencies,
): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const state = await readState(table, key);
    const nowMs = Math.floor(clock.nowMs());
    const pace = paceOf(state, perSecond, nowMs);
    if (isTooFarAhead(state, pace, nowMs)) {
      if (await doubtOrReset(table, key, state, pace, nowMs)) continue;
      if (nowMs + DOUBT_PAUSE_MS > latestMs) return false;
      await clock.sleep(DOUBT_PAUSE_MS);
      continue;
    }
    const lastMs = Math.floor(latestMs + pace.burstMs);
    if ((state.bookedUntilMs ?? 0) > lastMs) return false;
    const booked = await moveOn(table, key, state, pace, nowMs, lastMs);
    if (booked === undefined) continue;
    onBooked();
    const waitMs = bookedUntil(booked) - pace.intervalMs - pace.burstMs - clock.nowMs();
    // A clock that is set back meanwhile must not make the wait longer than the permit was allowed to be away.
    if (waitMs > 0) await clock.sleep(Math.min(waitMs, LONGEST_WAIT_MS));
    return true;
  }
  return false;
}

/** @returns the item after the write; undefined when it is no longer as it was read. */
async function moveOn(
  table: Table,
  key: ItemKey,
  state: PermitState,
  pace: Pace,
  nowMs: number,
  lastMs: number,
): Promise<PermitState | undefined> {
  const { bookedUntilMs = 0, earlyMicros = 0, doubts } = state;
  // Somebody believes the booking, so those who did not were wrong.
  const forget = doubts === undefined ? '' : ' REMOVE doubts';
  if (bookedUntilMs < nowMs) {
    return updateState(table, key, {
      UpdateExpression: `SET bookedUntilMs = :booked, earlyMicros = :early${forget}`,
      ConditionExpression: `(attribute_not_exists(bookedUntilMs) OR bookedUntilMs < :now) AND ${isSamePace(state)}`,
      ExpressionAttributeValues: {
        ...wholeMs(nowMs + pace.intervalMs),
        ':now': nowMs,
        ':slowedAt': state.slowedAtMs,
      },
    });
  }
  const { ':booked': worthMs, ':early': early } = wholeMs(pace.intervalMs);
  // A millisecond at a time, so that callers who book at once seldom carry the same one.
  const isCarried = earlyMicros >= 1000;
  const canCarry = isCarried ? ' AND earlyMicros >= :carried' : '';
  return updateState(table, key, {
    UpdateExpression: `SET bookedUntilMs = bookedUntilMs + :worth ADD earlyMicros :early${forget}`,
    ConditionExpression: `bookedUntilMs >= :now AND bookedUntilMs <= :last AND ${isSamePace(state)}${canCarry}`,
    ExpressionAttributeValues: {
      ':worth': worthMs - (isCarried ? 1 : 0),
      ':early': early - (isCarried ? 1000 : 0),
      ':carried': isCarried ? 1000 : undefined,
      ':now': nowMs,
      ':last': lastMs,
      ':slowedAt': state.slowedAtMs,
    },
  });
}

/**
 * Doubts a booking that is too far ahead to be true. Either the clock that booked it was ahead, or this one is behind;
 * only the others can tell. Callers whose clocks are right forget the doubts as they book. If the booking was wrong, they
 * doubt it too, and the third doubt in a row resets it: as if the service's bucket were empty now, because nothing is
 * known of it.
 *
 * @returns whether the booking was reset, by this caller or by another one.
 */
async function doubtOrReset(
  table: Table,
  key: ItemKey,
  { doubts = 0 }: PermitState,
  pace: Pace,
  nowMs: number,
): Promise<boolean> {
  if (doubts + 1 >= DOUBTS_TO_RESET) {
    await updateState(table, key, {
      UpdateExpression: 'SET bookedUntilMs = :booked, earlyMicros = :early REMOVE doubts',
      ConditionExpression: 'bookedUntilMs > :farthest AND doubts >= :doubts',
      ExpressionAttributeValues: {
        ...wholeMs(nowMs + pace.burstMs + pace.intervalMs),
        ':farthest': farthestMs(pace, nowMs),
        ':doubts': DOUBTS_TO_RESET - 1,
      },
    });
    return true;
  }
  const doubted = await updateState(table, key, {
    UpdateExpression: 'ADD doubts :one',
    ConditionExpression: 'bookedUntilMs > :farthest',
    ExpressionAttributeValues: { ':one': 1, ':farthest': farthestMs(pace, nowMs) },
  });
  return doubted === undefined;
}

/** A booking means another time by another pace: by the one before a throttling, the call would come too early. */
function isSamePace({ slowedAtMs }: PermitState): string {
  return slowedAtMs === undefined ? 'attribute_not_exists(slowedAtMs)' : 'slowedAtMs = :slowedAt';
}

/** A time or a distance in whole ms, rounded up, and by how many microseconds that is too much. */
function wholeMs(ms: number) {
  const whole = Math.ceil(ms);
  // A double of an epoch time in ms is exact to a quarter of a microsecond.
  return { ':booked': whole, ':early': Math.round((whole - ms) * 1000) };
}

/**
 * Slows everybody down: the service has just said that the account's quota is used up, by callers who do not ask
 * here. What was saved up is forgotten. The rate is a tenth lower, or three tenths when it was slowed just before, and
 * recovers by the clock.
 *
 * Why: docs/decisions/quota-and-line.md#permits-are-whole-milliseconds-and-the-excess-in-whole-microseconds
 *
 * @throws DependencyUnavailableException
 */
export async function slowDown(
  { operation, perSecond }: Quota,
  dependencies: PermitDependencies,
): Promise<void> {
  const { table, clock } = dependencies;
  const key = permitKey(operation);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const state = await readState(table, key);
    const nowMs = Math.floor(clock.nowMs());
    if (wasSlowedWithin(SLOWING_MS, state, nowMs)) return;
    if ((await writeSlower(table, key, state, perSecond, nowMs)) !== undefined) return;
  }
}

function wasSlowedWithin(ms: number, { slowedAtMs }: PermitState, nowMs: number): boolean {
  return slowedAtMs !== undefined && Math.abs(nowMs - slowedAtMs) < ms;
}

/**
 * What is booked keeps its time. What was saved up is gone: the next call waits its full interval. The conditions are
 * ranges, so that permits which are taken meanwhile neither get lost nor make the write fail.
 */
async function writeSlower(
  table: Table,
  key: ItemKey,
  state: PermitState,
  perSecond: number,
  nowMs: number,
): Promise<PermitState | undefined> {
  const before = paceOf(state, perSecond, nowMs);
  const slowest = perSecond * SLOWEST_SHARE;
  const share = wasSlowedWithin(AGAIN_WITHIN_MS, state, nowMs) ? SLOWED_AGAIN_SHARE : SLOWED_SHARE;
  const slowedToMilli = Math.ceil(1000 * Math.max(slowest, before.ratePerSecond * share));
  const after = paceOf({ slowedToMilli, slowedAtMs: nowMs }, perSecond, nowMs);
  // From here on more is booked than the next full interval.
  const busyFromMs = Math.ceil(nowMs + after.intervalMs + before.burstMs);
  const isBusy = (state.bookedUntilMs ?? 0) >= busyFromMs;
  const slower = 'slowedToMilli = :milli, slowedTo = :whole, slowedAtMs = :now';
  return updateState(table, key, {
    ...(isBusy
      ? {
          UpdateExpression: `SET ${slower}, bookedUntilMs = bookedUntilMs + :change`,
          ConditionExpression: `bookedUntilMs >= :busyFrom AND ${isSamePace(state)}`,
        }
      : {
          UpdateExpression: `SET ${slower}, bookedUntilMs = :booked, earlyMicros = :early`,
          ConditionExpression: `(attribute_not_exists(bookedUntilMs) OR bookedUntilMs < :busyFrom) AND ${isSamePace(state)}`,
        }),
    ExpressionAttributeValues: {
      ':milli': slowedToMilli,
      ':whole': wholeRate(slowedToMilli),
      ':now': nowMs,
      ':busyFrom': busyFromMs,
      ...(isBusy
        ? { ':change': after.burstMs - before.burstMs }
        : wholeMs(nowMs + after.intervalMs + after.burstMs)),
      ':slowedAt': state.slowedAtMs,
    },
  });
}

async function readState(table: Table, key: ItemKey, consistent = true): Promise<PermitState> {
  return permitItemSchema.parse((await readItem(table, key, { consistent })) ?? {});
}

async function updateState(table: Table, key: ItemKey, update: Update): Promise<PermitState | undefined> {
  const item = await updateIf(table, key, update);
  return item === undefined ? undefined : permitItemSchema.parse(item);
}
