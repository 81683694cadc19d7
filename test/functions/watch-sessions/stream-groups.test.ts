import { ListStreamGroupsCommand, ListTagsForResourceCommand } from '@aws-sdk/client-gameliftstreams';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { STREAM_GROUPS_KEY, TAG_MATCHES_KEY } from '../../../functions/shared/contracts/table-keys.ts';
import type { StreamGroupSelection } from '../../../functions/shared/runtime/settings.ts';
import { readItem } from '../../../functions/shared/runtime/table.ts';
import { isStreamGroupGone } from '../../../functions/shared/service/read-session.ts';
import { streamGroupsToWatch } from '../../../functions/watch-sessions/stream-groups.ts';
import { MemoryItems } from '../../../local/dynamodb/memory-items.ts';
import { documentsAt } from '../../../local/simulation/documents.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { givenOpenWindow } from '../../helpers/windows.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3600 * 1000;
const TAG: StreamGroupSelection = { key: 'reconnect', value: 'yes' };
const YES = { reconnect: 'yes' };

interface Group {
  status?: string;
  tags?: Readonly<Record<string, string>>;
  createdAtMs?: number;
  expiresAtMs?: number;
}

const arnOf = (id: string) => `arn:aws:gameliftstreams:us-west-2:123456789012:streamgroup/${id}`;
const idOf = (arn = '') => arn.slice(arn.lastIndexOf('/') + 1);

/** An account with these stream groups, and a table of its own. */
function prepare(groups: Record<string, Group>, settings: Partial<Settings> = {}) {
  const table = { documents: documentsAt('http://127.0.0.1:1', new MemoryItems()), name: 'Table' };
  const dependencies = serviceDependencies(table);
  const { clock, gameLiftStreams, metrics, log } = dependencies;
  const service = mockClient(gameLiftStreams);
  service.on(ListStreamGroupsCommand).callsFake(({ MaxResults = 25, NextToken = '0' }) => {
    const from = Number(NextToken);
    const ids = Object.keys(groups);
    return {
      Items: ids.slice(from, from + MaxResults).map((id) => ({
        Arn: arnOf(id),
        Status: groups[id]?.status ?? 'ACTIVE',
        CreatedAt: new Date(groups[id]?.createdAtMs ?? 0),
        ExpiresAt: new Date(groups[id]?.expiresAtMs ?? clock.nowMs() + 300 * DAY_MS),
      })),
      ...(from + MaxResults < ids.length && { NextToken: String(from + MaxResults) }),
    };
  });
  service
    .on(ListTagsForResourceCommand)
    .callsFake(({ ResourceArn }) => ({ Tags: groups[idOf(ResourceArn)]?.tags ?? {} }));
  const all: Settings = {
    WATCHED_STREAM_GROUPS: TAG,
    WATCH_INTERVAL_SECONDS: 5,
    LISTS_PER_SECOND: 20,
    STREAM_GROUP_CALLS_PER_SECOND: 10,
    ...settings,
  };
  /** What one execution environment remembers for a minute. */
  const beginInvocation = () => {
    const groupsToWatch = streamGroupsToWatch(all, clock.nowMs() + MINUTE_MS);
    return () => groupsToWatch({ ...dependencies, settings: all });
  };
  /** The first look of an environment of its own, at the present time. */
  const look = async (groupsToWatch = beginInvocation()) => {
    const looking = clock.track(groupsToWatch);
    await clock.advance(2500);
    return [...(await looking)].toSorted();
  };
  const valuesOf = (wanted: string) =>
    metrics.values.filter(({ name }) => name === wanted).map(({ value }) => value);
  const nextMinute = () => clock.advance(MINUTE_MS - (clock.nowMs() % MINUTE_MS));
  return {
    ...dependencies,
    service,
    groups,
    beginInvocation,
    look,
    nextMinute,
    valuesOf,
    lists: () => service.commandCalls(ListStreamGroupsCommand).length,
    tagsRead: () =>
      service
        .commandCalls(ListTagsForResourceCommand)
        .map(({ args: [{ input }] }) => idOf(input.ResourceArn)),
    linesOf: (event: string) => log.lines.filter((line) => line.event === event).map(({ fields }) => fields),
  };
}

