import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient, ListStreamSessionsCommand } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeSwitchItem } from '../../../functions/shared/runtime/switch.ts';
import { readWaitingList } from '../../../functions/shared/window/waiting-sessions.ts';
import {
  newWatch,
  orderLooks,
  parseWatcherInput,
  watchOf,
  watchSessions,
} from '../../../functions/watch-sessions/watch-sessions.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { allItems, useTable } from '../../helpers/table.ts';
import { watchReads } from '../../helpers/watch-reads.ts';
import {
  BUS_SETTINGS,
  givenOpenWindow,
  givenRunningWindow,
  OUTCOME_RETENTION_DAYS,
  WINDOW_SETTINGS,
} from '../../helpers/windows.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const bus = mockClient(EventBridgeClient);
const sfn = mockClient(SFNClient);
const sqs = mockClient(SQSClient);
const QUEUE_URL = 'https://sqs.us-west-2.amazonaws.com/123456789012/looks';
let groups = 0;

beforeEach(() => {
  service.reset();
  service.on(ListStreamSessionsCommand).resolves({});
  bus.reset();
  bus.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
  sfn.reset();
  sqs.reset();
  sqs.on(SendMessageBatchCommand).callsFake(({ Entries = [] }) => ({
    Successful: Entries.map(({ Id = '' }) => ({ Id })),
  }));
});

/** Stream groups of its own: their open windows are nobody else's. */
function prepare({ groupCount = 1, intervalSeconds = 5 } = {}) {
  const dependencies = serviceDependencies(table());
  const { clock } = dependencies;
  const WATCHED_STREAM_GROUPS = Array.from({ length: groupCount }, () => `sg-watched${groups++}`);
  const startMs = clock.nowMs();
  const looksAtMs: number[] = [];
  service.on(ListStreamSessionsCommand).callsFake(({ Status }) => {
    if (Status === 'PENDING_CLIENT_RECONNECTION') looksAtMs.push(clock.nowMs() - startMs);
    return {};
  });
  const settings = {
    ...WINDOW_SETTINGS,
    ...BUS_SETTINGS,
    OUTCOME_RETENTION_DAYS,
    RECONNECTION_WINDOW_ARN: 'arn:aws:states:us-west-2:000000000000:stateMachine:reconnection-window',
    LISTS_PER_SECOND: 20,
    READS_PER_SECOND: 20,
    STREAM_GROUP_CALLS_PER_SECOND: 10,
    WATCH_INTERVAL_SECONDS: intervalSeconds,
    WATCHED_STREAM_GROUPS,
  };
  const forLooks = {
    ...dependencies,
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    stepFunctions: new SFNClient({ region: 'us-west-2' }),
    settings,
  };
  /** The looks of a minute, in one execution environment. */
  const watch = async () => {
    const minute = newWatch(startMs, settings);
    for (let atMs = 0; atMs < 60_000; atMs += intervalSeconds * 1000) {
      const looking = clock.track(() => watchSessions(minute, forLooks));
      await clock.advance(intervalSeconds * 1000);
      await looking;
    }
  };
  const order = () =>
    orderLooks({
      ...forLooks,
      sqs: new SQSClient({ region: 'us-west-2' }),
      settings: { ...settings, QUEUE_URL },
    });
  return { ...dependencies, settings, startMs, groups: WATCHED_STREAM_GROUPS, watch, order, looksAtMs };
}

const lists = () =>
  service
    .commandCalls(ListStreamSessionsCommand)
    .map(({ args: [{ input }] }) => [input.Identifier, input.Status]);

