import type { GetStreamSessionOutput } from '@aws-sdk/client-gameliftstreams';
import type { z } from 'zod';
import { applicationArnSchema, locationSchema, toStatusReason } from '../contracts/fields.ts';
import type { SessionKey } from '../contracts/index.ts';
import type { QuotaSettings } from '../contracts/quotas.ts';
import type { PermitRequest } from '../quota/permits.ts';
import { callService, type ServiceDependencies } from './call-service.ts';
import { getStreamSession } from './operations.ts';

export interface ReadSessionDependencies extends ServiceDependencies {
  readonly settings: QuotaSettings<'GetStreamSession'>;
}

/** What may leave the read: GetStreamSession also returns the offer, the answer and environment variables. */
export interface SessionState {
  /** As the service says it, so possibly one that this code does not know; NOT_FOUND for a 404. */
  readonly status: string;
  /** In the form of `statusReasonSchema`, whatever the service gave; null when it gave none. */
  readonly statusReason: string | null;
  /** The nearest the API has to "in this status since"; what exactly it tracks is not documented. */
  readonly lastUpdatedAtMs: number | null;
  readonly connectionTimeoutSeconds: number | null;
  readonly createdAtMs: number | null;
  /** Start plus SessionLengthSeconds. */
  readonly sessionEndsAtMs: number | null;
  /** Both null when the service gave none, or one in another form than theirs. */
  readonly applicationArn: string | null;
  readonly location: string | null;
  /** When the read went out: what it tells is as of then or later. */
  readonly asOfMs: number;
}

const WAITING_STATUSES: ReadonlySet<string> = new Set([
  'PENDING_CLIENT_RECONNECTION',
  'RECONNECTING',
  'ACTIVE',
]);

/** Whether the service keeps the session for a client that is not there. ACTIVE has its answer, and has not used it. */
export function isWaitingForClient({ status }: Pick<SessionState, 'status'>): boolean {
  return WAITING_STATUSES.has(status);
}

/**
 * One GetStreamSession, under the account's read quota. A 400 is taken for a 404: the identifiers were checked
 * before, so the service is saying that it has no such session.
 *
 * Why: docs/decisions/quota-and-line.md#a-read-that-no-permit-allows-is-retried-by-the-machine-not-booked-ahead
 *
 * @param deadlineMs epoch ms by which the reply must be here.
 * @param priority LOW when nobody waits for the reply: the read leaves a part of the quota to those who do. SPARE when
 *   nobody needs it either: the read is made only while permits lie idle.
 * @param permitByMs epoch ms by which a permit must be free; in the past, for how long one must have been.
 * @throws what `callService` throws.
 */
export async function readSession(
  session: SessionKey,
  dependencies: ReadSessionDependencies,
  deadlineMs?: number,
  priority?: PermitRequest['priority'] | 'SPARE',
  permitByMs?: number,
): Promise<SessionState> {
  let asOfMs = dependencies.clock.nowMs();
  const call = getStreamSession(session);
  const send: typeof call.send = (client, abortSignal) => {
    asOfMs = dependencies.clock.nowMs();
    return call.send(client, abortSignal);
  };
  const read = await callService(
    { ...call, send },
    {
      priority: priority === 'SPARE' ? 'LOW' : priority,
      onlyIfSpare: priority === 'SPARE',
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(permitByMs === undefined ? {} : { permitByMs }),
    },
    dependencies,
  );
  return read.ok ? stateOf(read.reply, asOfMs) : { ...stateOf({}, asOfMs), status: 'NOT_FOUND' };
}

function stateOf(session: GetStreamSessionOutput, asOfMs: number): SessionState {
  const { CreatedAt: createdAt, SessionLengthSeconds: lengthSeconds } = session;
  return {
    // The SDK checks no type: a reply is what the network brought.
    status: typeof session.Status === 'string' ? session.Status : 'NONE',
    statusReason: toStatusReason(session.StatusReason),
    lastUpdatedAtMs: session.LastUpdatedAt?.getTime() ?? null,
    connectionTimeoutSeconds: session.ConnectionTimeoutSeconds ?? null,
    createdAtMs: createdAt?.getTime() ?? null,
    sessionEndsAtMs:
      createdAt === undefined || lengthSeconds === undefined
        ? null
        : createdAt.getTime() + lengthSeconds * 1000,
    applicationArn: inForm(applicationArnSchema, session.ApplicationArn),
    location: inForm(locationSchema, session.Location),
    asOfMs,
  };
}

function inForm(schema: z.ZodType<string>, value: unknown): string | null {
  return schema.safeParse(value).data ?? null;
}
