/**
 * Version 4 UUIDs from the randomness passed in. The last 48 bits count up, so that a source that repeats
 * itself (a test's constant) never gives one twice.
 */
export function uniqueIds(random: () => number): () => string {
  let count = 0;
  const hex = (digits: number): string =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return () => {
    const variant = '89ab'[Math.floor(random() * 4)] ?? '8';
    const last = (count++).toString(16).padStart(12, '0');
    return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${last}`;
  };
}
