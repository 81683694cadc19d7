import type { Attribute, Attributes } from './attributes.ts';

/**
 * The service's own rule for what it writes: every number in the table is a whole one (milliseconds, seconds, counters).
 * DynamoDB adds fractions exactly and a double does not, so a fraction that was read is not the one that rests there.
 *
 * @throws Error that names the attribute, and not its value.
 */
export function demandIntegers(item: Attributes): void {
  for (const [name, value] of Object.entries(item)) {
    if (hasFraction(value)) throw new Error(`A fraction is written to the table: ${name}`);
  }
}

function hasFraction({ N, NS, L, M }: Attribute): boolean {
  if (N !== undefined) return N.includes('.');
  if (NS !== undefined) return NS.some((member) => member.includes('.'));
  if (L !== undefined) return L.some(hasFraction);
  return M !== undefined && Object.values(M).some(hasFraction);
}
