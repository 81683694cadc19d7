import { inject, onTestFinished } from 'vitest';
import {
  type Simulation,
  type SimulationOptions,
  startSimulation,
} from '../../local/simulation/simulation.ts';

export type WorkflowOptions = Partial<SimulationOptions>;

/**
 * Simulates the service as `serverless.yml` has it, until the test ends. In one process without sockets and with the table in
 * memory, which takes a tenth of the time; `adapter: 'loopback'` is for what only a socket or dynalite can show.
 */
export async function startWorkflow(options: WorkflowOptions = {}): Promise<Simulation> {
  const simulation = await startSimulation({ service: inject('service'), adapter: 'inProcess', ...options });
  onTestFinished(() => simulation.close());
  return simulation;
}
