import type { StateMachineType } from '../definition/schema.ts';
import type { Program } from './machine.ts';

export interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly type: StateMachineType;
  readonly roleArn: string;
  /** As it was sent, character by character. */
  readonly definitionText: string;
  readonly program: Program;
  readonly createdMs: number;
  readonly loggingConfiguration: Readonly<Record<string, unknown>>;
  readonly tracingConfiguration: Readonly<Record<string, unknown>>;
}

/** The machines of one server, in the order of their creation. */
export class StateMachines {
  readonly #byArn = new Map<string, StateMachine>();

  get(arn: string): StateMachine | undefined {
    return this.#byArn.get(arn);
  }

  add(machine: StateMachine): void {
    this.#byArn.set(machine.arn, machine);
  }

  all(): readonly StateMachine[] {
    return [...this.#byArn.values()];
  }
}