describe('the watcher', () => {
  it('looks at every group, at each interval, for a minute', async () => {
    const {
      watch,
      looksAtMs,
      groups: [one, other],
    } = prepare({ groupCount: 2, intervalSeconds: 20 });

    await watch();

    expect(looksAtMs).toEqual([0, 0, 20_000, 20_000, 40_000, 40_000]);
    expect(lists().slice(0, 2)).toEqual([
      [one, 'PENDING_CLIENT_RECONNECTION'],
      [other, 'PENDING_CLIENT_RECONNECTION'],
    ]);
  });

  it('measures once a minute how long the switch has been off, and looks all the same', async () => {
    const { watch, metrics, looksAtMs } = prepare({ intervalSeconds: 20 });
    await writeSwitchItem(table(), { state: 'refuse' });

    await watch().finally(() => writeSwitchItem(table(), { state: 'on' }));

    expect(metrics.values).toContainEqual({ name: 'SwitchedOffFor', value: 3_600_000 });
    expect(looksAtMs).toHaveLength(3);
  });

  it('makes its stream groups known, once a minute', async () => {
    const { watch, groups, table, startMs, clock } = prepare({ groupCount: 2 });

    await watch();

    for (const group of groups) {
      expect(await readWaitingList(table, group, clock.nowMs())).toMatchObject({ isKnown: true });
      const item = (await allItems(table)).find(({ pk }) => pk === `waiting#${group}`);
      expect(item).toMatchObject({ knownAtMs: startMs });
    }
  });

  it('makes no stream group known that it cannot list', async () => {
    const { watch, groups, table, clock } = prepare();
    service.on(ListStreamSessionsCommand).rejects(serviceErrors.resourceNotFound());

    await watch();

    expect(await readWaitingList(table, groups[0] ?? '', clock.nowMs())).toMatchObject({ isKnown: false });
  });

  it('counts the waiting sessions at each look where they are more than requests can list', async () => {
    const { watch, groups, table, clock, startMs } = prepare();
    const [group = ''] = groups;
    const arn = (id: string) => `arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/${group}/${id}`;
    service.on(ListStreamSessionsCommand).callsFake(({ Status, NextToken = '0' }) => {
      if (Status !== 'PENDING_CLIENT_RECONNECTION') return {};
      const page = Number(NextToken);
      const Items = Array.from({ length: 100 }, (_, index) => ({ Arn: arn(`many${page}x${index}`) }));
      return { Items, ...(page < 6 ? { NextToken: `${page + 1}` } : {}) };
    });

    await watch();

    expect(clock.nowMs()).toBeGreaterThanOrEqual(startMs + 60_000);
    expect(await readWaitingList(table, group, startMs + 60_000)).toMatchObject({ counted: 700 });
  });

  it('reports who waits without a window, page by page, and how long the longest of them has', async () => {
    const {
      watch,
      metrics,
      startMs,
      groups: [group = ''],
    } = prepare({ intervalSeconds: 60 });
    const waiting = (id: string, forMs: number) => ({
      Arn: `arn:aws:gameliftstreams:us-west-2:123456789012:streamsession/${group}/${id}`,
      LastUpdatedAt: new Date(startMs - forMs),
    });
    service
      .on(ListStreamSessionsCommand)
      .resolvesOnce({ Items: [waiting('one', 7000)], NextToken: 'next' })
      .resolvesOnce({ Items: [waiting('two', 3000)] });

    await watch();

    const reports = bus
      .commandCalls(PutEventsCommand)
      .flatMap(({ args: [{ input }] }) => input.Entries ?? [])
      .map(({ Detail = '' }): unknown => JSON.parse(Detail));
    expect(reports).toMatchObject([{ streamSessionId: 'one' }, { streamSessionId: 'two' }]);
    expect(metrics.values).toContainEqual({ name: 'WatcherLag', value: 7000 });
  });

  it('reads nothing again of a session that waits with its window, and its own timeout', async () => {
    const {
      watch,
      startMs,
      table: real,
      groups: [group = ''],
    } = prepare({ intervalSeconds: 60 });
    const session = { streamGroupId: group, streamSessionId: 'ABC123def4567' };
    await givenRunningWindow(real, session, { disconnectedAtMs: startMs, connectionTimeoutSeconds: 60 });
    service.on(ListStreamSessionsCommand).resolves({
      Items: [{ Arn: `arn:aws:gameliftstreams:us-west-2:123456789012:streamsession/${group}/ABC123def4567` }],
    });
    const reads = watchReads(real);

    await watch();

    expect(lists()).toEqual([[group, 'PENDING_CLIENT_RECONNECTION']]);
    expect(reads.filter(({ sk }) => sk === 'window')).toEqual([]);
  });

  it('counts its looks, whole ones and others, and how long somebody has waited', async () => {
    const { watch, metrics } = prepare({ intervalSeconds: 30 });
    service.on(ListStreamSessionsCommand).rejectsOnce(serviceErrors.accessDenied()).resolves({});

    await watch();

    const counted = metrics.values.filter(({ name }) => name.startsWith('Watcher'));
    expect(counted).toEqual([
      { name: 'WatcherLooksFailed', value: 1 },
      { name: 'WatcherLooks', value: 1 },
    ]);
  });

  it('goes on after a look that failed', async () => {
    const {
      watch,
      metrics,
      log,
      startMs,
      table: real,
      groups: [group = ''],
    } = prepare({ intervalSeconds: 30 });
    await givenOpenWindow(
      real,
      { streamGroupId: group, streamSessionId: 'ABC123def4567' },
      { disconnectedAtMs: startMs },
    );
    // At the first look there is nothing to do yet; at the second the window should have been started.
    sfn.rejects(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));

    await watch();

    expect(log.lines.filter(({ event }) => event === 'LookFailed')).toMatchObject([
      { fields: { streamGroupId: group, errorName: 'DependencyUnavailableException' } },
    ]);
    expect(metrics.values.filter(({ name }) => name === 'WatcherLooksFailed')).toHaveLength(1);
  });

  it('asks for the other lists, in the order in which sessions move on, only for a window that they can tell of', async () => {
    const {
      watch,
      startMs,
      table: real,
      groups: [group = ''],
    } = prepare({ intervalSeconds: 60 });
    sfn.resolves({});
    const session = { streamGroupId: group, streamSessionId: 'ABC123def4567' };
    await givenRunningWindow(real, session, { disconnectedAtMs: startMs });

    await watch();

    expect(lists()).toEqual([
      [group, 'PENDING_CLIENT_RECONNECTION'],
      [group, 'RECONNECTING'],
      [group, 'ACTIVE'],
    ]);
    expect(sfn.calls()).toHaveLength(1);
  });

  it('asks for the other lists for one window among many that they can tell of', async () => {
    const {
      watch,
      startMs,
      table: real,
      groups: [group = ''],
    } = prepare({ intervalSeconds: 60 });
    sfn.resolves({});
    const session = { streamGroupId: group, streamSessionId: 'moved' };
    await givenRunningWindow(real, session, { disconnectedAtMs: startMs });
    await givenOpenWindow(
      real,
      { streamGroupId: group, streamSessionId: 'starting' },
      { disconnectedAtMs: startMs },
    );

    await watch();

    expect(lists()).toHaveLength(3);
  });

  it('asks for no other list where a window looks by itself', async () => {
    const {
      watch,
      startMs,
      table: real,
      groups: [group = ''],
    } = prepare({ intervalSeconds: 60 });
    const session = { streamGroupId: group, streamSessionId: 'ABC123def4567' };
    await givenRunningWindow(real, session, { disconnectedAtMs: startMs - 120_000 });

    await watch();

    expect(lists()).toHaveLength(1);
    expect(sfn.calls()).toHaveLength(0);
  });
});

