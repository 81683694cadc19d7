import * as z from 'zod';

/** How an execution's window ended, as its output says it. */
export interface WindowEnd {
  readonly outcome: string;
  /** Undefined in outputs of a version before it. */
  readonly cause: string | undefined;
}

const outputSchema = z.object({ outcome: z.string(), cause: z.string().optional() });

/** Returns undefined for an execution that has no output, or one without an outcome. */
export function windowEndOf(output: string | undefined): WindowEnd | undefined {
  if (output === undefined) return undefined;
  try {
    const { outcome, cause } = outputSchema.parse(JSON.parse(output));
    return { outcome, cause };
  } catch {
    return undefined;
  }
}

export interface EndFilter {
  readonly outcome: string | undefined;
  readonly cause: string | undefined;
}

/** Whether an execution is among those that are asked for. One without an outcome is only while nothing is. */
export function isWanted(end: WindowEnd | undefined, { outcome, cause }: EndFilter): boolean {
  return (outcome === undefined || end?.outcome === outcome) && (cause === undefined || end?.cause === cause);
}
