import { inject, onTestFinished } from 'vitest';
import {
  type Simulation,
  type SimulationOptions,
  startSimulation,
} from '../../local/simulation/simulation.ts';

export type WorkflowOptions = Partial<SimulationOptions>;

/** A simulation of the service as `serverless.yml` has it, until the test ends. Over loopback, unless told otherwise. */
export async function startWorkflow(options: WorkflowOptions = {}): Promise<Simulation> {
  const simulation = await startSimulation({ service: inject('service'), adapter: 'loopback', ...options });
  onTestFinished(() => simulation.close());
  return simulation;
}