interface Settings {
  readonly WATCHED_STREAM_GROUPS: StreamGroupSelection;
  readonly WATCH_INTERVAL_SECONDS: number;
  readonly LISTS_PER_SECOND: number;
  readonly STREAM_GROUP_CALLS_PER_SECOND: number;
}

const numbered = (count: number, group: Group = {}) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`sg-${index}`, group]));

describe('stream groups that are named by id', () => {
  it('are watched as they are, without any call and any item', async () => {
    const { look, service, table } = prepare({}, { WATCHED_STREAM_GROUPS: ['sg-a', 'sg-b'] });

    expect(await look()).toEqual(['sg-a', 'sg-b']);
    expect(service.calls()).toHaveLength(0);
    expect(await readItem(table, STREAM_GROUPS_KEY)).toBeUndefined();
  });
});

describe('stream groups that are found', () => {
  it('are all that host sessions, without a look at their tags', async () => {
    const statuses = [
      'ACTIVE',
      'ACTIVE_WITH_ERRORS',
      'UPDATING_LOCATIONS',
      'ACTIVATING',
      'DELETING',
      'EXPIRED',
      'ERROR',
      'NEW',
    ];
    const groups = Object.fromEntries(
      statuses.map((status) => [`sg-${status.toLowerCase().replaceAll('_', '-')}`, { status }]),
    );
    const { look, tagsRead } = prepare(groups, { WATCHED_STREAM_GROUPS: 'all' });

    expect(await look()).toEqual(['sg-active', 'sg-active-with-errors', 'sg-updating-locations']);
    expect(tagsRead()).toEqual([]);
  });

  it('are those with the tag, by key and value', async () => {
    const { look } = prepare({
      'sg-yes': { tags: { ...YES, other: 'x' } },
      'sg-no': { tags: { reconnect: 'no' } },
      'sg-case': { tags: { Reconnect: 'yes' } },
      'sg-none': {},
    });

    expect(await look()).toEqual(['sg-yes']);
  });

  it('are listed once a minute, however many watchers look and however often', async () => {
    const { beginInvocation, look, lists, tagsRead, nextMinute } = prepare({ 'sg-a': { tags: YES } });
    const watchers = [beginInvocation(), beginInvocation(), beginInvocation()];

    for (let minute = 0; minute < 3; minute++) {
      await Promise.all(watchers.map((one) => look(one)));
      for (const one of watchers) expect(await look(one)).toEqual(['sg-a']);
      expect([lists(), tagsRead().length]).toEqual([minute + 1, minute + 1]);
      await nextMinute();
      watchers.splice(0, 3, beginInvocation(), beginInvocation(), beginInvocation());
    }
  });

  it('are read from the table by the next invocation of the same minute', async () => {
    const { look, lists } = prepare({ 'sg-a': { tags: YES } });
    await look();

    expect(await look()).toEqual(['sg-a']);
    expect(lists()).toBe(1);
  });

  it('are found anew when another selection is deployed', async () => {
    const { look, service } = prepare({ 'sg-a': { tags: YES }, 'sg-b': {} });
    await look();
    service.resetHistory();
    const other = prepare({ 'sg-a': { tags: YES }, 'sg-b': {} }, { WATCHED_STREAM_GROUPS: 'all' });

    expect(await other.look()).toEqual(['sg-a', 'sg-b']);
  });

  it('are found in spite of an item that cannot be read', async () => {
    const { look, table } = prepare({ 'sg-a': { tags: YES } });
    const Item = { ...STREAM_GROUPS_KEY, selection: 'tag:reconnect=yes', listedAtMs: 'x', watchedIds: 7 };
    await table.documents.send(new PutCommand({ TableName: table.name, Item }));

    expect(await look()).toEqual(['sg-a']);
  });
});

