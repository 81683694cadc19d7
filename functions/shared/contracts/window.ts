import * as z from 'zod';
import { statusReasonSchema, timestampSchema } from './fields.ts';
import { sessionKeySchema } from './session-key.ts';
import { outcomeSchema } from './window-phase.ts';

export const outcomeDetailSchema = z
  .object({
    version: z.literal('1'),
    ...sessionKeySchema.shape,
    generation: z.int().min(1).describe("The window's number for this session, counted from 1"),
    outcome: outcomeSchema,
    statusReason: statusReasonSchema
      .nullable()
      .describe("The service's StatusReason; null when it gave none"),
    disconnectedAt: timestampSchema,
    outcomeAt: timestampSchema.describe(
      'When the session entered the status that decided the outcome; never before disconnectedAt',
    ),
    connectionAttempts: z.int().min(0).describe('Calls behind the connections created in this window'),
    executionName: z.string().min(1).max(80),
  })
  .meta({ title: 'Stream Session Reconnection Outcome, detail, version 1' });
export type OutcomeDetail = z.infer<typeof outcomeDetailSchema>;
