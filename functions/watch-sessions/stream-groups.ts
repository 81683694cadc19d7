import type { ListTagsForResourceCommandOutput, StreamGroupSummary } from '@aws-sdk/client-gameliftstreams';
import * as z from 'zod';
import { resourceIdSchema } from '../shared/contracts/fields.ts';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import { STREAM_GROUPS_KEY, TAG_MATCHES_KEY } from '../shared/contracts/table-keys.ts';
import {
  InternalServerException,
  PermitNotAvailableException,
  ThrottlingException,
} from '../shared/runtime/errors.ts';
import { isIds, type StreamGroupSelection } from '../shared/runtime/settings.ts';
import { putIf, readItem, type Table, updateIf, wholeNumberSchema } from '../shared/runtime/table.ts';
import { callService, type ServiceDependencies } from '../shared/service/call-service.ts';
import { listStreamGroups, listTagsForResource, type ServiceCall } from '../shared/service/operations.ts';
import {
  MAX_KNOWN_GROUPS,
  namesInMatches,
  streamGroupNameOf,
  tagMatchesSchema,
} from '../shared/service/read-session.ts';
import { listOpenWindows } from '../shared/window/read-windows.ts';

type Operation = 'ListStreamGroups' | 'ListTagsForResource';

export interface StreamGroupsDependencies extends ServiceDependencies {
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly settings: QuotaSettings<Operation> & {
    readonly WATCHED_STREAM_GROUPS: StreamGroupSelection;
    readonly WATCH_INTERVAL_SECONDS: number;
    readonly LISTS_PER_SECOND: number;
  };
}

/** The stream groups are listed once in each period of this length, by one of the watchers. */
const LIST_EVERY_MS = 60_000;
/** A list that begins later would be cut off by the end of the invocation; the next one begins it. */
const LEAST_TIME_MS = 30_000;
/** Of each interval the list may take this share, and no more than this: the looks wait meanwhile. */
const LIST_SHARE = 0.4;
const LONGEST_LIST_MS = 2000;
/** The service's maximum for MaxResults, and more pages than 10,000 stream groups have. */
const PAGE_SIZE = 100;
const MAX_PAGES = 200;
const MAX_TRIES = 3;
/** So many stream groups may fail for a defect of their own. More than that is the service's, and the list ends. */
const MAX_SKIPPED = 3;
/** What the item holds at most; `ITEM_BOUNDS` counts with it. */
const MAX_WATCHED = 500;
/** How many stream groups' tags are read again for each list, because tags change: all where there are no more. */
const TAGS_READ_AGAIN = 60;
/** How many of the stream groups that are left out are looked at, for each list, for windows that a feed has opened. */
const MAX_SAMPLED = 10;
const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** In one hour of so many the metrics that hardly change are written; the alarm `stream-group-expiring` looks at as many. */
const TOLD_EVERY_HOURS = 6;

/** ACTIVE, and the two in which some locations have errors or change while the others host sessions. */
const HOSTING: ReadonlySet<string> = new Set(['ACTIVE', 'ACTIVE_WITH_ERRORS', 'UPDATING_LOCATIONS']);
/** No new sessions; those that are left may still have windows. */
const ENDING: ReadonlySet<string> = new Set(['DELETING', 'EXPIRED', 'ERROR']);

/** A group has the chosen tag, the key of it with another value, or neither; one letter each in the item. */
type TagMatch = 'm' | 'o' | 'n';
/** In the item, of a group that is there and whose tags have not been read. */
const NOT_READ = 'u';

const itemSchema = z.object({
  /** What the rest was found by: after another deployment it counts no longer. */
  selection: z.string().default(''),
  listedAtMs: wholeNumberSchema.default(0),
  /** `listedAtMs` of the last list that came to its end. */
  foundAtMs: wholeNumberSchema.default(0),
  watchedIds: z.array(resourceIdSchema).default([]),
});
type Item = z.infer<typeof itemSchema>;

/** `listedAtMs` as it rests in the item. */
interface Seen {
  readonly seen: unknown;
}

interface Found {
  readonly id: string;
  /** What stands for the id in the item. */
  readonly name: string;
  readonly arn: string;
  readonly status: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
}