describe('a stream group', () => {
  it('that becomes ACTIVE is watched within a minute', async () => {
    const { look, groups, nextMinute, linesOf } = prepare({
      'sg-old': { tags: YES },
      'sg-new': { tags: YES, status: 'ACTIVATING' },
    });
    expect(await look()).toEqual(['sg-old']);
    groups['sg-new'] = { tags: YES };

    await nextMinute();

    expect(await look()).toEqual(['sg-new', 'sg-old']);
    expect(linesOf('StreamGroupWatched').map(({ streamGroupId }) => streamGroupId)).toContain('sg-new');
  });

  it.each(['DELETING', 'EXPIRED', 'gone'])('that is %s leaves with the next list', async (status) => {
    const { look, groups, nextMinute, linesOf } = prepare({ 'sg-a': { tags: YES }, 'sg-b': { tags: YES } });
    await look();
    if (status === 'gone') delete groups['sg-a'];
    else groups['sg-a'] = { tags: YES, status };

    await nextMinute();

    expect(await look()).toEqual(['sg-b']);
    expect(linesOf('StreamGroupLeft')).toEqual([
      { streamGroupId: 'sg-a', status: status === 'gone' ? 'GONE' : status },
    ]);
  });

  it('that is being deleted is watched while it has open windows', async () => {
    const { look, groups, nextMinute, table, clock } = prepare({ 'sg-a': { tags: YES } });
    await look();
    const session = { streamGroupId: 'sg-a', streamSessionId: 'ABC123def4567' };
    await givenOpenWindow(table, session, { disconnectedAtMs: clock.nowMs() });
    groups['sg-a'] = { tags: YES, status: 'DELETING' };

    await nextMinute();

    expect(await look()).toEqual(['sg-a']);
  });

  it('that loses its tag leaves with the next list', async () => {
    const { look, groups, nextMinute } = prepare({ 'sg-a': { tags: YES } });
    await look();
    groups['sg-a'] = {};

    await nextMinute();
    const invocation = await look();

    expect(invocation).toEqual([]);
  });

  it('that has the key with another value is counted and named as left out', async () => {
    const { look, valuesOf, linesOf } = prepare({
      'sg-a': { tags: YES },
      'sg-typo': { tags: { reconnect: 'Yes' } },
    });

    await look();

    expect(valuesOf('StreamGroupsLeftOut')).toEqual([1]);
    expect(linesOf('StreamGroupLeftOut')).toEqual([{ streamGroupId: 'sg-typo' }]);
  });

  it('that has windows and is not chosen is counted as left out', async () => {
    const { look, table, clock, valuesOf } = prepare({
      'sg-a': { tags: YES },
      'sg-other': {},
      'sg-quiet': {},
    });
    const session = { streamGroupId: 'sg-other', streamSessionId: 'ABC123def4567' };
    await givenOpenWindow(table, session, { disconnectedAtMs: clock.nowMs() });

    await look();

    expect(valuesOf('StreamGroupsLeftOut')).toEqual([1]);
  });
});

describe('the days until stream groups expire', () => {
  it('are told for the first of them to expire', async () => {
    const { look, clock, groups, valuesOf } = prepare({ 'sg-a': { tags: YES }, 'sg-b': { tags: YES } });
    groups['sg-a'] = { tags: YES, expiresAtMs: clock.nowMs() + 30.5 * DAY_MS };

    await look();

    expect(valuesOf('StreamGroupDaysLeft')).toEqual([30]);
  });
});

