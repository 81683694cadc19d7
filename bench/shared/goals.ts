/** What a bench promises, in a sentence that is true when it is met. */
export interface Goal {
  readonly goal: string;
  readonly met: boolean;
}

/** The end of a bench's report: each goal with YES or NO before it. */
export function tellGoals(goals: readonly Goal[]): string {
  return goals.map(({ goal, met }) => `${(met ? 'YES' : 'NO').padEnd(4)} ${goal}\n`).join('');
}

/** A process's exit code: 0 only if all goals are met. */
export function exitCodeOf(goals: readonly Goal[]): 0 | 1 {
  return goals.every(({ met }) => met) ? 0 : 1;
}

/** Tells people what the bench is doing. Stdout is for the report. */
export function tellProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
