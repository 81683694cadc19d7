import * as z from 'zod';
import { statusReasonSchema, timestampSchema } from './fields.ts';
import { outcomeSchema, windowPhaseSchema } from './window-phase.ts';

/** The reply of GET …/window. */
export const windowReplySchema = z
  .object({
    phase: windowPhaseSchema,
    generation: z.int().min(1),
    deadline: timestampSchema.describe('Until when the service keeps the session in the present phase'),
    remainingSeconds: z.number().min(0),
    outcome: outcomeSchema.optional(),
    statusReason: statusReasonSchema.optional(),
    waitingForService: z
      .literal(true)
      .optional()
      .describe('Only while the service cannot be read: the window goes on by itself when it can'),
    switch: z
      .enum(['passThrough', 'refuse'])
      .optional()
      .describe('Only while the service is switched off: what it does with calls'),
  })
  .meta({ title: 'Reconnection window' });
export type WindowReply = z.infer<typeof windowReplySchema>;
