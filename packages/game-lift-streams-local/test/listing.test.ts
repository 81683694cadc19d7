import {
  ListStreamSessionsByAccountCommand,
  type ListStreamSessionsByAccountCommandInput,
  ListStreamSessionsCommand,
  type ListStreamSessionsCommandInput,
} from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { failureOf, type Harness, idIn, STREAM_GROUP_ID, start } from './harness.ts';

const list = (gls: Harness, input: Partial<ListStreamSessionsCommandInput> = {}) =>
  gls.client.send(new ListStreamSessionsCommand({ Identifier: STREAM_GROUP_ID, ...input }));

const listByAccount = (gls: Harness, input: ListStreamSessionsByAccountCommandInput = {}) =>
  gls.client.send(new ListStreamSessionsByAccountCommand(input));

describe('the lists', () => {
  it('page through every session once, 25 to a page unless told otherwise', async () => {
    // Prepare
    const gls = await start();
    const started = await gls.control.startSessions({ count: 30 });

    // Act
    const first = await list(gls);
    const second = await list(gls, { NextToken: first.NextToken });
    const hundred = await list(gls, { MaxResults: 100 });

    // Assess
    expect(first.Items).toHaveLength(25);
    expect(second.Items).toHaveLength(5);
    expect(second.NextToken).toBeUndefined();
    expect(hundred.Items).toHaveLength(30);
    expect(hundred.NextToken).toBeUndefined();
    const seen = [...(first.Items ?? []), ...(second.Items ?? [])].map(({ Arn }) => idIn(Arn));
    expect(new Set(seen)).toEqual(new Set(started.map(({ streamSessionId }) => streamSessionId)));
  });

  it('have no NextToken when the last page is just full', async () => {
    // Prepare
    const gls = await start();
    await gls.control.startSessions({ count: 2 });

    // Act
    const page = await list(gls, { MaxResults: 2 });

    // Assess
    expect(page.Items).toHaveLength(2);
    expect(page.NextToken).toBeUndefined();
  });

  it('neither hide nor repeat sessions when others leave the status between two pages', async () => {
    // Prepare
    const gls = await start();
    const ids = (await gls.control.startSessions({ count: 4 })).map((session) => session.streamSessionId);
    await gls.control.clientDrops(ids);

    // Act
    const status = 'PENDING_CLIENT_RECONNECTION';
    const first = await list(gls, { Status: status, MaxResults: 2 });
    await gls.control.applicationExits(ids.slice(0, 2));
    const second = await list(gls, { Status: status, MaxResults: 2, NextToken: first.NextToken });

    // Assess
    expect(second.Items?.map(({ Arn }) => idIn(Arn))).toEqual(ids.slice(2));
  });

  it('keep to one status, and see what has become of sessions by now', async () => {
    // Prepare
    const gls = await start();
    await gls.control.startSession();
    const { streamSessionId: id } = await gls.control.startSession({ connectionTimeoutSeconds: 5 });
    await gls.control.clientDrops(id);

    // Act
    const waiting = await gls.list('PENDING_CLIENT_RECONNECTION');
    await gls.clock.advance(5_000);
    const later = await gls.list('PENDING_CLIENT_RECONNECTION');

    // Assess
    expect(waiting.Items?.map(({ Arn }) => idIn(Arn))).toEqual([id]);
    expect(later.Items).toEqual([]);
  });

  it('keep to one ExportFilesStatus', async () => {
    // Prepare
    const gls = await start();
    await gls.control.startSession();
    const { streamSessionId: id } = await gls.control.startSession({
      exportFilesMetadata: { Status: 'FAILED', StatusReason: 'no space' },
    });

    // Act
    const failed = await list(gls, { ExportFilesStatus: 'FAILED' });
    const succeeded = await listByAccount(gls, { ExportFilesStatus: 'SUCCEEDED' });

    // Assess
    expect(failed.Items).toMatchObject([
      {
        Arn: expect.stringContaining(id),
        ExportFilesMetadata: { Status: 'FAILED', StatusReason: 'no space' },
      },
    ]);
    expect(succeeded.Items).toEqual([]);
  });

  it("hold a group's sessions, or the whole account's", async () => {
    // Prepare
    const gls = await start();
    await gls.control.createStreamGroup({ streamGroupId: 'sg-other', location: 'eu-west-1' });
    const { arn: here } = await gls.control.startSession({ userId: 'player-1' });
    const { arn: there } = await gls.control.startSession({ streamGroupId: 'sg-other' });

    // Act
    const ofGroup = await list(gls);
    const ofAccount = await listByAccount(gls);

    // Assess
    expect(ofGroup.Items).toEqual([
      {
        Arn: here,
        UserId: 'player-1',
        Status: 'CONNECTED',
        Protocol: 'WebRTC',
        LastUpdatedAt: new Date(gls.clock.nowMs()),
        CreatedAt: new Date(gls.clock.nowMs()),
        ApplicationArn: expect.stringMatching(/:application\/a-local0001$/),
        Location: 'us-west-2',
      },
    ]);
    expect(ofAccount.Items).toMatchObject([{ Arn: here }, { Arn: there, Location: 'eu-west-1' }]);
  });

  it('answer ResourceNotFoundException for an unknown stream group', async () => {
    // Prepare
    const gls = await start();

    // Act
    const failure = await failureOf(list(gls, { Identifier: 'sg-unknown' }));

    // Assess
    expect(failure.name).toBe('ResourceNotFoundException');
  });

  it('refuse a NextToken that is not theirs', async () => {
    // Prepare
    const gls = await start();
    await gls.control.startSessions({ count: 3 });
    const { NextToken } = await list(gls, { MaxResults: 1 });

    // Act
    const invented = await failureOf(list(gls, { NextToken: 'invented' }));
    const ofOtherFilter = await failureOf(list(gls, { NextToken, Status: 'ACTIVE' }));
    const ofOtherList = await failureOf(listByAccount(gls, { NextToken }));

    // Assess
    expect([invented.name, ofOtherFilter.name, ofOtherList.name]).toEqual([
      'ValidationException',
      'ValidationException',
      'ValidationException',
    ]);
  });

  it('stay fast with 10,000 sessions that all run out at once', async () => {
    // Prepare
    const gls = await start({ quotas: { ListStreamSessions: Number.POSITIVE_INFINITY } });
    await gls.control.startSessions({
      count: 10_000,
      status: 'PENDING_CLIENT_RECONNECTION',
      connectionTimeoutSeconds: 10,
    });
    const cpuBefore = process.cpuUsage();

    // Act
    let found = 0;
    let NextToken: string | undefined;
    do {
      const page = await list(gls, { Status: 'PENDING_CLIENT_RECONNECTION', MaxResults: 100, NextToken });
      found += page.Items?.length ?? 0;
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    await gls.clock.advance(10_000);
    const ended = await gls.control.sessions({ status: 'TERMINATED' });

    // Assess
    expect(found).toBe(10_000);
    expect(ended).toHaveLength(10_000);
    expect(new Set(ended.map((session) => session.streamSessionId)).size).toBe(10_000);
    expect(ended.every(({ statusReason }) => statusReason === 'reconnectionTimeout')).toBe(true);
    // About 0.6 s of CPU time, however busy the machine; a server that did quadratic work would need minutes.
    const { user, system } = process.cpuUsage(cpuBefore);
    expect((user + system) / 1000).toBeLessThan(8_000);
  });
});
