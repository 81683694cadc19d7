/** Runs one storm with one policy at a time, as told by `run-storms.ts`: a simulation replaces the timers of its thread. */
import { parentPort } from 'node:worker_threads';
import { z } from 'zod';
import { silenceFunctions } from '../shared/benched-service.ts';
import { allPolicies } from './policies.ts';
import { runStorm } from './run-storm.ts';
import { scenarioSchema } from './scenario.ts';

const jobSchema = z.object({
  scenario: scenarioSchema,
  policyIndex: z.int(),
  seed: z.int(),
});
export type Job = z.infer<typeof jobSchema>;

silenceFunctions();

parentPort?.on('message', (message: unknown) => {
  const { scenario, policyIndex, seed } = jobSchema.parse(message);
  const policy = allPolicies()[policyIndex];
  if (policy === undefined) throw new Error(`No policy ${policyIndex}`);
  // A rejection ends the worker, and its error event says why.
  runStorm(scenario, policy, seed).then((result) => parentPort?.postMessage(result));
});
