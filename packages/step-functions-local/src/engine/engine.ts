import type { Clock, InvokeLambda } from 'local-server-kit';
import type { TaskTokens } from './task-tokens.ts';
import type { Bindings } from './template.ts';

/** What every execution of a server shares. */
export interface Engine {
  readonly clock: Clock;
  readonly random: () => number;
  readonly region: string;
  readonly invokeLambda: InvokeLambda;
  readonly tokens: TaskTokens;
  readonly functions: Bindings;
}
