import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { showSession } from '../../cli/windows/show-session.ts';
import { tellHistory } from '../../cli/windows/tell-history.ts';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { outcomeKey, windowKey } from '../../functions/shared/contracts/table-keys.ts';
import { startSimulation } from '../../local/simulation/simulation.ts';

const SECOND = 1000;

/** A player who comes back through a throttled read, and drops again and stays away. */
async function startStory() {
  const simulation = await startSimulation({ service: inject('service'), adapter: 'inProcess' });
  const { clock, control, report, reconnect } = simulation;
  const session = await simulation.session({ connectionTimeoutSeconds: 60 });
  const { streamSessionId } = session;
  await control.clientDrops(streamSessionId);
  await report(session);
  await clock.advance(3 * SECOND);
  const answer = await reconnect(session);
  await control.injectFault({ kind: 'throttling', operation: 'GetStreamSession', streamSessionId });
  await clock.advance(4 * SECOND);
  await control.clientConnects(streamSessionId, answer);
  await clock.advance(30 * SECOND);
  await control.clientDrops(streamSessionId);
  await report(session);
  await clock.advance(70 * SECOND);
  return { ...simulation, told: session };
}

let story: Awaited<ReturnType<typeof startStory>>;
beforeAll(async () => {
  story = await startStory();
});
afterAll(() => story.close());

async function show(
  session: SessionKey | string,
  { stateMachineArn = story.windowMachineArn ?? '' }: { readonly stateMachineArn?: string } = {},
): Promise<string | undefined> {
  const { table, stepFunctions, clock } = story;
  const which =
    typeof session === 'string'
      ? { kind: 'SESSION_ID' as const, streamSessionId: session }
      : { kind: 'SESSION' as const, session };
  const dependencies = {
    table,
    stepFunctions,
    stateMachineArn,
    nowMs: () => clock.nowMs(),
    progress: () => {},
  };
  return (await showSession({ which, maxPages: 10 }, dependencies))?.join('\n');
}

const FACTS =
  'application arn:aws:gameliftstreams:us-west-2:123456789012:application/a-local0001, location us-west-2';

