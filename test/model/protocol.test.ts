import fc from 'fast-check';
import { describe, it } from 'vitest';
import { aDay } from './a-day.ts';
import { allCommands, everydayCommands } from './commands.ts';
import { serviceHabits } from './habits.ts';

/** `RUNS=2000 npm run model` for thousands; every `npm test` tries the same few. */
const runs = (few: number) => Number(process.env['RUNS'] ?? few);
const HOURS_MS = 36_000_000;

/** The same days, which say every now and then how many have passed where there are thousands. */
function days(...[commands, habits]: Parameters<typeof aDay>) {
  let passed = 0;
  return aDay(commands, habits).afterEach(() => {
    passed++;
    if (process.env['RUNS'] !== undefined && passed % 100 === 0) console.log(`${passed} days`);
  });
}

describe('whatever players, feeds and applications do, every disconnect has its one right outcome', () => {
  it(
    'on days on which nothing else goes wrong',
    async () => {
      await fc.assert(days(everydayCommands, serviceHabits), { numRuns: runs(25) });
    },
    HOURS_MS,
  );

  it(
    'on days on which calls fail, processes die and executions are stopped',
    async () => {
      await fc.assert(days(allCommands, serviceHabits), { numRuns: runs(40) });
    },
    HOURS_MS,
  );
});
