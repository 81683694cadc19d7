import { itemKindOf } from '../../functions/shared/contracts/table-keys.ts';
import { type Attributes, itemBytes } from '../dynamodb/attributes.ts';

/** Notes how large the items of each kind become: `onWrite` is for `MemoryItems`. */
export function largestItems() {
  const largestBytes: Record<string, number> = {};
  const onWrite = (item: Attributes): void => {
    const kind = itemKindOf({ sk: item['sk']?.S ?? '' });
    largestBytes[kind] = Math.max(largestBytes[kind] ?? 0, itemBytes(item));
  };
  return { largestBytes, onWrite };
}