describe('more stream groups than the quota of lists bears', () => {
  const few = { LISTS_PER_SECOND: 2, WATCH_INTERVAL_SECONDS: 5, WATCHED_STREAM_GROUPS: 'all' } as const;

  it('are not watched, and said and counted', async () => {
    const { look, valuesOf, linesOf } = prepare(numbered(12), few);

    expect(await look()).toHaveLength(5);
    expect(valuesOf('StreamGroupsWatched')).toEqual([5]);
    expect(valuesOf('StreamGroupsBeyondLimit')).toEqual([7]);
    expect(linesOf('TooManyStreamGroups')).toEqual([{ watched: 5, beyond: 7 }]);
  });

  it('push out none that is watched already', async () => {
    const { look, groups, nextMinute } = prepare(numbered(5), few);
    const before = await look();
    groups['sg-newer'] = { createdAtMs: 1 };

    await nextMinute();

    expect(await look()).toEqual(before);
  });
});

describe('10,000 stream groups', () => {
  const aMinute = async ({ beginInvocation, look }: ReturnType<typeof prepare>) => {
    const invocation = beginInvocation();
    let watched: string[] = [];
    for (let looks = 0; looks < 12; looks++) {
      watched = await look(invocation);
    }
    return watched;
  };

  it('are listed within a minute, and a new one is watched in the minute after', async () => {
    const account = prepare(numbered(10_000));
    const { groups, nextMinute, lists, table, tagsRead } = account;
    await nextMinute();
    await aMinute(account);
    await nextMinute();
    groups['sg-new'] = { tags: YES, createdAtMs: 1 };
    await aMinute(account);
    expect(lists()).toBe(201);
    expect(tagsRead()).toContain('sg-new');
    expect((await readItem(table, STREAM_GROUPS_KEY))?.['watchedIds']).toEqual(['sg-new']);
  });
});

describe('the tags of the stream groups', () => {
  it('are written only when one of them has changed', async () => {
    const { look, table, nextMinute, groups } = prepare({ 'sg-a': { tags: YES }, 'sg-b': {} });
    await look();
    const written = await readItem(table, TAG_MATCHES_KEY);

    await nextMinute();
    await look();
    expect(await readItem(table, TAG_MATCHES_KEY)).toEqual(written);

    groups['sg-b'] = { tags: YES };
    await nextMinute();
    await look();
    expect(await readItem(table, TAG_MATCHES_KEY)).not.toEqual(written);
  });
});

describe('a stream group of the account', () => {
  const since = (nowMs: number) => nowMs - 1000;

  it.each(['with the tag', 'without it', 'whose tags cannot be read'])(
    '%s is not gone for those who are denied',
    async (which) => {
      const { look, beginInvocation, table, clock, service } = prepare({
        'sg-a': { tags: which === 'without it' ? {} : YES },
      });
      if (which === 'whose tags cannot be read') {
        service.on(ListTagsForResourceCommand).rejects(serviceErrors.internalServer());
      }
      const startMs = clock.nowMs();
      const invocation = beginInvocation();
      for (let looks = 0; looks < 5; looks++) await look(invocation);

      expect(await isStreamGroupGone(table, 'sg-a', since(startMs), clock.nowMs())).toBe(false);
      expect(await isStreamGroupGone(table, 'sg-other', since(startMs), clock.nowMs())).toBe(true);
    },
  );

  it('is gone only by a list that is new, and younger than what was known', async () => {
    const { look, table, clock } = prepare({ 'sg-a': { tags: YES } });
    expect(await isStreamGroupGone(table, 'sg-other', 0, clock.nowMs())).toBe(false);
    const startMs = clock.nowMs();
    await look();

    expect(await isStreamGroupGone(table, 'sg-other', startMs, clock.nowMs())).toBe(false);
    expect(await isStreamGroupGone(table, 'sg-other', startMs - 1, clock.nowMs())).toBe(true);
    expect(await isStreamGroupGone(table, 'sg-other', startMs - 1, startMs + 11 * MINUTE_MS)).toBe(false);
  });

  it('is not gone by what the release before has written', async () => {
    const { look, table, clock } = prepare({ 'sg-a': { tags: YES } });
    const startMs = clock.nowMs();
    await look();
    const Item = {
      ...(await readItem(table, STREAM_GROUPS_KEY)),
      ...STREAM_GROUPS_KEY,
      tagMatches: 'abcdefghm',
    };
    await table.documents.send(new PutCommand({ TableName: table.name, Item }));

    expect(await isStreamGroupGone(table, 'sg-other', since(startMs), clock.nowMs())).toBe(false);
  });
});

