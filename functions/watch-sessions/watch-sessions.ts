import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { defineFunction } from '../shared/runtime/definition.ts';
import { InternalServerException } from '../shared/runtime/errors.ts';
import { eventHandler } from '../shared/runtime/event.ts';
import { queueBatchOf } from '../shared/runtime/queue-batch.ts';
import { callDependency } from '../shared/runtime/service-fault.ts';
import { isIds, OPENING_SETTINGS } from '../shared/runtime/settings.ts';
import { measureSwitch, readSwitchItem } from '../shared/runtime/switch.ts';
import { parseJson } from '../shared/runtime/text.ts';
import {
  type Listing,
  type ListSessionsDependencies,
  listSessions,
} from '../shared/service/list-sessions.ts';
import { listOpenWindows } from '../shared/window/read-windows.ts';
import { MAX_LISTED, rememberGroup } from '../shared/window/waiting-sessions.ts';
import { needsAllLists } from './judge-window.ts';
import {
  type LearnTimeoutsDependencies,
  type LookedAt,
  learnTimeouts,
  noTimeouts,
} from './learn-timeouts.ts';
import { type Marked, markWaiting } from './mark-waiting.ts';
import { type NoticeDependencies, noticeDisconnects, type Reported } from './notice-disconnects.ts';
import { type ReconcileDependencies, reconcileWindows, type WindowMemory } from './reconcile-windows.ts';
import { type StreamGroupsDependencies, streamGroupsToWatch } from './stream-groups.ts';
import { noServiceWaits } from './wake-service-waits.ts';

export type WatchSessionsDependencies = LookDependencies &
  LearnTimeoutsDependencies &
  StreamGroupsDependencies;

/** EventBridge's shortest schedule. */
const MINUTE_MS = 60_000;

/** Amazon SQS Developer Guide, SendMessageBatch: at most 10 entries. */
const MAX_ENTRIES = 10;

/** What the watcher is invoked for: to order the looks of a minute, or to make one of them. */
export type WatcherInput = { readonly orderedAtMs: number } | 'MINUTE';

const lookSchema = z.object({ orderedAtMs: z.int().min(0) });

/** Makes a batch of the queue one look, the latest: looks that were held up together find no more than one. */
export function parseWatcherInput(payload: unknown, nowMs: number): WatcherInput {
  const batch = queueBatchOf(payload);
  if (batch === undefined) return 'MINUTE';
  const orders = batch.Records.map(
    ({ body }) => lookSchema.safeParse(parseJson(body)).data?.orderedAtMs ?? 0,
  );
  return { orderedAtMs: Math.max(...orders) || nowMs };
}

/**
 * Orders the looks of a minute: one message each, which SQS holds back until the look is due.
 *
 * Why: docs/decisions/watcher.md#each-look-is-an-invocation-of-its-own
 *
 * @throws DependencyUnavailableException, and InternalServerException when SQS took only a part of them. Lambda then counts the
 *   invocation as failed, and the next minute orders its own.
 */
export async function orderLooks({
  sqs,
  clock,
  log,
  settings,
}: Pick<WatchSessionsDependencies, 'clock' | 'log'> & {
  readonly sqs: SQSClient;
  readonly settings: Pick<
    WatchSessionsDependencies['settings'],
    'WATCHED_STREAM_GROUPS' | 'WATCH_INTERVAL_SECONDS'
  > & {
    readonly QUEUE_URL: string;
  };
}): Promise<void> {
  const { WATCHED_STREAM_GROUPS: selection, WATCH_INTERVAL_SECONDS: interval, QUEUE_URL } = settings;
  if (isIds(selection) && selection.length === 0) {
    log.warn('WatcherIsOff');
    return;
  }
  const MessageBody = JSON.stringify({ orderedAtMs: clock.nowMs() });
  const looks = Array.from({ length: Math.ceil(MINUTE_MS / 1000 / interval) }, (_, index) => ({
    Id: String(index),
    MessageBody,
    DelaySeconds: index * interval,
  }));
  let taken = 0;
  for (let first = 0; first < looks.length; first += MAX_ENTRIES) {
    const Entries = looks.slice(first, first + MAX_ENTRIES);
    const { Successful = [] } = await callDependency(() =>
      sqs.send(new SendMessageBatchCommand({ QueueUrl: QUEUE_URL, Entries })),
    );
    taken += Successful.length;
  }
  if (taken < looks.length) throw new InternalServerException();
}

