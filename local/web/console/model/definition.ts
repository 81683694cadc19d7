import * as z from 'zod';

/** The parts of a definition that a graph is drawn from and retries are read from; the rest is only shown. */
const stateSchema = z.looseObject({
  Type: z.string(),
  Comment: z.string().optional(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  Choices: z
    .array(z.looseObject({ Next: z.string(), Condition: z.union([z.string(), z.boolean()]).optional() }))
    .default([]),
  Catch: z.array(z.looseObject({ ErrorEquals: z.array(z.string()), Next: z.string() })).default([]),
  Retry: z
    .array(
      z.looseObject({
        ErrorEquals: z.array(z.string()),
        IntervalSeconds: z.number().default(1),
        BackoffRate: z.number().default(2),
        MaxAttempts: z.number().default(3),
        MaxDelaySeconds: z.number().optional(),
        JitterStrategy: z.enum(['FULL', 'NONE']).default('NONE'),
      }),
    )
    .default([]),
});
const definitionSchema = z.looseObject({ StartAt: z.string(), States: z.record(z.string(), stateSchema) });

export type State = z.output<typeof stateSchema>;
export type Retrier = State['Retry'][number];

export interface Definition {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
  /** Each state as it was written. */
  readonly source: Readonly<Record<string, unknown>>;
}

const sourceSchema = z.looseObject({ States: z.record(z.string(), z.unknown()) });

/** @throws ZodError or SyntaxError for what is no definition; the endpoint has accepted it, so this is a bug. */
export function parseDefinition(text: string): Definition {
  const document: unknown = JSON.parse(text);
  const { StartAt, States } = definitionSchema.parse(document);
  const { States: source } = sourceSchema.parse(document);
  return { startAt: StartAt, states: new Map(Object.entries(States)), source };
}