/** A list that is under way, in this invocation. */
interface List {
  readonly steps: AsyncGenerator<'GO_ON' | 'PAUSE', void>;
  /** Those of the invocation that is under way: a list may take several. */
  dependencies: StreamGroupsDependencies;
  readonly before: Item;
  readonly groups: Map<string, Found>;
  /** Whether every page is there. Before that, a missing group proves nothing. */
  isComplete: boolean;
  /** By the names of the stream groups. */
  readonly tags: Map<string, string>;
  /** As they rest in the table. */
  matches: string;
  /** Those that host no new sessions and still have open windows. */
  ending: readonly string[];
  watched: readonly string[];
  /** Whether the item does not have what is known here. */
  isDirty: boolean;
}

/**
 * Returns a function that says which stream groups to look at now. Ids are given as they are. Else the function keeps up
 * with the account: once a minute one of the watchers lists the stream groups, for at most 2 s of each interval, and
 * those that host sessions and are chosen are watched from then on. What is known is in one item of the table.
 *
 * It never fails: what could not be listed is as it was last.
 *
 * Why: docs/decisions/watcher.md#the-watcher-lists-the-stream-groups-itself-once-a-minute
 *
 * @param endMs epoch ms of the last look.
 */
export function streamGroupsToWatch(
  settings: StreamGroupsDependencies['settings'],
  endMs: number,
): (dependencies: StreamGroupsDependencies) => Promise<readonly string[]> {
  const selection = settings.WATCHED_STREAM_GROUPS;
  if (isIds(selection)) return async () => selection;
  let watched: readonly string[] = [];
  let knownAtMs = 0;
  let list: List | undefined;

  const findOut = async (dependencies: StreamGroupsDependencies): Promise<void> => {
    const { table, clock } = dependencies;
    if (list === undefined && minuteOf(clock.nowMs()) !== minuteOf(knownAtMs)) {
      const item = await readStreamGroups(table, selection);
      const nowMs = clock.nowMs();
      if (minuteOf(item.listedAtMs) === minuteOf(nowMs)) {
        watched = item.watchedIds;
        // While another watcher lists, the item is read again at the next look.
        knownAtMs = item.foundAtMs === item.listedAtMs ? item.listedAtMs : 0;
        return;
      }
      watched = item.watchedIds;
      if (endMs - nowMs < LEAST_TIME_MS || !(await claimList(item, nowMs, dependencies))) return;
      list = beginList({ ...item, listedAtMs: nowMs }, await readMatches(dependencies), dependencies);
    }
    if (list === undefined) return;
    list.dependencies = dependencies;
    const isDone = await goOn(list, dependencies);
    watched = list.watched;
    if (!isDone) return;
    knownAtMs = list.before.listedAtMs;
    list = undefined;
  };

  return async (dependencies) => {
    const { clock, log, metrics } = dependencies;
    try {
      await findOut(dependencies);
    } catch (error) {
      // The next minute lists anew.
      knownAtMs = clock.nowMs();
      list = undefined;
      log.error('StreamGroupsNotListed', error);
      metrics.add('WatcherLooksFailed', 1);
    }
    return watched;
  };
}

const minuteOf = (ms: number) => Math.floor(ms / LIST_EVERY_MS);

/** The item of a list that another selection has found is as good as none, and so is one that is not readable. */
export async function readStreamGroups(table: Table, selection: StreamGroupSelection): Promise<Item & Seen> {
  const raw = (await readItem(table, STREAM_GROUPS_KEY)) ?? {};
  const seen = { seen: raw['listedAtMs'] };
  const item = itemSchema.safeParse(raw);
  const counts = item.success && item.data.selection === textOf(selection);
  return { ...(counts ? item.data : itemSchema.parse({})), ...seen };
}

async function readMatches({ table, settings }: StreamGroupsDependencies): Promise<string> {
  if (settings.WATCHED_STREAM_GROUPS === 'all') return '';
  const item = tagMatchesSchema.safeParse(await readItem(table, TAG_MATCHES_KEY));
  return item.success && item.data.selection === textOf(settings.WATCHED_STREAM_GROUPS)
    ? item.data.matches
    : '';
}

