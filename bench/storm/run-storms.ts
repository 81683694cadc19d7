/** Runs storms on every core: each storm and policy is a simulation of its own, with its own seed. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { allPolicies } from './policies.ts';
import type { Cell } from './report.ts';
import type { StormResult } from './run-storm.ts';
import { nameOf, type Scenario } from './scenario.ts';
import type { Job } from './worker.ts';

export interface RunStormsOptions {
  readonly seed: number;
  /** Called when a storm has run with every policy, in the order of the storms. */
  readonly onCell?: (cell: Cell) => void;
  /** Called with a line for people when a simulation begins or ends. */
  readonly onProgress?: (line: string) => void;
}

export async function runStorms(
  scenarios: readonly Scenario[],
  { seed, onCell = () => {}, onProgress = () => {} }: RunStormsOptions,
): Promise<Cell[]> {
  const policies = allPolicies().map(({ name }) => name);
  const jobs = scenarios.flatMap((scenario, storm) =>
    policies.map((_, policy) => ({ scenario, storm, policy })),
  );
  const cells = scenarios.map((scenario) => ({ scenario, results: [] as (StormResult | undefined)[] }));
  const startMs = performance.now();
  const seconds = () => ((performance.now() - startMs) / 1000).toFixed(0);
  let next = 0;
  let done = 0;
  let told = 0;

  const work = async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
        const { scenario, storm, policy } = job;
        const of = `${nameOf(scenario)}, ${policies[policy]}`;
        onProgress(`${seconds()} s: ${of} begins`);
        const result = await runOn(worker, { scenario, policyIndex: policy, seed });
        done++;
        onProgress(`${seconds()} s: ${done}/${jobs.length} ${of}: ${result.saved} of ${result.bound} saved`);
        const cell = cells[storm];
        if (cell === undefined) continue;
        cell.results[policy] = result;
        for (let ready = finished(cells[told]); ready !== undefined; ready = finished(cells[told])) {
          onCell(ready);
          told++;
        }
      }
    } finally {
      await worker.terminate();
    }
  };
  const finished = (cell: (typeof cells)[number] | undefined): Cell | undefined => {
    const results = cell?.results.filter((result) => result !== undefined) ?? [];
    return cell !== undefined && results.length === policies.length
      ? { scenario: cell.scenario, results }
      : undefined;
  };

  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, work));
  return cells.flatMap((cell) => finished(cell) ?? []);
}

async function runOn(worker: Worker, job: Job): Promise<StormResult> {
  const ending = new AbortController();
  try {
    const ended = once(worker, 'exit', { signal: ending.signal }).then(([code]) => {
      throw new Error(`The worker ended with code ${String(code)}.`);
    });
    // Rejects with what the worker has thrown.
    const replied = once(worker, 'message', { signal: ending.signal });
    worker.postMessage(job);
    const [result] = await Promise.race([replied, ended]);
    return result;
  } finally {
    ending.abort();
  }
}
