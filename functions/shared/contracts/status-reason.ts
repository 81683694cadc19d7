import { MAX_STATUS_REASON_LENGTH } from './fields.ts';

/** Control and format characters, and line separators: they break a log line or hide a part of the text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/**
 * Brings a `StatusReason` of the service into the form that our events and replies promise (`statusReasonSchema`).
 * The service documents 11 values and no form, so a new one is kept as far as it fits.
 *
 * @returns null when the service gave no reason, or nothing is left of it.
 */
export function toStatusReason(reason: unknown): string | null {
  if (typeof reason !== 'string') return null;
  const printable = reason.toWellFormed().replace(UNPRINTABLE, ' ').trim();
  // Half of a surrogate pair at the cut is no character.
  const kept = printable
    .slice(0, MAX_STATUS_REASON_LENGTH)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd();
  return kept === '' ? null : kept;
}
