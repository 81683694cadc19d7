/**
 * Whether the service waits for a client of a session, asked when many requests stand in line: an id can be made up, and
 * a window can be forged, but not the service's own list.
 *
 * Why: docs/decisions/quota-and-line.md#the-services-list-sorts-out-made-up-sessions
 */

import type { SessionKey } from '../contracts/index.ts';
import { type ListSessionsDependencies, listSessions, PAGE_SIZE } from '../service/list-sessions.ts';
import {
  claimList,
  MAX_LISTED,
  readWaitingList,
  type StoredWaitingList,
  waitingNameOf,
  writeWaitingList,
} from '../window/waiting-sessions.ts';

/** What is known of a session and of the others of its stream group. */
export interface Waiting {
  /** Whether the service waits for the session. */
  readonly isListed: boolean;
  /** How many sessions the service waits for. Undefined when there are more than a list has. */
  readonly listed: number | undefined;
  /** Where there are more, how many the watcher has counted within the last half minute. */
  readonly counted?: number | undefined;
}

/** Two lists a second for each page, so that a list is never more than a tenth of the usual quota. */
const PAUSE_FOR_PAGE_MS = 500;
/** How long a request waits for a list that was begun after it came: the pause, the list and the looks at it. */
const LONGEST_WAIT_MS = 1500;
const LOOK_AGAIN_MS = 150;
/** Thousands may find at once that a list is due. They claim it spread out, so that all but a few see the first claim. */
const CLAIM_WITHIN_MS = 100;
/** A page has its permit soon, or the list is not worth waiting for. */
const LIST_WITHIN_MS = 2000;
/** An older list says nothing about who waits now. */
const OLDEST_MS = 10_000;
/** All groups together that the service is not known to have are listed twice a second: an id of a group can be made up, too. */
const PAUSE_FOR_UNKNOWN_MS = 500;

/**
 * Finds a session in the service's list of waiting sessions, which all requests share. If the list is older than the request,
 * the request waits up to 1.5 s for a newer one, or lists by itself when no other request does. While more sessions wait than
 * one page has, it does not wait: that is a storm, and thousands of requests would be idle.
 *
 * It never throws: after any failure the session counts as not listed.
 */
export async function findWaiting(
  { streamGroupId, streamSessionId }: SessionKey,
  dependencies: ListSessionsDependencies,
): Promise<Waiting> {
  const { table, clock, random, log } = dependencies;
  const startedAtMs = clock.nowMs();
  const name = waitingNameOf(streamSessionId);
  try {
    for (let hasPaused = false; ; ) {
      const nowMs = Math.floor(clock.nowMs());
      const seen = await readWaitingList(table, streamGroupId, nowMs);
      const isFresh = nowMs - seen.listedAtMs < OLDEST_MS;
      if (isFresh && (seen.names.has(name) || seen.listedAtMs >= startedAtMs)) return waitingIn(seen, name);
      const due = seen.isKnown ? seen : await readWaitingList(table, undefined, nowMs);
      if (nowMs >= due.nextAtMs) {
        if (!hasPaused) {
          hasPaused = true;
          await clock.sleep(random() * CLAIM_WITHIN_MS);
          continue;
        }
        const isClaimed = seen.isKnown
          ? await claimList(table, streamGroupId, nowMs, LIST_WITHIN_MS)
          : await claimList(table, undefined, nowMs, PAUSE_FOR_UNKNOWN_MS);
        if (isClaimed) {
          return waitingIn(await list(streamGroupId, nowMs, seen, dependencies), name);
        }
      }
      const isWorthWaiting = isFresh && seen.isComplete && seen.names.size <= PAGE_SIZE;
      if (!isWorthWaiting || nowMs >= startedAtMs + LONGEST_WAIT_MS) return waitingIn(seen, name);
      await clock.sleep(LOOK_AGAIN_MS);
    }
  } catch (error) {
    log.error('WaitingNotListed', error);
    return { isListed: false, listed: undefined };
  }
}

async function list(
  streamGroupId: string,
  nowMs: number,
  seen: StoredWaitingList,
  dependencies: ListSessionsDependencies,
): Promise<StoredWaitingList> {
  const { sessions, complete } = await listSessions(
    streamGroupId,
    'PENDING_CLIENT_RECONNECTION',
    dependencies,
    undefined,
    // The watcher needs its lists more.
    {
      priority: 'LOW',
      permitByMs: nowMs + LIST_WITHIN_MS / 2,
      pageTries: 1,
      maxPages: MAX_LISTED / PAGE_SIZE,
    },
  );
  // A list that failed says nothing, and what the list before it said stays true for a while.
  if (!complete && sessions.size === 0) return seen;
  const names = new Set([...sessions.keys()].map(waitingNameOf));
  const pages = Math.max(1, Math.ceil(sessions.size / PAGE_SIZE));
  const waiting = {
    listedAtMs: nowMs,
    names,
    isComplete: complete,
    nextAtMs: nowMs + pages * PAUSE_FOR_PAGE_MS,
  };
  await writeWaitingList(dependencies.table, streamGroupId, waiting);
  return { ...seen, ...waiting };
}

function waitingIn({ names, isComplete, counted }: StoredWaitingList, name: string): Waiting {
  const isListed = names.has(name);
  return isComplete ? { isListed, listed: names.size } : { isListed, listed: undefined, counted };
}