/** What one execution environment remembers of the minute. Another one that knows nothing of it does no harm. */
export interface Watch {
  readonly orderedAtMs: number;
  readonly memory: Memory;
  readonly groupsToWatch: ReturnType<typeof streamGroupsToWatch>;
  readonly timeouts: ReturnType<typeof noTimeouts>;
  isSwitchMeasured: boolean;
}

export function newWatch(orderedAtMs: number, settings: WatchSessionsDependencies['settings']): Watch {
  return {
    orderedAtMs,
    memory: {
      reported: new Map(),
      unheard: new Map(),
      marked: new Set(),
      knownGroups: new Set(),
      serviceWaits: noServiceWaits(),
    },
    groupsToWatch: streamGroupsToWatch(settings, orderedAtMs + MINUTE_MS),
    timeouts: noTimeouts(),
    isSwitchMeasured: false,
  };
}

/**
 * Returns the watch that a look is a part of: a new one for the first look of a minute, else the current one.
 *
 * A look that comes back late, after its invocation died, does not make the others forget. A watch from the future is dropped:
 * it was ordered by a clock that was ahead, and would otherwise last until the right clocks have caught up with it.
 */
export function watchOf(
  current: Watch | undefined,
  orderedAtMs: number,
  nowMs: number,
  settings: WatchSessionsDependencies['settings'],
): Watch {
  const isCurrent =
    current !== undefined && orderedAtMs <= current.orderedAtMs && current.orderedAtMs <= nowMs + MINUTE_MS;
  return isCurrent ? current : newWatch(orderedAtMs, settings);
}

/**
 * Looks once at every watched stream group. What fails costs this look alone: the next one finds what it has missed. Where the
 * stream groups are not named by id, the watcher finds them between its looks.
 */
export async function watchSessions(watch: Watch, dependencies: WatchSessionsDependencies): Promise<void> {
  const { clock, log, metrics, settings } = dependencies;
  const startMs = clock.nowMs();
  const measured = watch.isSwitchMeasured ? undefined : measureOnce(watch, dependencies);
  const lookedAt: LookedAt[] = [];
  for (const streamGroupId of await watch.groupsToWatch(dependencies)) {
    const ofGroup = log.with({ streamGroupId });
    try {
      lookedAt.push(...(await look(streamGroupId, watch.memory, { ...dependencies, log: ofGroup })));
    } catch (error) {
      ofGroup.error('LookFailed', error);
      metrics.add('WatcherLooksFailed', 1);
    }
  }
  await learnTimeouts(
    lookedAt,
    watch.timeouts,
    startMs + settings.WATCH_INTERVAL_SECONDS * 1000,
    dependencies,
  ).catch((error: unknown) => log.error('TimeoutNotLearned', error));
  await measured;
}

/** Once a minute, for the alarm on a forgotten switch. The watcher looks in every state of the switch. */
async function measureOnce(
  watch: Watch,
  { table, clock, log, metrics }: WatchSessionsDependencies,
): Promise<void> {
  watch.isSwitchMeasured = true;
  try {
    measureSwitch(await readSwitchItem(table), clock.nowMs(), metrics);
  } catch (error) {
    log.error('SwitchUnreadable', error);
  }
}

export type LookDependencies = ListSessionsDependencies & NoticeDependencies & ReconcileDependencies;

/** What one watcher remembers between its looks. Another one that knows nothing of it does no harm. */
export interface Memory extends WindowMemory {
  readonly reported: Reported;
  readonly marked: Marked;
  /** The stream groups that this watcher has made known. */
  readonly knownGroups: Set<string>;
}

const NOT_LISTED: Listing = { sessions: new Map(), complete: false };