describe('the looks of a minute', () => {
  const ordered = () =>
    sqs
      .commandCalls(SendMessageBatchCommand)
      .map(({ args: [{ input }] }) => (input.Entries ?? []).map(({ DelaySeconds }) => DelaySeconds));

  it.each([
    [
      5,
      [
        [0, 5, 10, 15, 20, 25, 30, 35, 40, 45],
        [50, 55],
      ],
    ],
    [7, [[0, 7, 14, 21, 28, 35, 42, 49, 56]]],
    [60, [[0]]],
  ])('are ordered in batches of ten at most, %i s apart', async (intervalSeconds, delays) => {
    const { order } = prepare({ intervalSeconds });

    await order();

    expect(ordered()).toEqual(delays);
  });

  it('are not ordered without a stream group to watch, which is said', async () => {
    const { order, log } = prepare({ groupCount: 0 });

    await order();

    expect(log.lines).toEqual([{ event: 'WatcherIsOff', fields: {} }]);
    expect(sqs.calls()).toEqual([]);
  });

  it.each([
    [
      'takes a part of them',
      () => sqs.on(SendMessageBatchCommand).resolves({ Successful: [{ Id: '0' }] as never }),
      'InternalServerException',
    ],
    [
      'does not answer',
      () => sqs.rejects(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
      'DependencyUnavailableException',
    ],
  ])('fail as an invocation when SQS %s', async (_what, fail, name) => {
    const { order } = prepare();
    fail();

    await expect(order()).rejects.toMatchObject({ name });
  });

  const batch = (...bodies: string[]) => ({
    Records: bodies.map((body, index) => ({
      eventSource: 'aws:sqs',
      messageId: String(index),
      receiptHandle: String(index),
      body,
      attributes: { SentTimestamp: '1' },
    })),
  });

  it.each([
    ['the schedule', { source: 'aws.events' }, 'MINUTE'],
    ['nothing', undefined, 'MINUTE'],
    ['one look', batch('{"orderedAtMs":60000}'), { orderedAtMs: 60_000 }],
    [
      'looks of two minutes',
      batch('{"orderedAtMs":120000}', '{"orderedAtMs":60000}'),
      { orderedAtMs: 120_000 },
    ],
    ['a message of somebody else', batch('{', '{"orderedAtMs":"x"}'), { orderedAtMs: 7 }],
  ])('are what an invocation is for, by its payload: %s', (_what, payload, input) => {
    expect(parseWatcherInput(payload, 7)).toEqual(input);
  });
});

describe('what the looks of a minute remember', () => {
  it.each([
    ['its own minute', 0, 5000],
    ['the minute before, which comes back late', -60_000, 30_000],
  ])('is kept for a look of %s', (_, orderedAfterMs, nowAfterMs) => {
    const { settings, startMs } = prepare();
    const watch = newWatch(startMs, settings);

    expect(watchOf(watch, startMs + orderedAfterMs, startMs + nowAfterMs, settings)).toBe(watch);
  });

  it.each([
    ['the next minute', 60_000, 60_000],
    ['any minute, where a clock that was an hour ahead ordered the last', -3_600_000, -3_595_000],
  ])('is forgotten at a look of %s', (_, orderedAfterMs, nowAfterMs) => {
    const { settings, startMs } = prepare();
    const watch = newWatch(startMs, settings);

    const next = watchOf(watch, startMs + orderedAfterMs, startMs + nowAfterMs, settings);

    expect(next).not.toBe(watch);
    expect(next.orderedAtMs).toBe(startMs + orderedAfterMs);
  });
});
