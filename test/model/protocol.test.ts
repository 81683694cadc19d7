import fc from 'fast-check';
import { describe, it } from 'vitest';
import { Cast } from './cast.ts';
import { allCommands, everydayCommands } from './commands.ts';
import { checkDay } from './invariants.ts';
import { captureLogs } from './logs.ts';
import { startModelWorld } from './world.ts';

/** `RUNS=2000 npm run model` for thousands; every other `npm test` tries the same few. */
const runs = (few: number) => Number(process.env['RUNS'] ?? few);
const LONGEST_REST_MS = 1_200_000;

const timeouts = fc.tuple(fc.constantFrom(6, 10, 25), fc.constantFrom(10, 40));
const seeds = fc.noShrink(fc.integer({ min: 1, max: 1_000_000 }));

function aDay(commands: typeof allCommands) {
  return fc.asyncProperty(seeds, timeouts, commands, async (seed, timeoutsSeconds, day) => {
    const logs = captureLogs();
    const world = await startModelWorld(seed);
    try {
      const cast = new Cast(world);
      await cast.begin(timeoutsSeconds);
      await fc.asyncModelRun(() => ({ model: {}, real: cast }), day);
      await cast.rest(LONGEST_REST_MS);
      await checkDay(cast, logs.lines);
    } catch (error) {
      if (error instanceof Error) error.message += `\nmishaps: ${world.mishaps.join('; ')}`;
      throw error;
    } finally {
      logs.release();
      await world.close();
    }
  });
}

describe('whatever players, feeds and applications do, every disconnect has its one right outcome', () => {
  it('on days on which nothing else goes wrong', async () => {
    await fc.assert(aDay(everydayCommands), { numRuns: runs(25) });
  }, 36_000_000);

  it('on days on which calls fail, processes die and executions are stopped', async () => {
    await fc.assert(aDay(allCommands), { numRuns: runs(40) });
  }, 36_000_000);
});
