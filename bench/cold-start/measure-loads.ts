import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { percentile } from '../shared/report.ts';

const run = promisify(execFile);
const loader = join(import.meta.dirname, 'load-handler.ts');
const loadSchema = z.object({ readyMs: z.number(), cpuMs: z.number() });

export interface Candidate {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Medians, in ms. */
export interface LoadTimes {
  readonly readyMs: number;
  readonly cpuMs: number;
}

/**
 * Loads two bundles by turns, each time in a process of its own, so that what else the machine does meets both.
 * The first pair warms the disk and is not counted.
 */
export async function measureLoads(
  one: Candidate,
  other: Candidate,
  runs: number,
): Promise<readonly [LoadTimes, LoadTimes]> {
  const loads: [LoadTimes[], LoadTimes[]] = [[], []];
  for (let turn = 0; turn <= runs; turn += 1) {
    const pair = [await load(one), await load(other)] as const;
    if (turn === 0) continue;
    loads[0].push(pair[0]);
    loads[1].push(pair[1]);
  }
  return [median(loads[0]), median(loads[1])];
}

async function load({ path, environment }: Candidate): Promise<LoadTimes> {
  // As Lambda has it: nothing of this shell's environment, and no instrumentation.
  const { stdout } = await run(process.execPath, [loader, path], { env: environment });
  return loadSchema.parse(JSON.parse(stdout));
}

function median(loads: readonly LoadTimes[]): LoadTimes {
  const middle = (values: readonly number[]) => Math.round(percentile(values, 0.5) * 10) / 10;
  return {
    readyMs: middle(loads.map(({ readyMs }) => readyMs)),
    cpuMs: middle(loads.map(({ cpuMs }) => cpuMs)),
  };
}
