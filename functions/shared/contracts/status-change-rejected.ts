import * as z from 'zod';
import { timestampSchema } from './fields.ts';
import { resourceIdSchema } from './resource-id.ts';
import { streamSessionStatusSchema } from './stream-session-status.ts';

/** What is kept of an event that does not fit: fields that are harmless by their form, and why it was refused. */
export const statusChangeRejectedDetailSchema = z
  .object({
    version: z.literal('1'),
    rejectedEventId: z.string().max(256).nullable(),
    reasons: z.array(z.string()).min(1).describe('Field and rule of each violation; never a value'),
    fields: z.object({
      streamGroupId: resourceIdSchema.optional(),
      streamSessionId: resourceIdSchema.optional(),
      status: streamSessionStatusSchema.optional(),
      statusChangedAt: timestampSchema.optional(),
    }),
  })
  .meta({ title: 'Stream Session Status Change Rejected, detail, version 1' });
export type StatusChangeRejectedDetail = z.infer<typeof statusChangeRejectedDetailSchema>;
