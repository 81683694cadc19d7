import type { GetStreamSessionOutput } from '@aws-sdk/client-gameliftstreams';
import * as z from 'zod';
import { applicationArnSchema, locationSchema, toStatusReason } from '../contracts/fields.ts';
import type { SessionKey } from '../contracts/index.ts';
import type { QuotaSettings } from '../contracts/quotas.ts';
import { STREAM_GROUPS_KEY, TAG_MATCHES_KEY } from '../contracts/table-keys.ts';
import type { PermitRequest } from '../quota/permits.ts';
import { readItem, type Table, wholeNumberSchema } from '../runtime/table.ts';
import { sha256Hex } from '../runtime/text.ts';
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
  return read.ok ? stateOf(read.reply, asOfMs) : unknownSession(asOfMs, 'NOT_FOUND');
}

/** What is known of a session that the service cannot be asked about, or does not know. */
export function unknownSession(asOfMs: number, status: 'NOT_FOUND' | 'TERMINATED'): SessionState {
  return { ...stateOf({}, asOfMs), status };
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

/** The watcher lists the stream groups once a minute. A list this old says nothing about now. */
const LIST_COUNTS_MS = 10 * 60_000;
/** Of so many stream groups at most the item of `TAG_MATCHES_KEY` tells. */
export const MAX_KNOWN_GROUPS = 10_000;
const listedSchema = z.object({
  selection: z.string(),
  foundAtMs: wholeNumberSchema,
  // The release before kept the tags here, and only of the stream groups whose tags it had read.
  tagMatches: z.literal('').optional(),
});

/**
 * The stream groups of the account, where they are chosen by a tag: nine characters for each, eight of its id's hash and how it
 * matches. The watcher writes it.
 */
export const tagMatchesSchema = z.object({ selection: z.string(), matches: z.string() });

/** Returns the stream groups' names in `matches`, each with how it matches. */
export function namesInMatches(matches: string): ReadonlyMap<string, string> {
  return new Map((matches.match(/.{9}/g) ?? []).map((one) => [one.slice(0, 8), one.slice(8)]));
}

/**
 * Returns what stands for a stream group in `matches`. Eight characters, six bytes: among 10,000 stream groups two share one once in
 * five million accounts.
 */
export function streamGroupNameOf(streamGroupId: string): string {
  return Buffer.from(sha256Hex(streamGroupId).slice(0, 12), 'hex').toString('base64url');
}

/**
 * Whether the account has lost the stream group, as the watcher's latest whole list shows. Roles with a tag need to know: IAM
 * denies a call for a stream group that does not exist, just as one for a group without the tag.
 *
 * @param sinceMs when the group was last known to be there. Only a list that began later counts.
 * @returns false where the stream groups are not chosen by a tag, or nobody lists them.
 * @throws DependencyUnavailableException
 */
export async function isStreamGroupGone(
  table: Table,
  streamGroupId: string,
  sinceMs: number,
  nowMs: number,
): Promise<boolean> {
  const listed = listedSchema.safeParse(await readItem(table, STREAM_GROUPS_KEY));
  if (!listed.success) return false;
  const { foundAtMs, selection } = listed.data;
  if (foundAtMs <= sinceMs || foundAtMs < nowMs - LIST_COUNTS_MS) return false;
  const item = tagMatchesSchema.safeParse(await readItem(table, TAG_MATCHES_KEY));
  if (!item.success || item.data.selection !== selection) return false;
  const names = namesInMatches(item.data.matches);
  return names.size < MAX_KNOWN_GROUPS && !names.has(streamGroupNameOf(streamGroupId));
}
