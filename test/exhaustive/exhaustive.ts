import { expect, it } from 'vitest';
import { z } from 'zod';
import { type Exploration, explore, type Scenario } from './explore.ts';
import { importMutant, type Mutation } from './mutants.ts';
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

/** A test for each mutation: some history shows what it breaks. */
export function itFindsTheBugs<Code>(
  entry: string,
  mutations: readonly (Mutation & { readonly name: string; readonly shows: RegExp })[],
  codeOf: (mutant: Readonly<Record<string, unknown>>) => Code,
  budget: Partial<Budget>,
  prepare: (world: World, code: Code) => Scenario,
): void {
  it.each(mutations)('finds the bug: $name', async ({ shows, ...mutation }) => {
    const exports = z
      .record(z.string(), z.unknown())
      .parse({ ...Object(await importMutant(entry, mutation)) });
    const code = codeOf(exports);

    const exploring = explore({ deaths: 0, failures: 0, ...budget }, (world) => prepare(world, code));

    await expect(exploring).rejects.toMatchObject({
      name: 'Counterexample',
      message: expect.stringMatching(shows),
    });
  });
}

/** A function that a mutant exports, of the same type as the one that it was made from. */
export function exported<Fn extends (...parameters: never[]) => unknown>(
  mutant: Readonly<Record<string, unknown>>,
  { name }: Fn,
): Fn {
  return z.custom<Fn>((value) => typeof value === 'function').parse(mutant[name]);
}

function describeExploration(name: string, { states, transitions, ends, deepest }: Exploration): string {
  return `${name}: ${states} states, ${transitions} transitions, ${ends} ends, ${deepest} steps at most`;
}