/** @returns whether this watcher is to list: of those that read the same item only one. */
async function claimList(
  { seen, ...item }: Item & Seen,
  nowMs: number,
  { table, settings }: StreamGroupsDependencies,
): Promise<boolean> {
  const claimed = await updateIf(table, STREAM_GROUPS_KEY, {
    UpdateExpression:
      // The release before had the tags in this item. It reads an empty text as none.
      'SET selection = :selection, listedAtMs = :now, foundAtMs = :found, watchedIds = :watched, tagMatches = :none',
    ConditionExpression: seen === undefined ? 'attribute_not_exists(listedAtMs)' : 'listedAtMs = :seen',
    ExpressionAttributeValues: {
      ':selection': textOf(settings.WATCHED_STREAM_GROUPS),
      ':now': nowMs,
      ':found': item.foundAtMs,
      ':watched': item.watchedIds,
      ':none': '',
      ...(seen === undefined ? {} : { ':seen': seen }),
    },
  });
  return claimed !== undefined;
}

function beginList(before: Item, matches: string, dependencies: StreamGroupsDependencies): List {
  const list: List = {
    steps: stepsOf(() => list),
    dependencies,
    before,
    groups: new Map(),
    isComplete: false,
    tags: new Map([...namesInMatches(matches)].filter(([, match]) => match !== NOT_READ)),
    matches,
    ending: [],
    watched: before.watchedIds,
    isDirty: false,
  };
  return list;
}

/** @returns whether the list has come to its end. */
async function goOn(list: List, dependencies: StreamGroupsDependencies): Promise<boolean> {
  const { clock, settings } = dependencies;
  const intervalMs = settings.WATCH_INTERVAL_SECONDS * 1000;
  const untilMs = clock.nowMs() + Math.min(LONGEST_LIST_MS, Math.floor(intervalMs * LIST_SHARE));
  let isDone = false;
  for (let goesOn = true; goesOn; ) {
    const { done = false, value } = await list.steps.next();
    isDone = done;
    goesOn = !done && value !== 'PAUSE' && clock.nowMs() < untilMs;
  }
  if (!list.isComplete) return false;
  if (list.isDirty) list.watched = choose(list, settings);
  if (list.isDirty || isDone) await keepFound(list, isDone, dependencies);
  if (isDone) await report(list, dependencies);
  return isDone;
}

/** One call to the service for each step. */
async function* stepsOf(listOf: () => List): AsyncGenerator<'GO_ON' | 'PAUSE', void> {
  const list = listOf();
  const { table, random, settings } = list.dependencies;
  const selection = settings.WATCHED_STREAM_GROUPS;
  let nextToken: string | undefined;
  for (let pages = 1; pages === 1 || nextToken !== undefined; pages++) {
    if (pages > MAX_PAGES) throw new InternalServerException();
    const page = yield* tried(listStreamGroups({ maxResults: PAGE_SIZE, nextToken }), list);
    if (page === undefined) throw new InternalServerException();
    for (const item of page.Items ?? []) {
      const found = foundIn(item);
      if (found !== undefined) list.groups.set(found.id, found);
    }
    nextToken = page.NextToken;
    yield 'GO_ON';
  }
  for (const id of list.before.watchedIds) {
    if (!ENDING.has(list.groups.get(id)?.status ?? '')) continue;
    if ((await listOpenWindows(table, id)).length > 0) list.ending = [...list.ending, id];
  }
  list.isComplete = true;
  list.isDirty = true;
  if (isIds(selection) || selection === 'all') return;
  const hosting = [...list.groups.values()].filter(({ status }) => HOSTING.has(status));
  const unknown = hosting
    .filter(({ name }) => !list.tags.has(name))
    // A player waits in the newest one, if in any.
    .sort((one, other) => other.createdAtMs - one.createdAtMs);
  const known = hosting.filter(({ name }) => list.tags.has(name));
  const from = Math.floor(random() * known.length);
  const again = [...known.slice(from), ...known.slice(0, from)].slice(0, TAGS_READ_AGAIN);
  let skipped = 0;
  for (const group of [...unknown, ...again]) {
    let reply: ListTagsForResourceCommandOutput | undefined;
    try {
      reply = yield* tried(listTagsForResource(group.arn), list);
    } catch (error) {
      if (!(error instanceof InternalServerException) || ++skipped > MAX_SKIPPED) throw error;
      // The stream groups behind it must not wait for it. It counts as it was last.
      list.dependencies.log.error('StreamGroupsNotListed', error, { streamGroupId: group.id });
      list.dependencies.metrics.add('WatcherLooksFailed', 1);
      yield 'PAUSE';
      continue;
    }
    const match = matchOf(reply?.Tags ?? {}, selection);
    // A stream group that has gone meanwhile has no tags to tell; the next list will not have it.
    if (reply !== undefined && list.tags.get(group.name) !== match) {
      list.tags.set(group.name, match);
      list.isDirty = true;
    }
    yield 'GO_ON';
  }
}

