/**
 * The account's quota for one operation, as one item that mirrors the service's token bucket (the "generic cell
 * rate algorithm"): `bookedUntilMs` is when the bucket will be full again if nobody calls any more. A permit moves
 * it on by the time that one call is worth, in one conditional write, and the old value says when the call may go
 * out. So permits are spaced, those who wait do not try again and again, and a turn too late is refused by a read.
 *
 * Times are by the clock of whoever writes. Where clocks differ by d, or a write or a call takes d longer than it
 * should, calls come up to d early or late: in any stretch of t seconds no more than quota × (t + 2d) and one burst
 * go out, and in the long run never more than the quota, for each call moves `bookedUntilMs` on by its worth,
 * whoever books it.
 */
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Clock } from '../clock.ts';
import { callDependency } from '../service-fault.ts';
import { isConditionFailure, type Table } from './table.ts';

/** Operations with a quota of their own, as the service counts them. */
export type QuotaOperation =
  | 'CreateStreamSessionAdminShell'
  | 'CreateStreamSessionConnection'
  | 'GetStreamSession'
  | 'ListStreamSessions'
  | 'TerminateStreamSession';

export interface Quota {
  readonly operation: QuotaOperation;
  /** The account's quota for the operation. */
  readonly perSecond: number;
}

export interface PermitRequest extends Quota {
  /** Epoch ms until which the caller waits. */
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

const permitItemSchema = z.object({
  bookedUntilMs: z.number().optional(),
  /** Set by the last throttling: the rate from then on, in calls a second, before recovery. */
  slowedTo: z.number().optional(),
  slowedAtMs: z.number().optional(),
});
/** How far the quota of an operation is spoken for. */
export type PermitState = z.infer<typeof permitItemSchema>;

/**
 * The service's burst is not documented; the stand-in saves one second's worth, and so do we, less what two calls
 * may change their distance by on the way: a call that overtakes another finds no token.
 */
const BURST_MS = 1000;
const ARRIVAL_JITTER_MS = 20;
/** While somebody else uses the account too, its saved tokens are not ours to count on. */
const SLOWED_BURST_SHARE = 0.25;
/** One throttled call lowers the rate by a tenth, all that come within the same second count as one. */
const SLOWED_SHARE = 0.9;
const SLOWING_MS = 1000;
/** Never so slow that a quota that is free again stays unused for long. */
const SLOWEST_SHARE = 0.1;
/** A hundredth of the quota each second: back from a tenth in ten seconds. */
const RECOVERY_SHARE_PER_SECOND = 0.01;
/** Of the quota, what calls of low priority may take together. */
export const LOW_PRIORITY_SHARE = 0.75;
/** Lost only against somebody who moved the item between our read and our write; each of these moves it on. */
const MAX_TRIES = 20;

export interface Pace {
  readonly ratePerSecond: number;
  /** What one call is worth, in ms. */
  readonly intervalMs: number;
  /** How far ahead of the even spacing calls may run. */
  readonly burstMs: number;
}

/** The present pace: the quota's, or less after a throttling, recovering by the clock. */
export function paceOf({ slowedTo, slowedAtMs }: PermitState, perSecond: number, nowMs: number): Pace {
  const slowForMs = Math.max(0, nowMs - (slowedAtMs ?? nowMs));
  const recovered = (slowedTo ?? perSecond) + (perSecond * RECOVERY_SHARE_PER_SECOND * slowForMs) / 1000;
  const ratePerSecond = Math.min(perSecond, recovered);
  const intervalMs = 1000 / ratePerSecond;
  const share = ratePerSecond < perSecond ? SLOWED_BURST_SHARE : 1;
  const burstMs = Math.max(0, share * BURST_MS - intervalMs - ARRIVAL_JITTER_MS);
  return { ratePerSecond, intervalMs, burstMs };
}

/**
 * When the next permit is free, in epoch ms. In the past where permits were saved up: one for each `intervalMs`,
 * and one more.
 */
export function nextPermitMs({ bookedUntilMs = 0 }: PermitState, { burstMs }: Pace, nowMs: number): number {
  return Math.max(bookedUntilMs, nowMs) - burstMs;
}

/** @throws DependencyUnavailableException */
export async function readPermits(
  table: Table,
  operation: QuotaOperation,
  options: { readonly consistent?: boolean } = {},
): Promise<PermitState> {
  return readItem(table, permitKey(operation), options.consistent ?? false);
}

/**
 * Takes one call's share of the account's quota and waits until the call may go out. A caller who dies while
 * waiting loses that one call's share, nothing else.
 *
 * @returns whether there is a permit; if not, none was free by `latestMs`, which is known at once.
 * @throws DependencyUnavailableException
 */
export async function takePermit(request: PermitRequest, dependencies: PermitDependencies): Promise<boolean> {
  const { operation, perSecond, latestMs, priority, onBooked = () => {} } = request;
  if (priority === 'LOW') {
    // A line of its own at a part of the rate: what is left of the quota is there for everybody else.
    const share = perSecond * LOW_PRIORITY_SHARE;
    if (!(await book(permitKey(operation, '#low'), share, latestMs, () => {}, dependencies))) return false;
  }
  return book(permitKey(operation), perSecond, latestMs, onBooked, dependencies);
}

async function book(
  key: PermitKey,
  perSecond: number,
  latestMs: number,
  onBooked: () => void,
  { table, clock }: PermitDependencies,
): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const state = await readItem(table, key, true);
    const nowMs = clock.nowMs();
    const pace = paceOf(state, perSecond, nowMs);
    if (nextPermitMs(state, pace, nowMs) > latestMs) return false;
    const bookedMs = await moveOn(table, key, state, pace, nowMs, latestMs);
    if (bookedMs === undefined) continue;
    onBooked();
    const waitMs = bookedMs - pace.intervalMs - pace.burstMs - clock.nowMs();
    if (waitMs > 0) await clock.sleep(waitMs);
    return true;
  }
  return false;
}

