import { GameLiftStreamsClient, ListStreamSessionsCommand } from '@aws-sdk/client-gameliftstreams';
import { seededRandom } from 'local-server-kit';
import { beforeEach, expect, it } from 'vitest';
import { findWaiting } from '../../../../functions/shared/api/find-waiting.ts';
import type { SessionKey } from '../../../../functions/shared/contracts/index.ts';
import { MemoryTable } from '../../../../local/dynamodb/memory-table.ts';
import { InProcessClock } from '../../../../local/simulation/in-process-clock.ts';
import { memoryLog } from '../../../helpers/log.ts';
import { memoryMetrics } from '../../../helpers/metrics.ts';
import { mockClient } from '../../../helpers/mock-client.ts';
import { serviceErrors } from '../../../helpers/service-errors.ts';
import { newSession } from '../../../helpers/sessions.ts';

const service = mockClient(GameLiftStreamsClient);

beforeEach(() => {
  service.reset();
});

const listOf = (...sessions: SessionKey[]) => ({
  Items: sessions.map(({ streamGroupId, streamSessionId }) => ({
    Arn: `arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/${streamGroupId}/${streamSessionId}`,
  })),
});

function start() {
  const clock = new InProcessClock();
  const memory = new MemoryTable({ nowMs: () => clock.nowMs(), travel: () => clock.sleep(1) });
  const { table } = memory;
  const dependencies = {
    table,
    clock,
    random: seededRandom(1),
    log: memoryLog(),
    metrics: memoryMetrics(),
    gameLiftStreams: new GameLiftStreamsClient({ region: 'us-west-2' }),
    settings: { LISTS_PER_SECOND: 20 },
  };
  return {
    clock,
    memory,
    dependencies,
    /** Three seconds after the request before. */
    async find(session: SessionKey) {
      const found = findWaiting(session, dependencies);
      await clock.run(clock.nowMs() + 3000);
      return await found;
    },
  };
}

it('a session that the service lists is found', async () => {
  const { find } = start();
  const session = newSession();
  service.on(ListStreamSessionsCommand).resolves(listOf(session));

  expect(await find(session)).toEqual({ isListed: true, listed: 1 });
  expect(await find(newSession())).toEqual({ isListed: false, listed: 1 });
});

it('a list that fails takes nothing back of what the list before it said', async () => {
  const { find } = start();
  const session = newSession();
  service.on(ListStreamSessionsCommand).resolves(listOf(session));
  await find(session);
  service.on(ListStreamSessionsCommand).rejects(serviceErrors.throttling());
  await find(newSession());

  expect(await find(session)).toMatchObject({ isListed: true });
});

it('a storm of an unknown group claims its list with a few writes, not one for each request', async () => {
  const { clock, memory, dependencies } = start();
  service.on(ListStreamSessionsCommand).callsFake(async () => {
    await clock.sleep(200);
    return listOf(newSession());
  });

  for (let index = 0; index < 1000; index++) {
    clock.setTimer(index / 4, () => void findWaiting(newSession(), dependencies));
  }
  await clock.run(clock.nowMs() + 3000);

  expect(memory.writes).toBeLessThan(100);
});
