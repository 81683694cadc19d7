import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { percentile } from '../shared/report.ts';

const run = promisify(execFile);
const loader = join(import.meta.dirname, 'load-handler.ts');
const loadSchema = z.object({ readyMs: z.number(), cpuMs: z.number() });

/** Medians, in ms. */
export interface LoadTimes {
  readonly readyMs: number;
  readonly cpuMs: number;
}

/**
 * Loads bundles by turns, each time in a process of its own, so that what else the machine does meets all of them.
 * The first turn warms the disk and is not counted.
 */
export async function measureLoads(
  paths: readonly string[],
  environment: Readonly<Record<string, string>>,
  runs: number,
): Promise<readonly LoadTimes[]> {
  const loads: LoadTimes[][] = paths.map(() => []);
  for (let turn = 0; turn <= runs; turn += 1) {
    for (const [index, path] of paths.entries()) {
      const times = await load(path, environment);
      if (turn > 0) loads[index]?.push(times);
    }
  }
  return loads.map(median);
}

async function load(path: string, environment: Readonly<Record<string, string>>): Promise<LoadTimes> {
  // As Lambda has it: nothing of this shell's environment, and no instrumentation.
  const { stdout } = await run(process.execPath, [loader, path], { env: { ...environment } });
  return loadSchema.parse(JSON.parse(stdout));
}

function median(loads: readonly LoadTimes[]): LoadTimes {
  const middle = (values: readonly number[]) => Math.round(percentile(values, 0.5) * 10) / 10;
  return {
    readyMs: middle(loads.map(({ readyMs }) => readyMs)),
    cpuMs: middle(loads.map(({ cpuMs }) => cpuMs)),
  };
}
