import { expect, it } from 'vitest';
import { type Exploration, explore, type Scenario } from './explore.ts';
import type { Budget, World } from './world.ts';

/** `npm run model` looks at the larger worlds too, for minutes. */
export const isLarge = process.env['MODEL'] === 'large';

export interface Size<Options> {
  readonly name: string;
  readonly budget?: Partial<Budget>;
  readonly options: Options;
  /** Too many states for every run of the tests. */
  readonly large?: boolean;
}

/** A test for each size of one scenario: every history is looked at, and each ends well. */
export function itHoldsInEveryHistory<Options>(
  sizes: readonly Size<Options>[],
  prepare: (world: World, options: Options) => Scenario,
): void {
  for (const { name, budget, options, large = false } of sizes) {
    it.runIf(isLarge || !large)(
      name,
      async () => {
        const found = await explore({ deaths: 0, failures: 0, ...budget }, (world) =>
          prepare(world, options),
        );

        expect(found.ends).toBeGreaterThan(0);
        if (isLarge) console.log(describeExploration(name, found));
      },
      1_800_000,
    );
  }
}

/** What is wrong with the code, by which functions, and the counterexample that shows it. */
export interface Bug<Code> {
  readonly name: string;
  /** Replaces the right functions. */
  readonly code: Partial<Code>;
  readonly shows: RegExp;
}

/** A test for each bug: some history shows what it breaks. */
export function itFindsTheBugs<Code>(
  realCode: Code,
  bugs: readonly Bug<Code>[],
  budget: Partial<Budget>,
  prepare: (world: World, code: Code) => Scenario,
): void {
  it.each(bugs)('finds the bug: $name', async ({ shows, code }) => {
    const exploring = explore({ deaths: 0, failures: 0, ...budget }, (world) =>
      prepare(world, { ...realCode, ...code }),
    );

    await expect(exploring).rejects.toMatchObject({
      name: 'Counterexample',
      message: expect.stringMatching(shows),
    });
  });
}

function describeExploration(name: string, { states, transitions, ends, deepest }: Exploration): string {
  return `${name}: ${states} states, ${transitions} transitions, ${ends} ends, ${deepest} steps at most`;
}
