import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CallPoint, nameOf } from './call-points.ts';
import { ANYBODY, callSitesOf } from './call-sites.ts';
import { FAULTS, type Fault, type Plan } from './fault-injector.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { ROOT } from './sources.ts';
import { wrongsOf } from './verdict.ts';
import { startWorld, type World } from './world.ts';

/** `npm run faults`: every fault at every call of every scenario, at the first call of a point and at the last one. */
const ALL = process.env['FAULTS'] === 'all';
/** The two that tell the most: a call that has had its effect unheard, and one that has had none. */
const MOST_TELLING: readonly Fault[] = ['KILLED_AFTER', 'ERROR_BEFORE'];

/** What any scenario has reached. */
const reached: CallPoint[] = [];
const tried = new Set<string>();
let runs = 0;

/** Plays the scenario with one fault, and tells what is wrong in the end. */
async function play({ play: story, isDeaf }: Scenario, world: World, plan?: Plan): Promise<string[]> {
  world.forgetGroups();
  world.injector.start(plan);
  const givenUpBefore = await world.givenUp();
  runs++;
  try {
    const expected = await story(world);
    await world.settle();
    // What no policy allows is no fault that a retry mends; the next window of the disconnect does.
    const redEnds = (expected.redEnds ?? 0) + (plan?.fault === 'REFUSED' ? 1 : 0);
    const wrongs = await wrongsOf(world, { ...expected, redEnds });
    if (plan !== undefined && world.injector.hits === 0) wrongs.push('the fault met no call');
    if (isDeaf !== true && (await world.givenUp()) > givenUpBefore) wrongs.push('an event was given up');
    return wrongs;
  } catch (error) {
    return [`the story broke off: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`];
  }
}

function plansFor({ isDeaf, hasNoRetryLeft }: Scenario, points: readonly CallPoint[]): Plan[] {
  // A refused call ends its execution red, and these stories have taken away what comes after that.
  const faults = FAULTS.filter((fault) => fault !== 'REFUSED' || (isDeaf ?? hasNoRetryLeft) !== true);
  const counts = new Map<string, number>();
  for (const point of points) counts.set(nameOf(point), (counts.get(nameOf(point)) ?? 0) + 1);
  return [...counts].flatMap(([point, count]) => {
    if (!ALL && tried.has(point)) return [];
    tried.add(point);
    const occurrences = ALL ? [...new Set([1, count])] : [1];
    return occurrences.flatMap((occurrence) =>
      (ALL ? faults : MOST_TELLING).map((fault) => ({ point, occurrence, times: 1, fault })),
    );
  });
}

/** For whoever waits for the many runs. */
function report({ name }: Scenario, wrong: readonly string[]): void {
  console.log([`${runs} runs so far, after: ${name}`, ...wrong].join('\n  '));
}

describe('one window, one outcome, the right one, whatever call goes wrong', () => {
  it.each(SCENARIOS)(
    '$name',
    async (scenario) => {
      const world = await (scenario.start ?? startWorld)();
      expect(await play(scenario, world)).toEqual([]);
      const points = [...world.injector.reached];
      reached.push(...points);

      const wrong: string[] = [];
      for (const plan of plansFor(scenario, points)) {
        const wrongs = await play(scenario, world, plan);
        if (wrongs.length > 0) {
          wrong.push(`${plan.fault} at call ${plan.occurrence} of ${plan.point}: ${wrongs.join('; ')}`);
        }
      }

      if (ALL) report(scenario, wrong);
      expect(wrong).toEqual([]);
    },
    ALL ? 1_200_000 : 120_000,
  );
});

describe('every call that a function can send', async () => {
  const folders = (await readdir(join(ROOT, 'functions'))).filter((folder) => folder !== 'shared');

  it.each(folders)('is reached by a scenario: %s', async (folder) => {
    const functionKey = folder.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const { ways, commands } = await callSitesOf(folder);
    const ofFunction = reached.filter((point) => point.functionKey === functionKey);

    const reachedWays = new Set(ofFunction.flatMap(({ way }) => [way, way.replace(/^\S+/, ANYBODY)]));
    expect([...ways].filter((way) => !reachedWays.has(way))).toEqual([]);
    const reachedCommands = new Set(ofFunction.map(({ command }) => command));
    expect([...commands].filter((command) => !reachedCommands.has(command))).toEqual([]);
  });

  it('is met by a fault', () => {
    console.log(`${new Set(reached.map(nameOf)).size} points, ${runs} runs`);
    expect(reached.length).toBeGreaterThan(0);
  });
});
