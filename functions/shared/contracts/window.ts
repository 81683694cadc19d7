import * as z from 'zod';
import {
  outcomeSchema,
  outcomeStoryShape,
  sessionKeySchema,
  statusReasonSchema,
  timestampSchema,
  windowPhaseSchema,
} from './fields.ts';

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
    ...outcomeStoryShape,
  })
  .meta({ title: 'Stream Session Reconnection Outcome, detail, version 1' });
export type OutcomeDetail = z.infer<typeof outcomeDetailSchema>;

/** The reply of GET …/window. */
export const windowReplySchema = z
  .object({
    phase: windowPhaseSchema,
    generation: z.int().min(1),
    deadline: timestampSchema.describe('Until when the service keeps the session in the present phase'),
    remainingSeconds: z.number().min(0),
    outcome: outcomeSchema.optional(),
    statusReason: statusReasonSchema.optional(),
    ...outcomeStoryShape,
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
