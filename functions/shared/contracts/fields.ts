import * as z from 'zod';

/** A `StatusReason` of the service; new ones must not be refused. */
export const statusReasonSchema = z.string().min(1).max(256);

export const timestampSchema = z.iso.datetime({ offset: true });