/** Calls the service, three times at most, and lets the looks go on in between. Undefined when it refuses the parameters. */
async function* tried<Called extends Operation, Reply>(
  call: ServiceCall<Called, Reply>,
  list: List,
): AsyncGenerator<'PAUSE', Reply | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      const reply = await callService<Operation, Reply>(call, {}, list.dependencies);
      return reply.ok ? reply.reply : undefined;
    } catch (error) {
      const mayWorkSoon = [ThrottlingException, InternalServerException, PermitNotAvailableException].some(
        (retryable) => error instanceof retryable,
      );
      if (tries === MAX_TRIES || !mayWorkSoon) throw error;
      yield 'PAUSE';
    }
  }
}

function foundIn(summary: StreamGroupSummary): Found | undefined {
  const { Arn: arn = '', Status: status = '', CreatedAt: createdAt, ExpiresAt: expiresAt } = summary;
  const id = resourceIdSchema.safeParse(arn.slice(arn.lastIndexOf('/') + 1));
  if (!id.success) return undefined;
  const times = { createdAtMs: createdAt?.getTime() ?? 0, expiresAtMs: expiresAt?.getTime() };
  return { id: id.data, name: streamGroupNameOf(id.data), arn, status, ...times };
}

/** Chooses what is watched by all that is known: those that are watched already first, then the newest. */
function choose(list: List, settings: StreamGroupsDependencies['settings']): string[] {
  const before = new Set(list.before.watchedIds);
  const chosen = chosenOf(list, settings.WATCHED_STREAM_GROUPS).sort(
    (one, other) =>
      Number(before.has(other.id)) - Number(before.has(one.id)) || other.createdAtMs - one.createdAtMs,
  );
  return [...list.ending, ...chosen.map(({ id }) => id)].slice(0, limitOf(settings));
}

function chosenOf({ groups, tags }: List, selection: StreamGroupSelection): Found[] {
  return [...groups.values()].filter(
    ({ name, status }) => HOSTING.has(status) && (selection === 'all' || tags.get(name) === 'm'),
  );
}

/** How many stream groups the quota of lists bears: two lists for each in an interval, because a window may need three. */
function limitOf({ LISTS_PER_SECOND, WATCH_INTERVAL_SECONDS }: StreamGroupsDependencies['settings']): number {
  return Math.min(MAX_WATCHED, Math.max(1, Math.floor((LISTS_PER_SECOND * WATCH_INTERVAL_SECONDS) / 2)));
}

/** Writes what is known, unless another watcher has begun a list since. The tags go first: `foundAtMs` vouches for them. */
async function keepFound(list: List, isDone: boolean, dependencies: StreamGroupsDependencies): Promise<void> {
  const { table } = dependencies;
  await keepMatches(list, dependencies);
  await updateIf(table, STREAM_GROUPS_KEY, {
    UpdateExpression: `SET watchedIds = :watched${isDone ? ', foundAtMs = :listedAt' : ''}`,
    ConditionExpression: 'listedAtMs = :listedAt',
    ExpressionAttributeValues: { ':watched': [...list.watched], ':listedAt': list.before.listedAtMs },
  });
  list.isDirty = false;
}

async function keepMatches(list: List, { table, settings }: StreamGroupsDependencies): Promise<void> {
  const selection = settings.WATCHED_STREAM_GROUPS;
  if (selection === 'all') return;
  const matches = [...list.groups.values()]
    .map(({ name }) => name + (list.tags.get(name) ?? NOT_READ))
    // A write of 10,000 stream groups costs 90 units, so it happens only when something has changed.
    .toSorted()
    .slice(0, MAX_KNOWN_GROUPS)
    .join('');
  if (matches === list.matches) return;
  const { listedAtMs } = list.before;
  await putIf(
    table,
    { ...TAG_MATCHES_KEY, selection: textOf(selection), listedAtMs, matches },
    {
      ConditionExpression: 'attribute_not_exists(listedAtMs) OR listedAtMs <= :listedAt',
      ExpressionAttributeValues: { ':listedAt': listedAtMs },
    },
  );
  list.matches = matches;
}

