import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const retrierSchema = z.object({
  ErrorEquals: z.array(z.string()),
  IntervalSeconds: z.number(),
  BackoffRate: z.number(),
  MaxDelaySeconds: z.number(),
  MaxAttempts: z.number(),
  JitterStrategy: z.literal('FULL'),
});
const definitionSchema = z.object({
  States: z.object({ CreateConnection: z.object({ Retry: z.array(retrierSchema) }) }),
});

/** The shipped machine's own `Retry`; one policy serves one execution, for each retrier counts its attempts. */
export class RetryPolicy {
  static readonly #retriers = readRetriers();
  readonly #attempts = new Map<object, number>();

  /** How long to wait before the next attempt, or undefined when the execution fails. */
  delayMs(errorName: string, random: () => number): number | undefined {
    const retrier = RetryPolicy.#retriers.find(({ ErrorEquals }) => ErrorEquals.includes(errorName));
    if (retrier === undefined) return undefined;
    const attempts = this.#attempts.get(retrier) ?? 0;
    if (attempts >= retrier.MaxAttempts) return undefined;
    this.#attempts.set(retrier, attempts + 1);
    const backoffSeconds = retrier.IntervalSeconds * retrier.BackoffRate ** attempts;
    return random() * Math.min(backoffSeconds, retrier.MaxDelaySeconds) * 1000;
  }
}

function readRetriers() {
  const file = join(import.meta.dirname, '../../statemachines/create-connection.asl.yml');
  return definitionSchema.parse(parse(readFileSync(file, 'utf8'))).States.CreateConnection.Retry;
}
