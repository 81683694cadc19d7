import { describe, expect, it } from 'vitest';
import { drainGroup, foretellDrain } from '../../cli/windows/drain-group.ts';
import { DRAIN_CACHE_MS, drainReader, readDrain, writeDrain } from '../../functions/shared/window/drain.ts';
import { failNext } from '../helpers/failing-table.ts';
import { memoryLog } from '../helpers/log.ts';
import { useTable } from '../helpers/table.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

async function startOperator() {
  const run = await startWorkflow({ adapter: 'inProcess' });
  const { clock, table, stepFunctions, control } = run;
  const told: string[] = [];
  const dependencies = {
    table,
    stepFunctions,
    clock,
    tellLine: (line: string) => told.push(line),
    progress: () => {},
  };
  const drops = async (connectionTimeoutSeconds = 600) => {
    const session = await run.session({ connectionTimeoutSeconds });
    await control.clientDrops(session.streamSessionId);
    await run.report(session);
    return session;
  };
  return { ...run, told, dependencies, drops };
}

describe('npm run windows -- drain', () => {
  it('ends what still waits at its end, also what drops meanwhile, and no connected session', async () => {
    const { clock, control, dependencies, told, drops, reconnect, report, outcomes, ...run } =
      await startOperator();
    const waits = await drops();
    const comesBack = await drops();
    const connected = await run.session({ connectionTimeoutSeconds: 600 });
    const dropsLater = await run.session({ connectionTimeoutSeconds: 600 });
    const group = waits.streamGroupId;

    const drained = await run.inTime(() => drainGroup({ group, withinSeconds: 60 }, dependencies));
    const answer = await reconnect(comesBack);
    await control.clientConnects(comesBack.streamSessionId, answer);
    await control.clientDrops(dropsLater.streamSessionId);
    await report(dropsLater);
    await clock.advance(40 * SECOND);
    const before = await Promise.all([waits, dropsLater].map((session) => outcomes(session)));
    await clock.advance(40 * SECOND);

    expect(drained).toEqual({ windows: 2 });
    expect(told.join('\n')).toMatch(
      /^sg-local0001 drains until \S+\. Reconnections work until then\.\n2 windows told\./,
    );
    expect(before).toEqual([[], []]);
    for (const session of [waits, dropsLater]) {
      expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'OPERATOR' }]);
    }
    expect(await outcomes(comesBack)).toMatchObject([{ outcome: 'RECONNECTED' }]);
    for (const session of [connected, comesBack]) {
      expect((await control.session(session.streamSessionId)).status).toBe('CONNECTED');
    }
  });

  it('ends a window whose execution could not be woken at the first try', async () => {
    const { clock, stepFunctions, dependencies, told, drops, outcomes, ...run } = await startOperator();
    const session = await drops();
    let isDown = true;
    stepFunctions.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName !== 'SendTaskSuccessCommand' || !isDown) return next(args);
          isDown = false;
          throw new Error('no reply');
        },
      { step: 'initialize' },
    );

    const group = session.streamGroupId;
    const drained = await run.inTime(() => drainGroup({ group, withinSeconds: 60 }, dependencies));
    await clock.advance(80 * SECOND);

    expect(drained).toEqual({ windows: 1 });
    expect(told[1]).toMatch(/^0 windows told\./);
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'OPERATOR' }]);
  });

  it('says with --dry-run how many windows it would bring forward, and changes nothing', async () => {
    const { drops, dependencies, told, table } = await startOperator();
    const { streamGroupId: group } = await drops(600);
    await drops(20);

    await foretellDrain({ group, withinSeconds: 60 }, dependencies);

    expect(told).toEqual([
      '2 open windows in sg-local0001; a drain within 60 s would bring 1 forward. Nothing was changed.',
    ]);
    expect(await readDrain(table, group)).toBe(undefined);
  });
});

describe('a drain', () => {
  const table = useTable();
  const NOW_MS = Date.UTC(2026, 0, 1, 12);

  function reader() {
    let nowMs = NOW_MS;
    const log = memoryLog();
    const clock = { nowMs: () => nowMs, sleep: async () => {}, setTimer: () => () => {} };
    const drainEnd = drainReader({ table: table(), clock });
    return {
      end: (group: string) => drainEnd(group, log),
      pass: (ms: number) => {
        nowMs += ms;
      },
    };
  }

  it('is heard of within five seconds, and over at its end', async () => {
    const { end, pass } = reader();
    const endsAtMs = NOW_MS + 60_000;
    expect(await end('sg-heard')).toBe(undefined);
    await writeDrain(table(), 'sg-heard', { endsAtMs, nowMs: NOW_MS });

    pass(DRAIN_CACHE_MS);
    expect(await end('sg-heard')).toBe(endsAtMs);
    expect(await end('sg-another')).toBe(undefined);

    pass(60_000);
    expect(await end('sg-heard')).toBe(undefined);
  });

  it('is as it was last known while the table cannot be read', async () => {
    const { end, pass } = reader();
    await writeDrain(table(), 'sg-kept', { endsAtMs: NOW_MS + 60_000, nowMs: NOW_MS });
    const known = await end('sg-kept');
    pass(DRAIN_CACHE_MS);
    failNext(table(), 'GetItemCommand', 'BEFORE');

    expect(await end('sg-kept')).toBe(known);
  });
});
