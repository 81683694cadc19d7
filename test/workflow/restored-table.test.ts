import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { allItems } from '../helpers/table.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The service with its watcher, and its table as a backup had it. docs/runbook.md, "Restore the table from a backup". */
async function start() {
  const run = await startWorkflow({ watching: true, adapter: 'inProcess' });
  const { clock, control, table } = run;
  await clock.advance(SECOND);
  return {
    ...run,
    backUp: async () => structuredClone(await allItems(table)),
    async restore(items: readonly Record<string, unknown>[]) {
      for (const { pk, sk } of await allItems(table)) {
        await table.documents.send(new DeleteCommand({ TableName: table.name, Key: { pk, sk } }));
      }
      for (const Item of items) {
        await table.documents.send(new PutCommand({ TableName: table.name, Item }));
      }
    },
    /** A player who drops and is back half a minute later, and what was recorded. */
    async dropsAndReturns(session: Awaited<ReturnType<typeof run.session>>) {
      await control.clientDrops(session.streamSessionId);
      await clock.advance(30 * SECOND);
      await control.clientConnects(session.streamSessionId, await run.reconnect(session));
      await clock.advance(10 * SECOND);
    },
  };
}

describe('a table that was restored from a backup', () => {
  it('opens the next window under a free name, when a name of its past is taken', async () => {
    const { clock, session, dropsAndReturns, backUp, restore, outcomes, executions } = await start();
    const player = await session({ connectionTimeoutSeconds: 120 });
    await dropsAndReturns(player);
    const items = await backUp();
    await dropsAndReturns(player);
    await clock.advance(10 * MINUTE);

    await restore(items);
    await dropsAndReturns(player);

    // Window 2 was lost with the table; its event and its execution's name were not.
    expect(await outcomes(player)).toMatchObject([
      { outcome: 'RECONNECTED', generation: 1 },
      { outcome: 'RECONNECTED', generation: 2 },
      { outcome: 'RECONNECTED', generation: 3 },
    ]);
    expect((await executions()).map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  });

  it('ends the windows that it has as open, though their executions have ended', async () => {
    const { clock, control, session, reconnect, backUp, restore, outcomes, executions, window } =
      await start();
    const player = await session({ connectionTimeoutSeconds: 120 });
    await control.clientDrops(player.streamSessionId);
    await clock.advance(10 * SECOND);
    const items = await backUp();
    await control.clientConnects(player.streamSessionId, await reconnect(player));
    await clock.advance(MINUTE);

    await restore(items);
    await clock.advance(10 * MINUTE);

    // The restored window's disconnect has its outcome once more, under the next number.
    expect((await outcomes(player)).map(({ generation }) => generation)).toEqual([1, 2]);
    expect((await window(player)).body).toMatchObject({ phase: 'CLOSED' });
    expect((await executions()).filter(({ status }) => status === 'FAILED' || status === 'RUNNING')).toEqual(
      [],
    );
  });

  it('lets a player reconnect at once, with permits that were booked an hour ago', async () => {
    const { clock, control, session, dropsAndReturns, backUp, restore, outcomes, ...run } = await start();
    const player = await session({ connectionTimeoutSeconds: 120 });
    await dropsAndReturns(player);
    const items = await backUp();
    await clock.advance(60 * MINUTE);

    await restore(items);
    const other = await session({ connectionTimeoutSeconds: 120 });
    await control.clientDrops(other.streamSessionId);
    await clock.advance(10 * SECOND);
    const askedAtMs = clock.nowMs();
    await control.clientConnects(other.streamSessionId, await run.reconnect(other));

    expect(clock.nowMs() - askedAtMs).toBeLessThan(2 * SECOND);
    await clock.advance(10 * SECOND);
    expect(await outcomes(other)).toMatchObject([{ outcome: 'RECONNECTED', generation: 1 }]);
  });
});
