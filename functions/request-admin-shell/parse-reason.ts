import type { RequestOrigin } from '../shared/api/origin.ts';
import { InvalidRequestError } from '../shared/api/replies.ts';
import { adminShellReasonSchema } from '../shared/contracts/index.ts';

/** What is recorded for a caller that sends no reason, as a plain SDK client does. */
export const DEFAULT_REASON = 'none given';

/**
 * The operator's own words for why, from the header x-reason.
 *
 * @throws InvalidRequestError when the header is there and is not 1 to 256 printable ASCII characters, once.
 */
export function parseReason(headers: RequestOrigin['headers']): string {
  const [value, ...others] = headers.get('x-reason') ?? [];
  if (value === undefined) return DEFAULT_REASON;
  const reason = adminShellReasonSchema.safeParse(value.trim());
  if (others.length > 0 || !reason.success) {
    throw new InvalidRequestError(
      'The header x-reason must be there once, with 1 to 256 printable ASCII characters.',
    );
  }
  return reason.data;
}
