/**
 * How often a property is tried: enough for `npm test` to notice what is wrong with an entry, and as often more as
 * FUZZ_TIMES says.
 */
const TIMES = Number(process.env['FUZZ_TIMES'] ?? 1);

export const runs = (count: number) => ({ numRuns: Math.ceil(count * TIMES) });

/** Milliseconds a test may take. */
export const FUZZ_TIMEOUT_MS = 20_000 * Math.max(1, TIMES);
