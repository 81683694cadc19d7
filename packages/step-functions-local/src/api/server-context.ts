import type { Engine } from '../engine/engine.ts';
import type { Execution } from '../engine/execution.ts';
import type { Executions } from '../engine/executions.ts';
import type { StateMachines } from '../engine/state-machines.ts';
import type { Place } from './arns.ts';
import type { StartThrottle } from './start-quota.ts';

/** What the operations of one server work on. */
export interface ServerContext {
  readonly place: Place;
  readonly engine: Engine;
  readonly machines: StateMachines;
  readonly executions: Executions;
  readonly starts: StartThrottle;
  /** For the names of executions that come without one. */
  readonly uniqueId: () => string;
  /** Called when a Standard execution has begun, and when it has ended. */
  readonly announce: (execution: Execution) => void;
}
