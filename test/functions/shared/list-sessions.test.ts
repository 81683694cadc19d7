import {
  GameLiftStreamsClient,
  ListStreamSessionsCommand,
  type ListStreamSessionsCommandOutput,
} from '@aws-sdk/client-gameliftstreams';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ListedSession, listSessions } from '../../../functions/shared/service/list-sessions.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { useTable } from '../../helpers/table.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const GROUP = 'sg-1AB2C3De4';
const LAST_UPDATED_AT_MS = Date.UTC(2026, 0, 1);

beforeEach(() => {
  service.reset();
});

function prepare({ random = (): number => 0 } = {}) {
  const dependencies = { ...serviceDependencies(table()), random, settings: { LISTS_PER_SECOND: 20 } };
  const { clock } = dependencies;
  const startMs = clock.nowMs();
  const pages: (readonly ListedSession[])[] = [];
  const list = () =>
    clock.track(() =>
      listSessions(GROUP, 'ACTIVE', dependencies, async (page) => {
        pages.push(page);
      }),
    );
  return { ...dependencies, list, pages, elapsedMs: () => clock.nowMs() - startMs };
}

const item = (id: string, lastUpdatedAtMs: number | undefined = LAST_UPDATED_AT_MS) => ({
  Arn: `arn:aws:gameliftstreams:us-west-2:123456789012:streamsession/${GROUP}/${id}`,
  ...(lastUpdatedAtMs === undefined ? {} : { LastUpdatedAt: new Date(lastUpdatedAtMs) }),
});
const listed = (id: string, lastUpdatedAtMs: number | undefined = LAST_UPDATED_AT_MS) => ({
  session: { streamGroupId: GROUP, streamSessionId: id },
  lastUpdatedAtMs,
});
const page = (Items: ListStreamSessionsCommandOutput['Items'], NextToken?: string) => ({
  ...(Items === undefined ? {} : { Items }),
  ...(NextToken === undefined ? {} : { NextToken }),
});
const inputs = () => service.commandCalls(ListStreamSessionsCommand).map(({ args: [{ input }] }) => input);

