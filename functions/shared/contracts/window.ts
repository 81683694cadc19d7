import * as z from 'zod';
import {
  executionUrlSchema,
  outcomeSchema,
  outcomeStoryShape,
  reportedBySchema,
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
    executionUrl: executionUrlSchema.optional(),
  })
  .meta({ title: 'Stream Session Reconnection Outcome, detail, version 1' });
export type OutcomeDetail = z.infer<typeof outcomeDetailSchema>;

/** The detail of the event that a window has opened, or that its deadline has changed. */
export const windowOpenedDetailSchema = z
  .object({
    version: z.literal('1'),
    ...sessionKeySchema.shape,
    generation: z.int().min(1).describe("The window's number for this session, counted from 1"),
    sequence: z
      .int()
      .min(1)
      .describe(
        'Grows, with gaps, with each change within a generation: of two events the one with more counts',
      ),
    disconnectedAt: timestampSchema.describe('When the client was lost, as reported'),
    deadline: timestampSchema.describe(
      'Until when the service keeps the session for its client, as far as is known; a later event may correct it',
    ),
    reportedBy: reportedBySchema.describe(
      'Who has reported the loss: the watcher, another feed, or a request to the API',
    ),
    executionName: z.string().min(1).max(80),
    executionUrl: executionUrlSchema.optional(),
  })
  .meta({ title: 'Stream Session Reconnection Window Opened, detail, version 1' });
export type WindowOpenedDetail = z.infer<typeof windowOpenedDetailSchema>;

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
