import * as z from 'zod';

export const MAX_STATUS_REASON_LENGTH = 256;

/** A `StatusReason` of the service; new ones must not be refused. `toStatusReason` brings any text into this form. */
export const statusReasonSchema = z.string().min(1).max(MAX_STATUS_REASON_LENGTH);

export const timestampSchema = z.iso.datetime({ offset: true });

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

/** Why an operator asks for an admin shell: printable ASCII, as an HTTP header can carry it. */
export const adminShellReasonSchema = z.string().regex(/^[\x20-\x7E]{1,256}$/);
