/**
 * Every history of a small world, depth first. Code that runs cannot be copied, so each branch is reached by
 * running everything again from the beginning, by the same choices; and two histories that come to the same
 * state (the table's, the world's, and what each process has seen so far) have the same future, which is looked
 * at once.
 */
import { type Budget, type Choice, digest, World } from './world.ts';

export interface Scenario {
  /** What may happen besides the processes' own steps. */
  readonly events?: () => readonly Choice[];
  /** All that the future depends on besides the processes. */
  readonly state: () => unknown;
  /** Holds in every state. */
  readonly always?: () => void;
  /** Holds when every process has ended, whatever else may happen yet. */
  readonly whenQuiet?: () => void;
  /** Holds when nothing can happen any more. */
  readonly atEnd?: () => void;
}

export interface Exploration {
  /** Different states, all of them looked at. */
  readonly states: number;
  /** Ways from one of them to the next. */
  readonly transitions: number;
  /** Histories that ran to their end. */
  readonly ends: number;
  readonly deepest: number;
}

/** A property does not hold; the message is the history that shows it. */
export class Counterexample extends Error {
  override readonly name = 'Counterexample';

  constructor(steps: readonly string[], cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause);
    super(`${what}\nafter:\n${steps.map((step) => `  ${step}`).join('\n')}`, { cause });
  }
}

/**
 * @throws Counterexample
 * @throws RangeError when there are more states than `maxStates`: then it was no exhaustive look.
 */
export async function explore(
  budget: Budget,
  prepare: (world: World) => Scenario,
  { maxStates = 1_000_000 }: { readonly maxStates?: number } = {},
): Promise<Exploration> {
  const known = new Set<string>();
  const branches: (readonly number[])[] = [[]];
  let transitions = 0;
  let ends = 0;
  let deepest = 0;
  for (let branch = branches.pop(); branch !== undefined; branch = branches.pop()) {
    const world = new World(budget);
    const scenario = prepare(world);
    const taken: string[] = [];
    const path: number[] = [];
    try {
      await settle();
      for (;;) {
        world.throwUnexpected();
        const isReplay = path.length < branch.length;
        const { choices: steps, isForced } = world.choices();
        const choices = isForced ? steps : [...steps, ...(scenario.events?.() ?? [])];
        if (!isReplay) {
          scenario.always?.();
          if (world.isQuiet()) scenario.whenQuiet?.();
          const key = digest([scenario.state(), world.state()]);
          if (known.has(key)) break;
          known.add(key);
          if (known.size > maxStates) throw new RangeError(`More than ${maxStates} states.`);
          deepest = Math.max(deepest, path.length);
          if (choices.length === 0) {
            ends++;
            scenario.atEnd?.();
            break;
          }
          for (let other = choices.length - 1; other > 0; other--) branches.push([...path, other]);
        }
        const index = branch[path.length] ?? 0;
        const choice = choices[index];
        if (choice === undefined) throw new Error('The same choices have led elsewhere.');
        if (!isReplay || path.length === branch.length - 1) transitions++;
        path.push(index);
        taken.push(choice.label);
        choice.happen();
        await settle();
      }
    } catch (error) {
      throw error instanceof RangeError ? error : new Counterexample(taken, error);
    }
  }
  return { states: known.size, transitions, ends, deepest };
}

/** What can go on without another choice has gone on when the event loop comes round. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