describe('a list that fails', () => {
  it.each(['accessDenied', 'validation'] as const)(
    'with %s leaves what is watched as it was, for a minute',
    async (name) => {
      const { look, service, nextMinute, linesOf, valuesOf, lists } = prepare({ 'sg-a': { tags: YES } });
      await look();
      service.on(ListStreamGroupsCommand).rejects(serviceErrors[name]());
      await nextMinute();

      expect(await look()).toEqual(['sg-a']);
      expect(await look()).toEqual(['sg-a']);
      expect(lists()).toBe(2);
      expect(linesOf('StreamGroupsNotListed')).toHaveLength(1);
      expect(valuesOf('WatcherLooksFailed')).toEqual([1]);
    },
  );

  it('for the tags of one stream group finds the others, and says which it was', async () => {
    const groups = { 'sg-a': { tags: YES }, 'sg-bad': { tags: YES, createdAtMs: 1 } };
    const { beginInvocation, look, service, linesOf, valuesOf } = prepare(groups);
    service
      .on(ListTagsForResourceCommand, { ResourceArn: arnOf('sg-bad') })
      .rejects(serviceErrors.internalServer());
    const invocation = beginInvocation();

    for (let looks = 0; looks < 3; looks++) await look(invocation);

    expect(await look(invocation)).toEqual(['sg-a']);
    expect(valuesOf('StreamGroupsWatched')).toEqual([1]);
    expect(valuesOf('WatcherLooksFailed')).toEqual([1]);
    expect(linesOf('StreamGroupsNotListed')).toMatchObject([{ streamGroupId: 'sg-bad' }]);
  });

  it.each(['accessDenied', 'throttling', 'internalServer'] as const)(
    'with %s for all tags asks a few times only, and leaves what is watched as it was',
    async (name) => {
      const { beginInvocation, look, service, groups, nextMinute, tagsRead } = prepare({
        'sg-a': { tags: YES },
      });
      await look();
      Object.assign(groups, numbered(20, { tags: YES, createdAtMs: 1 }));
      service.on(ListTagsForResourceCommand).rejects(serviceErrors[name]());
      await nextMinute();
      const before = tagsRead().length;
      const invocation = beginInvocation();

      for (let looks = 0; looks < 20; looks++) expect(await look(invocation)).toEqual(['sg-a']);
      expect(tagsRead().length - before).toBeLessThanOrEqual(4 * 3);
    },
  );

  it('by throttling goes on with the same page at the next look', async () => {
    const { beginInvocation, look, service } = prepare({ 'sg-a': { tags: YES } });
    service
      .on(ListStreamGroupsCommand)
      .rejectsOnce(serviceErrors.throttling())
      .resolves({ Items: [{ Arn: arnOf('sg-a'), Status: 'ACTIVE' }] });
    const invocation = beginInvocation();

    expect(await look(invocation)).toEqual([]);
    expect(await look(invocation)).toEqual(['sg-a']);
  });

  it('does not begin when the invocation has too little time left', async () => {
    const { clock, beginInvocation, look, nextMinute, lists } = prepare({ 'sg-a': { tags: YES } });
    await nextMinute();
    await clock.advance(25_000);
    const invocation = beginInvocation();
    await look(invocation);
    await nextMinute();

    await look(invocation);

    expect(lists()).toBe(1);
    expect(await look()).toEqual(['sg-a']);
    expect(lists()).toBe(2);
  });
});
