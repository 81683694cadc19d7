import { ITEM_BOUNDS } from '../../functions/shared/contracts/table-keys.ts';
import type { LongSoak } from './run.ts';

/** Whether a soak has shown what it is for. A kind of item without a bound exceeds it. */
export function verdictOf({ largestBytes, refused, wrong, drops, outcomes }: LongSoak) {
  const recorded = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  return {
    itemsBounded: Object.entries(largestBytes).every(([kind, bytes]) => bytes <= (ITEM_BOUNDS[kind] ?? 0)),
    nothingRefused: Object.keys(refused).length === 0,
    outcomesRight: wrong.length === 0 && recorded === drops,
  };
}