/**
 * One look at a stream group: reports the disconnects that have no window, and gives the open windows what they
 * need. The windows are read before the lists, so that a session which is not where its window expects it has
 * really moved, whatever the clocks say.
 *
 * @returns the open windows, as they were before the look.
 * @throws DependencyUnavailableException; whatever it has not done by then, the next look does.
 */
export async function look(
  streamGroupId: string,
  { reported, marked, knownGroups, ...ofWindows }: Memory,
  dependencies: LookDependencies,
): Promise<LookedAt[]> {
  const { table, clock, metrics } = dependencies;
  const windows = await listOpenWindows(table, streamGroupId);
  const open = new Set(windows.map(({ session }) => session.streamSessionId));
  const list = (status: 'RECONNECTING' | 'ACTIVE') => listSessions(streamGroupId, status, dependencies);
  let lagMs = 0;
  const PENDING_CLIENT_RECONNECTION = await listSessions(
    streamGroupId,
    'PENDING_CLIENT_RECONNECTION',
    dependencies,
    async (page) => {
      const noticed = await noticeDisconnects(page, open, reported, dependencies);
      lagMs = Math.max(lagMs, noticed.lagMs);
    },
  );
  if (lagMs > 0) metrics.add('WatcherLag', lagMs);
  // A look that has not seen every waiting session may have missed the one that matters.
  metrics.add(PENDING_CLIENT_RECONNECTION.complete ? 'WatcherLooks' : 'WatcherLooksFailed', 1);
  if (PENDING_CLIENT_RECONNECTION.complete) {
    await keepWaiting(streamGroupId, PENDING_CLIENT_RECONNECTION.sessions.size, knownGroups, dependencies);
  }
  // In the order in which sessions move on, so that one that moves between two lists is in both, not in neither.
  const all = windows.some((window) => needsAllLists(window, PENDING_CLIENT_RECONNECTION, clock.nowMs()));
  const RECONNECTING = all ? await list('RECONNECTING') : NOT_LISTED;
  const ACTIVE = all ? await list('ACTIVE') : NOT_LISTED;
  const listings = { PENDING_CLIENT_RECONNECTION, RECONNECTING, ACTIVE };
  await reconcileWindows(windows, listings, ofWindows, dependencies);
  await markWaiting(windows, listings, marked, dependencies);
  return windows.map((window) => ({
    window,
    isPending: PENDING_CLIENT_RECONNECTION.sessions.has(window.session.streamSessionId),
  }));
}

/**
 * Tells requests that the service has the stream group, once a minute, and how many sessions it waits for while they are
 * more than requests can list. What fails here does not cost the look.
 */
async function keepWaiting(
  streamGroupId: string,
  waiting: number,
  knownGroups: Set<string>,
  { table, clock, log }: LookDependencies,
): Promise<void> {
  const isMany = waiting > MAX_LISTED;
  if (knownGroups.has(streamGroupId) && !isMany) return;
  try {
    await rememberGroup(table, streamGroupId, clock.nowMs(), isMany ? waiting : undefined);
    knownGroups.add(streamGroupId);
  } catch (error) {
    log.error('GroupNotKept', error);
  }
}

const needs = {
  settings: [
    ...OPENING_SETTINGS,
    'LISTS_PER_SECOND',
    'QUEUE_URL',
    'READS_PER_SECOND',
    'STREAM_GROUP_CALLS_PER_SECOND',
    'WATCHED_STREAM_GROUPS',
    'WATCH_INTERVAL_SECONDS',
  ],
  clients: ['eventBridge', 'gameLiftStreams', 'sqs', 'stepFunctions'],
} as const;

/** Invoked by the schedule once a minute, and by the queue for each look. */
export const watchSessionsFunction = defineFunction(needs, (dependencies) => {
  let watch: Watch | undefined;
  return eventHandler(
    {
      parse: (payload) => parseWatcherInput(payload, dependencies.clock.nowMs()),
      idsOf: () => ({}),
      decide: async (input: WatcherInput, given) => {
        if (input === 'MINUTE') return orderLooks(given);
        watch = watchOf(watch, input.orderedAtMs, given.clock.nowMs(), given.settings);
        return watchSessions(watch, given);
      },
    },
    dependencies,
  );
});
