import { ServiceError } from './service-error.ts';

const DEFAULT_PAGE = 100;

/**
 * One page of `items`, which keep their order between calls. A token holds the key of the last item given, so
 * items that came or went meanwhile are neither given twice nor skipped.
 *
 * @param keyOf grows (or falls) along `items`.
 * @throws ServiceError InvalidToken
 */
export function page<Item>(
  items: readonly Item[],
  request: { maxResults?: number | undefined; nextToken?: string | undefined },
  keyOf: (item: Item) => number,
): { items: readonly Item[]; nextToken?: string } {
  const size = request.maxResults || DEFAULT_PAGE;
  const start = request.nextToken === undefined ? 0 : startAfter(items, keyIn(request.nextToken), keyOf);
  const given = items.slice(start, start + size);
  const last = given.at(-1);
  if (last === undefined || start + size >= items.length) return { items: given };
  return { items: given, nextToken: Buffer.from(String(keyOf(last))).toString('base64url') };
}

function keyIn(token: string): number {
  const text = Buffer.from(token, 'base64url').toString();
  if (!/^\d{1,15}$/.test(text)) throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
  return Number(text);
}

function startAfter<Item>(items: readonly Item[], key: number, keyOf: (item: Item) => number): number {
  const first = items[0];
  const last = items.at(-1);
  if (first === undefined || last === undefined) return 0;
  const falls = keyOf(first) > keyOf(last);
  const start = items.findIndex((item) => (falls ? keyOf(item) < key : keyOf(item) > key));
  return start === -1 ? items.length : start;
}