/** Says what has changed, and what is left out. */
async function report(list: List, dependencies: StreamGroupsDependencies): Promise<void> {
  const { clock, log, metrics, settings } = dependencies;
  const isWatched = new Set(list.watched);
  const wasWatched = new Set(list.before.watchedIds);
  const nowMs = clock.nowMs();
  const isFirstOfHour = Math.floor(nowMs / HOUR_MS) !== Math.floor((nowMs - LIST_EVERY_MS) / HOUR_MS);
  let fewestDays = Number.POSITIVE_INFINITY;
  for (const id of list.watched) {
    const expiresAtMs = list.groups.get(id)?.expiresAtMs;
    if (expiresAtMs === undefined) continue;
    const daysLeft = Math.max(0, Math.floor((expiresAtMs - nowMs) / DAY_MS));
    fewestDays = Math.min(fewestDays, daysLeft);
    if (isFirstOfHour || !wasWatched.has(id)) log.info('StreamGroupWatched', { streamGroupId: id, daysLeft });
  }
  for (const id of wasWatched) {
    const status = list.groups.get(id)?.status ?? 'GONE';
    if (!isWatched.has(id)) log.info('StreamGroupLeft', { streamGroupId: id, status });
  }
  const chosen = chosenOf(list, settings.WATCHED_STREAM_GROUPS);
  const beyond = chosen.filter(({ id }) => !isWatched.has(id)).length;
  if (beyond > 0) log.warn('TooManyStreamGroups', { watched: isWatched.size, beyond });
  const leftOut = await countLeftOut(list, new Set(chosen), dependencies);
  if (beyond > 0) metrics.add('StreamGroupsBeyondLimit', beyond);
  if (leftOut > 0) metrics.add('StreamGroupsLeftOut', leftOut);
  // A metric is paid for by the hour in which it has a value, and these two hardly change.
  const hasChanged = isWatched.size !== wasWatched.size || list.watched.some((id) => !wasWatched.has(id));
  if (!hasChanged && Math.floor(nowMs / HOUR_MS) % TOLD_EVERY_HOURS !== 0) return;
  metrics.add('StreamGroupsWatched', isWatched.size);
  if (fewestDays < Number.POSITIVE_INFINITY) metrics.add('StreamGroupDaysLeft', fewestDays);
}

/** Stream groups that are not chosen and perhaps should be: they have the tag's key, or a feed reports their sessions. */
async function countLeftOut(
  list: List,
  chosen: ReadonlySet<Found>,
  { table, random, log }: StreamGroupsDependencies,
): Promise<number> {
  const others = [...list.groups.values()].filter((group) => HOSTING.has(group.status) && !chosen.has(group));
  const withKey = others.filter(({ name }) => list.tags.get(name) === 'o');
  const without = others.filter(({ name }) => list.tags.get(name) !== 'o');
  const from = Math.floor(random() * without.length);
  const sample = [...without.slice(from), ...without.slice(0, from)].slice(0, MAX_SAMPLED);
  const withWindows: Found[] = [];
  for (const group of sample) {
    if ((await listOpenWindows(table, group.id)).length > 0) withWindows.push(group);
  }
  for (const { id } of [...withKey.slice(0, MAX_SAMPLED), ...withWindows]) {
    log.warn('StreamGroupLeftOut', { streamGroupId: id });
  }
  return withKey.length + withWindows.length;
}

function matchOf(
  tags: Readonly<Record<string, string>>,
  chosen: { readonly key: string; readonly value: string },
): TagMatch {
  if (!Object.hasOwn(tags, chosen.key)) return 'n';
  return tags[chosen.key] === chosen.value ? 'm' : 'o';
}

function textOf(selection: StreamGroupSelection): string {
  if (typeof selection === 'string') return selection;
  return isIds(selection) ? selection.join(',') : `tag:${selection.key}=${selection.value}`;
}
