import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = join(import.meta.dirname, '../../statemachines');

const retrierSchema = z.looseObject({
  ErrorEquals: z.array(z.string()).min(1),
  IntervalSeconds: z.number().optional(),
  BackoffRate: z.number().optional(),
  MaxDelaySeconds: z.number().optional(),
  MaxAttempts: z.number().optional(),
  JitterStrategy: z.string().optional(),
});
export type Retrier = z.infer<typeof retrierSchema>;

const catcherSchema = z.looseObject({ ErrorEquals: z.array(z.string()).min(1), Next: z.string() });

const stateSchema = z.looseObject({
  Type: z.string(),
  Comment: z.string().optional(),
  Resource: z.string().optional(),
  TimeoutSeconds: z.union([z.number(), z.string()]).optional(),
  Next: z.string().optional(),
  End: z.boolean().optional(),
  Default: z.string().optional(),
  Choices: z.array(z.looseObject({ Condition: z.string(), Next: z.string() })).optional(),
  Retry: z.array(retrierSchema).optional(),
  Catch: z.array(catcherSchema).optional(),
});
export type State = z.infer<typeof stateSchema>;

const definitionSchema = z.looseObject({
  Comment: z.string().optional(),
  QueryLanguage: z.string().optional(),
  TimeoutSeconds: z.number().optional(),
  StartAt: z.string(),
  States: z.record(z.string(), stateSchema),
});
export type Definition = z.infer<typeof definitionSchema>;

export interface NamedDefinition {
  /** The file's name without its ending, such as `reconnection-window`. */
  readonly name: string;
  readonly definition: Definition;
}

/** Every definition in `statemachines/`, as it stands in its file. */
export function allDefinitions(): NamedDefinition[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.asl.yml'))
    .map((file) => ({
      name: file.replace('.asl.yml', ''),
      // The framework's YAML reader takes merge keys (<<) as well.
      definition: definitionSchema.parse(parse(readFileSync(join(folder, file), 'utf8'), { merge: true })),
    }));
}

/** The states that can follow a state, by any way but an error. */
export function nextStates(state: State): string[] {
  const choices = (state.Choices ?? []).map(({ Next }) => Next);
  return [state.Next, state.Default, ...choices].filter((next) => next !== undefined);
}