describe('a list of sessions', () => {
  it('is read page by page, a hundred at a time, and each page is told as it comes', async () => {
    const { list, pages } = prepare();
    service
      .on(ListStreamSessionsCommand)
      .resolvesOnce(page([item('one'), item('two')], 'token-of-2'))
      .resolvesOnce(page([item('three', LAST_UPDATED_AT_MS + 5)]));

    const { sessions, complete } = await list();

    const three = listed('three', LAST_UPDATED_AT_MS + 5);
    expect(complete).toBe(true);
    expect([...sessions]).toEqual([
      ['one', listed('one')],
      ['two', listed('two')],
      ['three', three],
    ]);
    expect(pages).toEqual([[listed('one'), listed('two')], [three]]);
    expect(inputs()).toEqual([
      { Identifier: GROUP, Status: 'ACTIVE', MaxResults: 100 },
      { Identifier: GROUP, Status: 'ACTIVE', MaxResults: 100, NextToken: 'token-of-2' },
    ]);
  });

  it('is empty and complete where the service has nobody', async () => {
    service.on(ListStreamSessionsCommand).resolves({});

    expect(await prepare().list()).toEqual({ sessions: new Map(), complete: true });
  });

  it('has a session whose last update the service does not tell', async () => {
    service.on(ListStreamSessionsCommand).resolves({ Items: [{ Arn: item('one').Arn }] });

    const { sessions } = await prepare().list();

    expect(sessions.get('one')).toEqual({ ...listed('one'), lastUpdatedAtMs: undefined });
  });

  it.each([
    ['without a name', {}],
    ['whose name is none', { Arn: 'arn:of/what is this?' }],
  ])('with a session %s is incomplete: nobody may conclude that one is missing', async (_, nameless) => {
    service.on(ListStreamSessionsCommand).resolves({ Items: [item('one'), nameless] });

    const { sessions, complete } = await prepare().list();

    expect([...sessions.keys()]).toEqual(['one']);
    expect(complete).toBe(false);
  });

  it('whose pages lead back to an earlier one ends there, incomplete, and says so', async () => {
    const { list, log } = prepare();
    service
      .on(ListStreamSessionsCommand)
      .resolves({})
      .resolvesOnce(page([item('one')], 'a'))
      .resolvesOnce(page([item('two')], 'b'))
      .resolvesOnce(page([item('three')], 'a'));

    const { sessions, complete } = await list();

    expect([...sessions.keys()]).toEqual(['one', 'two', 'three']);
    expect(complete).toBe(false);
    expect(inputs()).toHaveLength(3);
    expect(log.lines).toEqual([{ event: 'ListingIncomplete', fields: { status: 'ACTIVE', sessions: 3 } }]);
  });

  it('gives a page up that takes longer than five seconds', async () => {
    const { list, clock } = prepare();
    service.on(ListStreamSessionsCommand).callsFake(async () => {
      await clock.sleep(5000);
      return {};
    });

    const listing = list();
    await clock.advance(5000);
    await listing;

    const [call] = service.commandCalls(ListStreamSessionsCommand);
    expect(call?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it.each(['throttling', 'internalServer', 'connectionReset'] as const)(
    'asks for a page again that failed for now: %s',
    async (fault) => {
      const { list, clock, log } = prepare();
      service
        .on(ListStreamSessionsCommand)
        .rejectsOnce(serviceErrors[fault]())
        .rejectsOnce(serviceErrors[fault]())
        .resolves(page([item('one')]));

      const listing = list();
      await clock.advance(10_000);

      expect(await listing).toMatchObject({ complete: true });
      expect(inputs()).toHaveLength(3);
      expect(log.lines.filter(({ event }) => event === 'PageFailed')).toMatchObject([
        { fields: { status: 'ACTIVE' } },
        { fields: { status: 'ACTIVE' } },
      ]);
    },
  );

  it.each([
    [0, 250 + 500],
    // 1,499.9985 ms, of which the clock tells the whole ones.
    [0.999_999, 500 + 1000 - 1],
  ])(
    'waits a quarter of a second or more for the next try, twice that for the last: random %s',
    async (random, ms) => {
      const { list, clock, elapsedMs } = prepare({ random: () => random });
      service.on(ListStreamSessionsCommand).rejects(serviceErrors.internalServer());
      let endedAfterMs = 0;

      const listing = list().finally(() => {
        endedAfterMs = elapsedMs();
      });
      await clock.advance(10_000);
      await listing;

      expect(inputs()).toHaveLength(3);
      expect(endedAfterMs).toBe(ms);
    },
  );

  it('ends early after three failures, with what it has by then, and says so', async () => {
    const { list, clock, log } = prepare();
    service
      .on(ListStreamSessionsCommand)
      .resolvesOnce(page([item('one')], 'next'))
      .rejects(serviceErrors.internalServer());

    const listing = list();
    await clock.advance(10_000);

    const { sessions, complete } = await listing;
    expect([...sessions.keys()]).toEqual(['one']);
    expect(complete).toBe(false);
    expect(inputs()).toHaveLength(4);
    expect(log.lines.at(-1)).toEqual({
      event: 'ListingIncomplete',
      fields: { status: 'ACTIVE', sessions: 1 },
    });
  });

  it.each([
    ['resourceNotFound', { fault: 'NOT_FOUND' }],
    ['accessDenied', { errorName: 'ServiceAccessDeniedException' }],
  ] as const)('does not ask again for what no repeat can mend: %s', async (fault, fields) => {
    const { list, log } = prepare();
    service.on(ListStreamSessionsCommand).rejects(serviceErrors[fault]());

    expect(await list()).toEqual({ sessions: new Map(), complete: false });

    expect(inputs()).toHaveLength(1);
    expect(log.lines).toContainEqual({ event: 'PageFailed', fields: { status: 'ACTIVE', ...fields } });
  });

  it('takes its turn in the quota of the lists, and asks again where there was none', async () => {
    const { list, clock, elapsedMs } = prepare();
    const freeAtMs = clock.nowMs() + 3100;
    await bookPermits(table(), { operation: 'ListStreamSessions', perSecond: 20 }, freeAtMs);
    service.on(ListStreamSessionsCommand).resolves({});
    let endedAfterMs = 0;

    const listing = list().finally(() => {
      endedAfterMs = elapsedMs();
    });
    await clock.advance(10_000);

    expect(await listing).toMatchObject({ complete: true });
    expect(endedAfterMs).toBeCloseTo(3100, 0);
  });
});
