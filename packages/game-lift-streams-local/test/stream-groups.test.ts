import {
  CreateStreamGroupCommand,
  type CreateStreamGroupCommandInput,
  DeleteStreamGroupCommand,
  GetStreamGroupCommand,
  ListStreamGroupsCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { aClientToken, failureOf, type Harness, idIn, STREAM_GROUP_ID, start } from './harness.ts';

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 3600 * 1000;

const create = (gls: Harness, input: Partial<CreateStreamGroupCommandInput> = {}) =>
  gls.client.send(
    new CreateStreamGroupCommand({ Description: 'Spring', StreamClass: 'gen5n_high', ...input }),
  );
const get = (gls: Harness, id: string) => gls.client.send(new GetStreamGroupCommand({ Identifier: id }));
const remove = (gls: Harness, id: string) =>
  gls.client.send(new DeleteStreamGroupCommand({ Identifier: id }));
const arnOf = (id: string) => `arn:aws:gameliftstreams:us-west-2:123456789012:streamgroup/${id}`;
const tagsOf = async (gls: Harness, arn: string) =>
  (await gls.client.send(new ListTagsForResourceCommand({ ResourceArn: arn }))).Tags;

describe('a stream group that is created', () => {
  it('is ACTIVATING, then ACTIVE, and expires after 365 days', async () => {
    const gls = await start();

    const { Id: id = '', Arn, Status, CreatedAt, ExpiresAt } = await create(gls, { Tags: { team: 'red' } });
    await gls.clock.advance(MINUTE_MS);
    const { Status: later } = await get(gls, id);
    await gls.clock.advance(YEAR_MS);
    const { Status: muchLater } = await get(gls, id);

    expect(id).toMatch(/^sg-[A-Za-z0-9]{9}$/);
    expect([Arn, Status, later, muchLater]).toEqual([arnOf(id), 'ACTIVATING', 'ACTIVE', 'EXPIRED']);
    expect((ExpiresAt?.getTime() ?? 0) - (CreatedAt?.getTime() ?? 0)).toBe(YEAR_MS);
    expect(await tagsOf(gls, arnOf(id))).toEqual({ team: 'red' });
  });

  it('is the same one for the same ClientToken', async () => {
    const gls = await start();

    const one = await create(gls, { ClientToken: aClientToken() });
    await gls.clock.advance(1000);
    const other = await create(gls, { ClientToken: aClientToken() });
    await gls.clock.advance(1000);
    const failure = await failureOf(create(gls, { ClientToken: aClientToken(), Description: 'Summer' }));

    expect(other.Id).toBe(one.Id);
    expect(failure.name).toBe('ConflictException');
  });

  it.each([
    [{ Description: '' }, '/Description'],
    [{ Description: '?' }, '/Description'],
    [{ LocationConfigurations: [] }, '/LocationConfigurations'],
    [{ Tags: {} }, '/Tags'],
    [{ Tags: { 'aws:x': 'y' } }, '/Tags'],
    [{ Tags: { x: 'y'.repeat(257) } }, '/Tags'],
  ])('is refused with %j', async (input, member) => {
    const gls = await start();

    const failure = await failureOf(create(gls, input));

    expect(failure).toMatchObject({ name: 'ValidationException', message: expect.stringContaining(member) });
  });
});

describe('a stream group that is not ACTIVE', () => {
  it('starts no sessions', async () => {
    const gls = await start();
    const { Id: id = '' } = await create(gls);

    expect((await failureOf(gls.startSession({ Identifier: id }))).name).toBe('ValidationException');
  });

  it('takes no connections, and its sessions can be read', async () => {
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });
    await gls.control.changeStreamGroup(STREAM_GROUP_ID, { status: 'EXPIRED' });

    const failure = await failureOf(gls.beginConnection(streamSessionId));

    expect(failure.name).toBe('ConflictException');
    expect((await gls.get(streamSessionId)).Status).toBe('PENDING_CLIENT_RECONNECTION');
    expect((await gls.list()).Items).toHaveLength(1);
  });
});

describe('a stream group that is deleted', () => {
  it('ends its sessions as terminated, and is then not found with them', async () => {
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession();
    const { streamSessionId: starting } = await gls.control.startSession({ status: 'ACTIVATING' });

    await remove(gls, STREAM_GROUP_ID);
    const statuses = [(await gls.get(streamSessionId)).Status, (await gls.get(starting)).Status];
    await gls.clock.advance(1000);
    const { Status, StatusReason } = await gls.get(streamSessionId);
    await gls.clock.advance(MINUTE_MS);

    expect(statuses).toEqual(['TERMINATING', 'TERMINATED']);
    expect([Status, StatusReason]).toEqual(['TERMINATED', 'apiTerminated']);
    expect((await failureOf(get(gls, STREAM_GROUP_ID))).name).toBe('ResourceNotFoundException');
    expect((await failureOf(gls.get(streamSessionId))).name).toBe('ResourceNotFoundException');
    expect((await failureOf(gls.list())).name).toBe('ResourceNotFoundException');
  });

  it('must have been ACTIVE, and may be deleted twice', async () => {
    const gls = await start();
    const { Id: id = '' } = await create(gls);

    const failure = await failureOf(remove(gls, id));
    await gls.clock.advance(MINUTE_MS);
    await remove(gls, id);
    await remove(gls, id);

    expect(failure.name).toBe('ConflictException');
    expect((await get(gls, id)).Status).toBe('DELETING');
  });
});

