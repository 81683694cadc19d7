import type { RequestOrigin } from '../shared/api/origin.ts';
import { InvalidRequestError } from '../shared/api/replies.ts';
import { adminShellReasonSchema } from '../shared/contracts/index.ts';

/** What is recorded for a caller that sends no reason, as a plain SDK client does. */
export const DEFAULT_REASON = 'none given';

/** A spreadsheet takes a cell that begins like this for a formula, and runs it. */
const FORMULA_START = /^[=+\-@]/;

/**
 * Returns the operator's own words for why, from the header x-reason. One that begins like a spreadsheet's formula gets an
 * apostrophe before it, which spreadsheets read as "text": records are exported as CSV, and whoever opens them is
 * not the one who wrote the reason.
 *
 * @throws InvalidRequestError when the header is there and is not 1 to 256 printable ASCII characters, once.
 */
export function parseReason(headers: RequestOrigin['headers']): string {
  const [value, ...others] = headers.get('x-reason') ?? [];
  if (value === undefined) return DEFAULT_REASON;
  const text = value.trim();
  const reason = adminShellReasonSchema.safeParse(FORMULA_START.test(text) ? `'${text}` : text);
  if (others.length > 0 || !reason.success) {
    throw new InvalidRequestError(
      'The header x-reason must be there once, with 1 to 256 printable ASCII characters.',
    );
  }
  return reason.data;
}
