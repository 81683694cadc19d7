import {
  CreateStreamGroupCommand,
  DeleteStreamGroupCommand,
  GetStreamGroupCommand,
} from '@aws-sdk/client-gameliftstreams';
import type { SessionRecord } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const OLD = 'sg-local0001';
const YES = { reconnect: 'yes' };

/** The service for the stream groups with a tag, which the old one has. Calls for groups without it are denied. */
async function startFollowing() {
  const run = await startWorkflow({
    adapter: 'inProcess',
    watching: true,
    environment: { WATCHED_STREAM_GROUPS: 'tag:reconnect=yes' },
  });
  const { control, clock } = run;
  await control.changeStreamGroup(OLD, { tags: YES });
  await control.changeSettings({ onlyTagged: { key: 'reconnect', value: 'yes' } });
  await clock.advance(SECOND);
  return {
    ...run,
    /** Sessions whose players are lost, and reported by nobody. */
    async drop(
      streamGroupId: string,
      count: number,
      connectionTimeoutSeconds = 120,
    ): Promise<SessionRecord[]> {
      const sessions = await control.startSessions({ streamGroupId, count, connectionTimeoutSeconds });
      await control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));
      return sessions;
    },
    outcomeOf: async ({ streamSessionId }: SessionRecord) =>
      (await run.outcomes()).find((one) => one.streamSessionId === streamSessionId),
  };
}

describe('a stream group that is recycled while players wait', () => {
  it('hands over: the new one is watched within a minute, and each player of the old one has an outcome', async () => {
    const { clock, control, gameLiftStreams, drop, outcomeOf, outcomes, window, reconnect, inTime } =
      await startFollowing();
    const waiting = await drop(OLD, 4, 3600);
    await clock.advance(10 * SECOND);

    // The new one, tagged from the start, is ACTIVE a minute later.
    const created = await inTime(() =>
      gameLiftStreams.send(
        new CreateStreamGroupCommand({ Description: 'December', StreamClass: 'gen5n_high', Tags: YES }),
      ),
    );
    const { Id: newGroup = '' } = created;
    await clock.advance(MINUTE);
    // A minute, and a look.
    await clock.advance(MINUTE + 6 * SECOND);
    const [moved] = await drop(newGroup, 1);
    await clock.advance(6 * SECOND);
    if (moved === undefined) throw new Error('No session has started.');
    expect((await window(moved)).body).toMatchObject({ phase: 'AWAITING_RECONNECTION' });

    // Players of both groups come back; of the old one, one.
    const [back, ...left] = waiting;
    if (back === undefined) throw new Error('No session has started.');
    for (const session of [moved, back]) {
      const answer = await reconnect(session);
      await control.clientConnects(session.streamSessionId, answer);
    }
    await clock.advance(10 * SECOND);
    expect([(await outcomeOf(moved))?.outcome, (await outcomeOf(back))?.outcome]).toEqual([
      'RECONNECTED',
      'RECONNECTED',
    ]);

    await inTime(() => gameLiftStreams.send(new DeleteStreamGroupCommand({ Identifier: OLD })));
    await clock.advance(30 * SECOND);

    for (const session of left) {
      expect(await outcomeOf(session)).toMatchObject({
        outcome: 'TERMINATED',
        statusReason: 'apiTerminated',
      });
    }
    await clock.advance(5 * MINUTE);
    await expect(
      inTime(() => gameLiftStreams.send(new GetStreamGroupCommand({ Identifier: OLD }))),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await outcomes()).toHaveLength(5);
    // Nothing was asked of a stream group that is not ours any more.
    expect((await control.counters()).ListStreamSessions).toMatchObject({ rejected: 0 });
  });
});

describe('a stream group that expires while players wait', () => {
  it('leaves when its last window has its outcome', async () => {
    const { clock, control, drop, outcomeOf, items } = await startFollowing();
    const [session] = await drop(OLD, 1, 90);
    if (session === undefined) throw new Error('No session has started.');
    await clock.advance(10 * SECOND);

    await control.changeStreamGroup(OLD, { status: 'EXPIRED' });
    await clock.advance(4 * MINUTE);

    expect(await outcomeOf(session)).toMatchObject({
      outcome: 'TERMINATED',
      statusReason: 'reconnectionTimeout',
    });
    expect((await items()).find(({ sk }) => sk === 'stream-groups')).toMatchObject({ watchedIds: [] });
  });
});

describe('a session whose stream group is gone at once', () => {
  it('has ended, when the time for its player is over', async () => {
    const { clock, control, drop, outcomeOf } = await startFollowing();
    await control.changeSettings({ onlyTagged: null });
    const [session] = await drop(OLD, 1, 60);
    if (session === undefined) throw new Error('No session has started.');
    await clock.advance(10 * SECOND);

    await control.removeStreamGroup(OLD);
    await clock.advance(2 * MINUTE);

    expect(await outcomeOf(session)).toMatchObject({ outcome: 'TERMINATED', statusReason: null });
  });
});

describe('a session whose stream group is gone at once, where roles have a tag', () => {
  it.each([
    ['is seen to wait', 10 * SECOND, { outcome: 'TERMINATED', statusReason: null }],
    ['is reported after the stream group has gone', 0, undefined],
  ])('that %s ends within minutes of its deadline', async (_what, seenForMs, outcome) => {
    const { clock, control, drop, outcomeOf, report, items } = await startFollowing();
    const [session] = await drop(OLD, 1, 60);
    if (session === undefined) throw new Error('No session has started.');
    await clock.advance(seenForMs);

    await control.removeStreamGroup(OLD);
    if (outcome === undefined) await report(session);
    await clock.advance(4 * MINUTE);

    if (outcome === undefined) {
      const window = (await items()).find(({ sk }) => sk === 'window');
      expect(window).toMatchObject({ phase: 'FAILED', failure: 'SessionNotFound' });
    } else {
      expect(await outcomeOf(session)).toMatchObject(outcome);
    }
  });
});

describe('stream groups that are named by id', () => {
  it('are never listed', async () => {
    const { clock, control } = await startWorkflow({ adapter: 'inProcess', watching: true });

    await clock.advance(3 * MINUTE);

    expect(await control.counters()).toMatchObject({
      ListStreamGroups: { calls: 0 },
      ListTagsForResource: { calls: 0 },
    });
  });
});