describe('the list of stream groups', () => {
  it('pages through each group once, while others come and go', async () => {
    const gls = await start();
    const made = Array.from({ length: 130 }, (_, index) => `sg-page${index}`);
    for (const streamGroupId of made) await gls.control.createStreamGroup({ streamGroupId });
    const list = (NextToken?: string) =>
      gls.client.send(new ListStreamGroupsCommand({ MaxResults: 100, ...(NextToken && { NextToken }) }));

    const first = await list();
    await gls.control.removeStreamGroup(STREAM_GROUP_ID);
    for (const { Id: id = '' } of (first.Items ?? []).slice(0, 5)) {
      if (id !== STREAM_GROUP_ID) await gls.control.removeStreamGroup(id);
    }
    const second = await list(first.NextToken);

    const seen = [...(first.Items ?? []), ...(second.Items ?? [])].map(({ Arn }) => idIn(Arn));
    expect(first.Items).toHaveLength(100);
    expect(second.NextToken).toBeUndefined();
    expect(new Set(seen).size).toBe(seen.length);
    expect(new Set(seen)).toEqual(new Set([...made, ...seen.filter((id) => id === STREAM_GROUP_ID)]));
    expect(Object.keys(first.Items?.[0] ?? {})).not.toContain('Tags');
  });

  it('has 25 to a page unless told otherwise, and refuses a token that is not its own', async () => {
    const gls = await start({ streamGroupIds: Array.from({ length: 30 }, (_, index) => `sg-${index}`) });

    const { Items, NextToken } = await gls.client.send(new ListStreamGroupsCommand({}));
    const failure = await failureOf(gls.client.send(new ListStreamGroupsCommand({ NextToken: 'x' })));
    const tooMany = await failureOf(gls.client.send(new ListStreamGroupsCommand({ MaxResults: 101 })));

    expect(Items).toHaveLength(25);
    expect(NextToken).toBeDefined();
    expect([failure.name, tooMany.name]).toEqual(['ValidationException', 'ValidationException']);
  });

  it('is let through ten times a second', async () => {
    const gls = await start();

    const calls = Array.from({ length: 15 }, () => gls.client.send(new ListStreamGroupsCommand({})));
    const results = await Promise.allSettled(calls);

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  });
});

describe('tags', () => {
  it('are added, replaced and removed by key', async () => {
    const gls = await start();
    const ResourceArn = arnOf(STREAM_GROUP_ID);

    await gls.client.send(new TagResourceCommand({ ResourceArn, Tags: { a: '1', b: '', 'c d': '3' } }));
    await gls.client.send(new TagResourceCommand({ ResourceArn, Tags: { a: '2' } }));
    const tagged = await tagsOf(gls, ResourceArn);
    await gls.client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['a', 'c d', 'unknown'] }));

    expect(tagged).toEqual({ a: '2', b: '', 'c d': '3' });
    expect(await tagsOf(gls, ResourceArn)).toEqual({ b: '' });
  });

  it.each([
    arnOf('sg-unknown'),
    'arn:aws:gameliftstreams:us-west-2:999999999999:streamgroup/sg-local0001',
    'arn:aws:gameliftstreams:eu-central-1:123456789012:streamgroup/sg-local0001',
    'sg-local0001',
  ])('of %s are refused', async (ResourceArn) => {
    const gls = await start();

    const failure = await failureOf(gls.client.send(new ListTagsForResourceCommand({ ResourceArn })));

    expect(failure.name).toBe('ValidationException');
  });

  it('are fifty at most', async () => {
    const gls = await start();
    const ResourceArn = arnOf(STREAM_GROUP_ID);
    const Tags = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`key${index}`, '']));
    await gls.client.send(new TagResourceCommand({ ResourceArn, Tags }));

    const failure = await failureOf(
      gls.client.send(new TagResourceCommand({ ResourceArn, Tags: { another: '' } })),
    );

    expect(failure.name).toBe('ValidationException');
  });

  it('decide who may be called when the setting onlyTagged says so', async () => {
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession();
    await gls.control.changeSettings({ onlyTagged: { key: 'reconnect', value: 'yes' } });

    const untagged = await failureOf(gls.get(streamSessionId));
    await gls.control.changeStreamGroup(STREAM_GROUP_ID, { tags: { reconnect: 'yes' } });
    const { Status } = await gls.get(streamSessionId);
    await gls.control.removeStreamGroup(STREAM_GROUP_ID);
    const gone = await failureOf(gls.get(streamSessionId));

    expect([untagged.name, Status, gone.name]).toEqual([
      'AccessDeniedException',
      'CONNECTED',
      'AccessDeniedException',
    ]);
  });
});
