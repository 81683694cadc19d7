import { ServiceError } from './service-error.ts';

const DEFAULT_PAGE = 100;

interface Order<Item> {
  /** Grows along the items, or falls. */
  readonly keyOf: (item: Item) => number;
  readonly falls: boolean;
}

/**
 * One page of `items`. A token holds the key of the last item given, so items that came or went between two
 * calls make none come twice and none be skipped.
 *
 * @throws ServiceError InvalidToken
 */
export function page<Item>(
  items: readonly Item[],
  request: { maxResults?: number | undefined; nextToken?: string | undefined },
  { keyOf, falls }: Order<Item>,
): { items: readonly Item[]; nextToken?: string } {
  const size = request.maxResults || DEFAULT_PAGE;
  const after = request.nextToken === undefined ? undefined : keyIn(request.nextToken);
  const rest =
    after === undefined ? items : items.filter((item) => (falls ? keyOf(item) < after : keyOf(item) > after));
  const given = rest.slice(0, size);
  const last = given.at(-1);
  if (last === undefined || rest.length <= size) return { items: given };
  return { items: given, nextToken: Buffer.from(String(keyOf(last))).toString('base64url') };
}

function keyIn(token: string): number {
  const text = Buffer.from(token, 'base64url').toString();
  if (!/^\d{1,15}$/.test(text)) throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
  return Number(text);
}
