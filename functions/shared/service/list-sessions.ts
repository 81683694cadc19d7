import type { StreamSessionSummary } from '@aws-sdk/client-gameliftstreams';
import { type SessionKey, sessionKeySchema } from '../contracts/index.ts';
import type { QuotaSettings } from '../contracts/quotas.ts';
import {
  InternalServerException,
  PermitNotAvailableException,
  ThrottlingException,
} from '../runtime/errors.ts';
import { type CallTerms, callService, type ServiceDependencies } from './call-service.ts';
import { listStreamSessions } from './operations.ts';

export interface ListSessionsDependencies extends ServiceDependencies {
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly settings: QuotaSettings<'ListStreamSessions'>;
}

/** The statuses in which the service waits for a client. A session goes through them in this order. */
export type WaitingStatus = 'PENDING_CLIENT_RECONNECTION' | 'RECONNECTING' | 'ACTIVE';

export interface ListedSession {
  readonly session: SessionKey;
  /** The nearest the service has to "in this status since". */
  readonly lastUpdatedAtMs: number | undefined;
}

export interface Listing {
  /** By stream session id. */
  readonly sessions: ReadonlyMap<string, ListedSession>;
  /** False when a page is missing: then nobody may conclude anything from a session that is not here. */
  readonly complete: boolean;
}

/** How much a listing may cost. Every member has a default for a caller that needs the whole list. */
export interface ListEffort extends Pick<CallTerms, 'priority' | 'permitByMs'> {
  /** How often a page is asked for before the listing ends. */
  readonly pageTries?: number;
  /** The listing ends after so many pages, and is incomplete if there are more. */
  readonly maxPages?: number;
}

/** The service's maximum. */
export const PAGE_SIZE = 100;
/** A page's failure costs its own repeat, not the pages before it; the next look comes in seconds anyway. */
const PAGE_TRIES = 3;
const PAGE_RETRY_MS = 250;

/**
 * Every session of a stream group in one status: a call for each hundred, and one at least. A failed page ends
 * the listing early; it never fails, for what was listed by then is true.
 *
 * @param onPage gets each page as it comes, so that nobody waits for the last one.
 */
export async function listSessions(
  streamGroupId: string,
  status: WaitingStatus,
  dependencies: ListSessionsDependencies,
  onPage: (sessions: readonly ListedSession[]) => Promise<void> = async () => {},
  effort: ListEffort = {},
): Promise<Listing> {
  const { maxPages = Number.POSITIVE_INFINITY } = effort;
  const sessions = new Map<string, ListedSession>();
  const followed = new Set<string>();
  let complete = true;
  let nextToken: string | undefined;
  for (let pages = 1; ; pages++) {
    const page = await pageOf(streamGroupId, status, nextToken, effort, dependencies);
    if (page === undefined) {
      dependencies.log.warn('ListingIncomplete', { status, sessions: sessions.size });
      return { sessions, complete: false };
    }
    const listed = (page.Items ?? []).flatMap((item) => listedSession(streamGroupId, item) ?? []);
    if (listed.length < (page.Items ?? []).length) complete = false;
    for (const one of listed) sessions.set(one.session.streamSessionId, one);
    await onPage(listed);
    nextToken = page.NextToken;
    if (nextToken === undefined) return { sessions, complete };
    if (pages >= maxPages) return { sessions, complete: false };
    // A page that leads back to an earlier one would be listed for ever.
    if (followed.has(nextToken)) {
      dependencies.log.warn('ListingIncomplete', { status, sessions: sessions.size });
      return { sessions, complete: false };
    }
    followed.add(nextToken);
  }
}

async function pageOf(
  streamGroupId: string,
  status: WaitingStatus,
  nextToken: string | undefined,
  { pageTries = PAGE_TRIES, maxPages: _, ...ofCall }: ListEffort,
  dependencies: ListSessionsDependencies,
) {
  const { clock, random, log } = dependencies;
  for (let tries = 1; ; tries++) {
    try {
      const page = await callService(
        listStreamSessions(streamGroupId, { status, maxResults: PAGE_SIZE, nextToken }),
        ofCall,
        dependencies,
      );
      if (page.ok) return page.reply;
      // The stream group is not there, or not ours to list.
      log.warn('PageFailed', { status, fault: page.fault });
      return undefined;
    } catch (error) {
      log.error('PageFailed', error, { status });
      if (tries === pageTries || !mayWorkNow(error)) return undefined;
      await clock.sleep(PAGE_RETRY_MS * 2 ** tries * (0.5 + random() / 2));
    }
  }
}

function mayWorkNow(error: unknown): boolean {
  return [ThrottlingException, InternalServerException, PermitNotAvailableException].some(
    (retryable) => error instanceof retryable,
  );
}

/** A list names a session by its ARN, whose last part is its id. */
function listedSession(
  streamGroupId: string,
  { Arn: arn = '', LastUpdatedAt: lastUpdatedAt }: StreamSessionSummary,
): ListedSession | undefined {
  const session = sessionKeySchema.safeParse({
    streamGroupId,
    streamSessionId: arn.slice(arn.lastIndexOf('/') + 1),
  });
  return session.success ? { session: session.data, lastUpdatedAtMs: lastUpdatedAt?.getTime() } : undefined;
}
