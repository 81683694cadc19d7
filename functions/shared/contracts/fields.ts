import * as z from 'zod';

export const MAX_STATUS_REASON_LENGTH = 256;

/** A `StatusReason` of the service; new ones must not be refused. `toStatusReason` brings any text into this form. */
export const statusReasonSchema = z.string().min(1).max(MAX_STATUS_REASON_LENGTH);

export const timestampSchema = z.iso.datetime({ offset: true });
