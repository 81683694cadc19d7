import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 12;

/** Prints which test files took longest, imports and hooks included: where a run's time goes. */
export default class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length < 2) return;
    const files = modules.map((module) => {
      const { collectDuration, duration, prepareDuration, setupDuration } = module.diagnostic();
      return { module, seconds: (collectDuration + duration + prepareDuration + setupDuration) / 1000 };
    });
    const slowest = files.toSorted((one, other) => other.seconds - one.seconds).slice(0, SHOWN);
    console.log(`The slowest of ${modules.length} files, in seconds:`);
    for (const { module, seconds } of slowest) {
      const tests = [...module.children.allTests()].length;
      console.log(
        `${seconds.toFixed(1).padStart(7)}  ${relative(process.cwd(), module.moduleId)} (${tests} tests)`,
      );
    }
  }
}