/** @returns `bookedUntilMs` after the write; undefined when the item is no longer as it was read. */
async function moveOn(
  table: Table,
  key: PermitKey,
  { bookedUntilMs = 0, slowedAtMs }: PermitState,
  { intervalMs, burstMs }: Pace,
  nowMs: number,
  latestMs: number,
): Promise<number | undefined> {
  const isIdle = bookedUntilMs < nowMs;
  // `bookedUntilMs` means another time by another pace: by the one before a throttling, the call would come too early.
  const isSamePace = slowedAtMs === undefined ? 'attribute_not_exists(slowedAtMs)' : 'slowedAtMs = :slowedAt';
  const attributes = await updateItem(table, key, {
    ...(isIdle
      ? {
          UpdateExpression: 'SET bookedUntilMs = :next',
          ConditionExpression: `(attribute_not_exists(bookedUntilMs) OR bookedUntilMs < :now) AND ${isSamePace}`,
        }
      : {
          UpdateExpression: 'SET bookedUntilMs = bookedUntilMs + :interval',
          ConditionExpression: `bookedUntilMs >= :now AND bookedUntilMs <= :last AND ${isSamePace}`,
        }),
    ExpressionAttributeValues: {
      ':now': nowMs,
      ...(isIdle
        ? { ':next': nowMs + intervalMs }
        : { ':interval': intervalMs, ':last': latestMs + burstMs }),
      ':slowedAt': slowedAtMs,
    },
  });
  return attributes?.bookedUntilMs;
}

/**
 * Slows everybody down: the service has just said that the account's quota is used up, by callers who do not ask
 * here. What was saved up is forgotten, and the rate is a tenth lower and recovers by the clock.
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
    const state = await readItem(table, key, true);
    const nowMs = clock.nowMs();
    if (state.slowedAtMs !== undefined && nowMs - state.slowedAtMs < SLOWING_MS) return;
    const before = paceOf(state, perSecond, nowMs);
    const slowedTo = Math.max(perSecond * SLOWEST_SHARE, before.ratePerSecond * SLOWED_SHARE);
    const after = paceOf({ slowedTo, slowedAtMs: nowMs }, perSecond, nowMs);
    // What is booked keeps its time; what was saved up is gone, and the next call waits its full interval.
    const nextMs = Math.max(nextPermitMs(state, before, nowMs), nowMs + after.intervalMs);
    const seen = state.bookedUntilMs;
    const slowed = await updateItem(table, key, {
      UpdateExpression: 'SET slowedTo = :slowedTo, slowedAtMs = :now, bookedUntilMs = :booked',
      // A permit that was booked meanwhile must not be forgotten.
      ConditionExpression:
        seen === undefined ? 'attribute_not_exists(bookedUntilMs)' : 'bookedUntilMs = :seen',
      ExpressionAttributeValues: {
        ':slowedTo': slowedTo,
        ':now': nowMs,
        ':booked': nextMs + after.burstMs,
        ':seen': seen,
      },
    });
    if (slowed !== undefined) return;
  }
}

type PermitKey = ReturnType<typeof permitKey>;

function permitKey(operation: QuotaOperation, lane: '' | '#low' = '') {
  return { pk: `permit#${operation}${lane}`, sk: 'permit' };
}

async function readItem(table: Table, key: PermitKey, consistent: boolean): Promise<PermitState> {
  const { Item } = await callDependency(() =>
    table.documents.send(new GetCommand({ TableName: table.name, Key: key, ConsistentRead: consistent })),
  );
  return permitItemSchema.parse(Item ?? {});
}

async function updateItem(
  table: Table,
  key: PermitKey,
  update: Pick<
    ConstructorParameters<typeof UpdateCommand>[0],
    'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'
  >,
): Promise<PermitState | undefined> {
  try {
    const { Attributes } = await callDependency(
      () =>
        table.documents.send(
          new UpdateCommand({ TableName: table.name, Key: key, ReturnValues: 'ALL_NEW', ...update }),
        ),
      ['ConditionalCheckFailedException'],
    );
    return permitItemSchema.parse(Attributes);
  } catch (error) {
    if (isConditionFailure(error)) return undefined;
    throw error;
  }
}
