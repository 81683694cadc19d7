import fc from 'fast-check';
import type { Settings } from 'game-lift-streams-local';
import { Cast } from './cast.ts';
import type { allCommands } from './commands.ts';
import { checkDay } from './invariants.ts';
import { captureLogs } from './logs.ts';
import { startModelWorld } from './world.ts';

const LONGEST_REST_MS = 1_200_000;

const timeouts = fc.tuple(fc.constantFrom(6, 10, 25), fc.constantFrom(10, 40));
/** What every call takes, and every backoff. */
const seeds = fc.noShrink(fc.integer({ min: 1, max: 1_000_000 }));

/** Two sessions live through what happens, then through a time of rest; and everything that is promised holds. */
export function aDay(
  commands: typeof allCommands,
  habitsOfTheDay: fc.Arbitrary<Partial<Settings>> = fc.constant({}),
) {
  return fc.asyncProperty(
    seeds,
    timeouts,
    habitsOfTheDay,
    commands,
    async (seed, timeoutsSeconds, habits, day) => {
      const logs = captureLogs();
      const world = await startModelWorld(seed);
      try {
        const cast = new Cast(world);
        await cast.begin(timeoutsSeconds, habits);
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
    },
  );
}