describe('npm run windows -- show', () => {
  it('tells what happened to a player, in sentences with times', async () => {
    const { told } = story;

    const text = await show(told);

    // A retry's delay is random, so the look that follows has no exact time.
    expect(
      text
        ?.replace(/00:00:0[56]\.\d{3}(?= {2}The service)/, '<retried>')
        .replace(
          /00:00:\d\d\.\d{3}(?= {2}The (service said that the player|outcome was recorded: R))/g,
          '<looked>',
        ),
    ).toBe(
      `Session sg-local0001/${told.streamSessionId}: 2 windows. All times are UTC.

Window 1: RECONNECTED, cause RECONNECTED
  ${FACTS}, 1 connection call
  2026-01-01 00:00:00.000  The player lost the connection. The session was to be kept until 2026-01-01 00:01:00.000 (60 s).
  2026-01-01 00:00:00.000  The window opened, because a feed reported the loss.
  2026-01-01 00:00:00.000  The service waited for the player to come back, until 2026-01-01 00:01:00.000.
  2026-01-01 00:00:03.050  The player asked to come back and got an answer (1 call so far).
  2026-01-01 00:00:05.050  CheckSession failed: ThrottlingException.
  2026-01-01 <retried>  The service waited for the player’s client to use the answer, until 2026-01-01 00:01:03.050.
  2026-01-01 <looked>  The service said that the player was connected, since 2026-01-01 00:00:07.050.
  2026-01-01 <looked>  The outcome was recorded: RECONNECTED, cause RECONNECTED.

Window 2: TERMINATED, cause TIMED_OUT, reconnectionTimeout
  ${FACTS}, 0 connection calls
  2026-01-01 00:00:37.050  The player lost the connection. The session was to be kept until 2026-01-01 00:01:37.050 (60 s).
  2026-01-01 00:00:37.050  The window opened, because a feed reported the loss.
  2026-01-01 00:00:37.050  The service waited for the player to come back, until 2026-01-01 00:01:37.050.
  2026-01-01 00:01:39.050  The deadline passed, and the player had not come back.
  2026-01-01 00:01:39.050  The service said that the session had ended, since 2026-01-01 00:01:37.050: TERMINATED, reconnectionTimeout.
  2026-01-01 00:01:39.050  The outcome was recorded: TERMINATED, cause TIMED_OUT.`,
    );
  });

  it('finds the stream group of a session’s id by its first execution', async () => {
    expect(await show(story.told.streamSessionId)).toBe(await show(story.told));
  });

  it('tells the outcome when Step Functions has no execution any more', async () => {
    const gone = `${story.windowMachineArn}-gone`;

    const text = await show(story.told, { stateMachineArn: gone });

    expect(text).toContain(
      '  2026-01-01 00:01:37.050  The session ended.\n  Step Functions has no execution of it: they are kept for 90 days.',
    );
    expect(text).toContain('Window 1: RECONNECTED, cause RECONNECTED\n');
  });

  it('tells a window whose execution runs what it waits for', async () => {
    const session = await story.session({ connectionTimeoutSeconds: 60 });
    await story.control.clientDrops(session.streamSessionId);
    await story.report(session);

    const text = await show(session);

    expect(text).toContain('Window 1: open, AWAITING_RECONNECTION\n');
    expect(text).toMatch(/ {2}Now the window waits for the player; 60 s are left\.$/);
  });

  it('knows nothing of a session that never dropped', async () => {
    expect(await show({ streamGroupId: 'sg-1', streamSessionId: 'nobody' })).toBe(undefined);
    expect(await show('nobody')).toBe(undefined);
  });

  it('takes a session of the same id in another stream group for another session', async () => {
    expect(await show({ ...story.told, streamGroupId: 'sg-another' })).toBe(undefined);
  });

  it('tells from the executions alone when the table has lost the session', async () => {
    const { table, told } = story;
    const before = await show(told);
    for (const Key of [windowKey(told), outcomeKey(told, 1), outcomeKey(told, 2)]) {
      await table.documents.send(new DeleteCommand({ TableName: table.name, Key }));
    }

    expect(await show(told)).toBe(before);
  });
});

describe('tellHistory', () => {
  it.each([
    [{ reportedBy: 'WATCHER' }, 'the watcher found the session waiting'],
    [{ reportedBy: 'FEED' }, 'a feed reported the loss'],
    [{ reportedBy: 'API' }, "the player's page said that it was going away"],
    // Of executions before `reportedBy`.
    [{ foundByWatcher: true }, 'the watcher found the session waiting'],
    [{}, 'a feed reported the loss'],
  ])('tells why a window opened: %j', (reported, why) => {
    const input = { streamGroupId: 'sg-1', disconnectedAtMs: 1, deadlineMs: 2, ...reported };
    const executionStartedEventDetails = { input: JSON.stringify(input) };

    const told = tellHistory([
      { id: 1, timestamp: new Date(0), type: 'ExecutionStarted', executionStartedEventDetails },
    ]);

    expect(told.map(({ text }) => text)).toContain(`The window opened, because ${why}.`);
  });

  it('tells no task token and nothing that it does not name', async () => {
    const { executionArn } = (await story.executions())[0] ?? {};
    const events = await story.history(executionArn);

    const told = JSON.stringify(tellHistory(events));

    const tokens = events.flatMap(({ taskScheduledEventDetails: task }) =>
      [...(task?.parameters ?? '').matchAll(/"taskToken":"([^"]+)"/g)].map(([, token]) => token ?? ''),
    );
    expect(tokens.length).toBeGreaterThan(0);
    for (const token of tokens) expect(told).not.toContain(token);
  });
});
