import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { callDependency } from '../service-fault.ts';
import { epochSeconds, isConditionFailure, type Table } from './table.ts';

/** Operations with a quota of their own, as the service counts them. */
export type QuotaOperation =
  | 'CreateStreamSessionAdminShell'
  | 'CreateStreamSessionConnection'
  | 'GetStreamSession'
  | 'TerminateStreamSession';

export interface PermitRequest {
  readonly operation: QuotaOperation;
  readonly perSecond: number;
  /** Epoch ms until which the caller waits. */
  readonly latestMs: number;
}

export interface PermitDependencies {
  readonly table: Table;
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
}

/** Kept an hour, for whoever wants to see how full the seconds were. */
const PERMIT_RETENTION_SECONDS = 3600;

/**
 * Takes one call's share of the account's quota: a counter for each second and operation, raised under the
 * condition that it is below the quota. A full second is waited out; the next one is entered at a random point
 * of its first half, so that those who wait do not write all at once. It is entered no sooner than one call's
 * share of a second after the full one was met: with one call a second, a call at 0.9 and another at 1.0 are two
 * seconds' permits, and the service would still refuse the second call.
 *
 * @returns whether there is a permit; if not, nothing was taken.
 * @throws DependencyUnavailableException
 */
export async function takePermit(
  { operation, perSecond, latestMs }: PermitRequest,
  { table, clock, random }: PermitDependencies,
): Promise<boolean> {
  for (;;) {
    const nowMs = clock.nowMs();
    const second = Math.floor(nowMs / 1000);
    if (await takeOfSecond(table, operation, second, perSecond)) return true;
    const nextTryMs = Math.max((second + 1) * 1000, nowMs + 1000 / perSecond) + random() * 500;
    if (nextTryMs > latestMs) return false;
    await clock.sleep(nextTryMs - clock.nowMs());
  }
}

async function takeOfSecond(
  table: Table,
  operation: QuotaOperation,
  second: number,
  perSecond: number,
): Promise<boolean> {
  try {
    await callDependency(
      () =>
        table.documents.send(
          new UpdateCommand({
            TableName: table.name,
            Key: permitKey(operation, second),
            UpdateExpression: 'ADD used :one SET expiresAt = :expiresAt',
            ConditionExpression: 'attribute_not_exists(used) OR used < :perSecond',
            ExpressionAttributeValues: {
              ':one': 1,
              ':perSecond': perSecond,
              ':expiresAt': second + PERMIT_RETENTION_SECONDS,
            },
          }),
        ),
      ['ConditionalCheckFailedException'],
    );
    return true;
  } catch (error) {
    if (isConditionFailure(error)) return false;
    throw error;
  }
}

/**
 * Ends the present second for everybody: the service has just said that the account's quota is used up, by
 * callers who do not ask here.
 */
export async function fillSecond(
  { operation, perSecond }: Pick<PermitRequest, 'operation' | 'perSecond'>,
  { table, clock }: PermitDependencies,
): Promise<void> {
  const nowMs = clock.nowMs();
  await callDependency(() =>
    table.documents.send(
      new UpdateCommand({
        TableName: table.name,
        Key: permitKey(operation, Math.floor(nowMs / 1000)),
        UpdateExpression: 'SET used = :perSecond, expiresAt = :expiresAt',
        ExpressionAttributeValues: {
          ':perSecond': perSecond,
          ':expiresAt': epochSeconds(nowMs) + PERMIT_RETENTION_SECONDS,
        },
      }),
    ),
  );
}

function permitKey(operation: QuotaOperation, second: number) {
  return { pk: `permit#${operation}#${second}`, sk: 'permit' };
}
