/**
 * What players, backends, operators and feeds do, one story for each way through the functions. Nobody in a story
 * waits for what a fault may hold up: they ask again as they are told to, and go on.
 */
import { CALLS } from './scenarios/calls.ts';
import { CLOCKS } from './scenarios/clocks.ts';
import { EXECUTIONS } from './scenarios/executions.ts';
import { FEEDS } from './scenarios/feeds.ts';
import { HABITS } from './scenarios/habits.ts';
import { LEAVING } from './scenarios/leaving.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { WATCHER } from './scenarios/watcher.ts';
import { WINDOWS } from './scenarios/windows.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...WINDOWS,
  ...WATCHER,
  ...EXECUTIONS,
  ...FEEDS,
  ...CALLS,
  ...LEAVING,
  ...HABITS,
  ...CLOCKS,
];
