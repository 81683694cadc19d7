import { MINUTE, type World } from '../world.ts';
import { CALLS } from './calls.ts';
import { LEAVING } from './leaving.ts';
import type { Scenario } from './scenario.ts';
import { WATCHER } from './watcher.ts';
import { WINDOWS } from './windows.ts';

const OPERATIONS = [
  'CreateStreamSessionAdminShell',
  'CreateStreamSessionConnection',
  'GetStreamSession',
  'ListStreamSessions',
  'TerminateStreamSession',
];

type Invocation = (functionKey: string, count: number) => boolean;

/** Until then, each function of a story has taken its first permit. */
const early: Invocation = (_, count) => count <= 4;

/** Between them they lead every function that takes a permit to the permits, and say before which invocations. */
const STORIES: Readonly<Record<string, Invocation>> = {
  // The second drop is reported third; what is booked before delays the story until no read is needed.
  'a player drops again so soon that only the service can tell': (functionKey, count) =>
    functionKey === 'onStatusChange' && count === 3,
  'a player proves whose session it is': early,
  'a player who proves whose session it is leaves while reads are scarce': early,
  'an operator opens a shell, through throttling': early,
  'a session outlives its window, and is ended': early,
  'the watcher finds a disconnect, and sees the player back whom another caller has saved': early,
};

export const CLOCKS: readonly Scenario[] = [...WINDOWS, ...CALLS, ...WATCHER, ...LEAVING].flatMap(
  (scenario) => {
    const isBookedBefore = STORIES[scenario.name];
    if (isBookedBefore === undefined) return [];
    return {
      ...scenario,
      name: `${scenario.name}, after a clock ten minutes ahead has booked`,
      play: async (world) => {
        const invocations = new Map<string, number>();
        world.injector.beforeInvocation = (functionKey) => {
          const count = (invocations.get(functionKey) ?? 0) + 1;
          invocations.set(functionKey, count);
          if (isBookedBefore(functionKey, count)) bookAhead(world);
        };
        return scenario.play(world);
      },
    } satisfies Scenario;
  },
);

/** Every permit is taken for the next ten minutes, as far as the table says. */
function bookAhead({ items, clock }: World): void {
  for (const operation of OPERATIONS) {
    for (const lane of ['', '#low']) {
      const key = { pk: `permit#${operation}${lane}`, sk: 'permit' };
      items.answer('PutCommand', { Item: { ...key, bookedUntilMs: clock.nowMs() + 10 * MINUTE } });
    }
  }
}
